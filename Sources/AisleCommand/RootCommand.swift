import ArgumentParser

/// `aisle`: everything in one executable.
@main
struct RootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aisle",
    abstract: "Seat booking, ordering and billing on one event log in PostgreSQL.",
    discussion: """
      With no configuration, aisle runs on a private PostgreSQL server that it keeps under .aisle/ and stops when it \
      ends. Set AISLE_DATABASE_URL to use any other server, AISLE_HOME to keep the private one elsewhere.

      Start here:
        aisle up                                  everything in one process, REST on port 8080
        aisle scenario run scenarios/last-seat.yaml   200 buyers race for one seat
        aisle billing month 2026-11               what everybody owes for a month
        aisle lake export --to lake               the whole log as files

      Exit codes: 0 all went well; 1 something did not, and the message says what; 64 wrong usage.
      """,
    version: AisleVersion.current,
    subcommands: [
      UpCommand.self, ServeCommand.self, MigrateCommand.self, DoctorCommand.self, EventsCommand.self,
      BillingCommand.self, PlanCommand.self, LakeCommand.self,
      LedgerCommand.self, ProjectionsCommand.self, NotificationsCommand.self, PrivacyCommand.self,
      ScenarioCommand.self,
      BenchCommand.self,
      ChaosCommand.self,
    ])
}

enum AisleVersion {
  static let current = "0.1.0"
}

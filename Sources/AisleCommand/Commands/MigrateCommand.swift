import ArgumentParser
import Migrations

struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Bring the database's schema up to date.",
    discussion:
      "Migrations are applied in order, in one transaction, under a lock; running it twice is harmless.")

  @Flag(
    help: "Change nothing; exit with status 1 if the schema is behind, altered or newer than this program.")
  var check = false

  func run() async throws {
    try await Session.run(schema: .asIs, as: .owner) { [check] session in
      let migrator = Migrator(session.pool)
      if check {
        let status = try await migrator.check()
        guard status.isCurrent else { throw CommandFailure(status.explanation) }
        print(status.explanation)
        return
      }
      let applied = try await migrator.migrate()
      for migration in applied { print("applied \(migration.fileName)") }
      print(try await migrator.check().explanation)
    }
  }
}

import ArgumentParser
import Foundation
import Scenarios

/// Runs scenarios with a guard taken out, to see that their checks notice.
struct ScenarioControlsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "controls",
    abstract: "Take guards out, one at a time, and see that the scenarios notice.",
    discussion: """
      A check that cannot fail proves nothing. Under `controls:` a scenario names strategies in which one guard is \
      missing (the expected version, the hold's end, the idempotency key, …) and the invariant that each must break. \
      This runs them. Exits with status 1 if one of them breaks nothing.
      """)

  @Argument(help: "Scenario files; those of the directory scenarios if there are none.")
  var files: [String] = []

  @Flag(help: "One JSON array.")
  var json = false

  @Option(help: "Draws other numbers than the files' seeds.")
  var seed: UInt64?

  func run() async throws {
    let paths = files.isEmpty ? try ScenarioCommand.files(in: "scenarios") : files
    let scenarios = try paths.map { try ScenarioFile.load(path: $0) }
    try await Session.run(schema: .asIs, as: .owner) { [self] session in
      try await run(scenarios, session)
    }
  }

  private func run(_ scenarios: [ScenarioFile], _ session: Session) async throws {
    var options = ScenarioEngine.Options()
    options.poolSize = session.settings.poolSize
    options.version = AisleVersion.current
    let engine = ScenarioEngine(server: session.conninfo, options: options, logger: session.logger)
    let style = TerminalStyle.detect(fileDescriptor: 2)
    var runs: [ControlRun] = []
    for scenario in scenarios {
      let found = try await engine.controls(of: scenario, seed: seed) { strategy, recorder in
        await ProgressPrinter.follow(recorder, style: style, title: "\(scenario.name) \(strategy.rawValue)") {
          text in
          FileHandle.standardError.write(Data(text.utf8))
        }
      }
      runs += found
      if !json { print(ControlLines(scenario, found, style: .detect(fileDescriptor: 1)).render()) }
    }
    let silent = runs.filter { !$0.isBroken }
    if json {
      print(try JSONText.document(runs))
    } else {
      print(
        silent.isEmpty
          ? "✓ \(runs.count) guards taken out, and each was missed."
          : "✗ \(silent.count) of \(runs.count) guards taken out were not missed: a check does not check.")
    }
    if runs.isEmpty || !silent.isEmpty { throw ExitCode.failure }
  }
}

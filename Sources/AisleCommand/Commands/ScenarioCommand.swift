import ArgumentParser
import Foundation
import Scenarios
import Vocabulary

struct ScenarioCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scenario",
    abstract: "Play sales that go wrong in interesting ways, and check that nothing did.",
    subcommands: [
      Run.self, List.self, Check.self, ScenarioControlsCommand.self, NYCFlightsCommand.self,
      ScenarioWorkerCommand.self,
    ])

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run scenario files on PostgreSQL and judge them.",
      discussion: """
        Each run has a database of its own on the server, which is dropped afterwards, so it never touches your data. \
        Exits with status 1 unless every invariant of every file holds.
        """)

    @Argument(help: "Scenario files, such as scenarios/last-seat.yaml.")
    var files: [String]

    @Option(help: "How seats are claimed, in place of what the file says: \(StrategyName.list).")
    var strategy: StrategyName?

    @Option(help: "Directory for a JSON and an HTML report of each run.")
    var report: String?

    @Flag(help: "Print the reports as JSON: one object, or an array if there are several files.")
    var json = false

    @Flag(help: "Keep the run's database and say where it is.")
    var keep = false

    @Option(help: "Draws other numbers than the file's seed.")
    var seed: UInt64?

    @Option(help: "How many act at the same moment, in place of the file's numbers.")
    var concurrency: Int?

    func validate() throws {
      if let concurrency, !(1...10_000).contains(concurrency) {
        throw ValidationError("--concurrency is 1 to 10000")
      }
    }

    func run() async throws {
      let scenarios = try files.map { try ScenarioFile.load(path: $0) }
      try await Session.run(schema: .asIs, as: .owner) { [self] session in
        try await ScenarioRuns(session: session, command: self).run(scenarios)
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the scenario files of a directory.")

    @Argument(help: "The directory.")
    var directory = "scenarios"

    @Flag(help: "One JSON document.")
    var json = false

    func run() async throws {
      let scenarios = try ScenarioCommand.files(in: directory)
        .map { (path: $0, scenario: try ScenarioFile.load(path: $0)) }
      if json {
        print(
          try JSONText.document(
            scenarios.map { Listed(name: $0.scenario.name, title: $0.scenario.title, file: $0.path) }))
        return
      }
      guard !scenarios.isEmpty else {
        print("there are no scenario files in \(directory)")
        return
      }
      let width = scenarios.map(\.scenario.name.count).max() ?? 0
      for (_, scenario) in scenarios {
        print(scenario.name.padding(toLength: width, withPad: " ", startingAt: 0) + "  " + scenario.title)
      }
    }

    private struct Listed: Encodable {
      let name: String
      let title: String
      let file: String
    }
  }

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Look for mistakes in scenario files without running them.",
      discussion:
        "Prints every mistake with its line, as file:line:column. Exits with status 1 if there is one.")

    @Argument(help: "Scenario files.")
    var files: [String]

    @Flag(help: "The mistakes as one JSON array.")
    var json = false

    func run() async throws {
      var problems: [ScenarioProblem] = []
      for file in files {
        do {
          let plan = ScenarioPlan(try ScenarioFile.load(path: file))
          if !json { print("\(file): fine, \(plan.buyers.count) buyers, \(plan.actionCount) actions") }
        } catch {
          problems += error.problems
          if !json { print(error.description) }
        }
      }
      if json { print(try JSONText.document(problems)) }
      if !problems.isEmpty { throw ExitCode.failure }
    }
  }
}

extension ScenarioCommand {
  /// The paths of a directory's scenario files, by name.
  static func files(in directory: String) throws -> [String] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: directory)
    } catch {
      throw CommandFailure("\(directory) cannot be read; is it the path of a directory?")
    }
    return names.filter { $0.hasSuffix(".yaml") }.sorted().map { directory + "/" + $0 }
  }
}

/// A strategy as an option.
struct StrategyName: ExpressibleByArgument {
  static let list = Strategy.allCases.map(\.rawValue).joined(separator: ", ")
  static var allValueStrings: [String] { Strategy.allCases.map(\.rawValue) }
  let strategy: Strategy

  init?(argument: String) {
    guard let strategy = Strategy(rawValue: argument) else { return nil }
    self.strategy = strategy
  }
}

import Foundation
import Logging
import PostgreSQL
import TestSupport
import Testing

@testable import Scenarios

/// Tests that play scenarios on a real server. One after the other: each run wants the machine for itself.
@Suite("A run", .serialized)
enum Runs {}

/// What such a test needs.
enum ScenarioBench {
  static func engine(_ change: (inout ScenarioEngine.Options) -> Void = { _ in }) async throws
    -> ScenarioEngine
  {
    var options = ScenarioEngine.Options()
    options.executable = try aisle()
    change(&options)
    return ScenarioEngine(server: try await TestCluster.shared().conninfo, options: options)
  }

  /// Runs a shipped scenario.
  static func run(
    _ name: String, _ strategy: Strategy = .occ, _ change: (inout ScenarioFile) -> Void = { _ in }
  ) async throws -> RunReport {
    var scenario = try SampleReports.scenario(name)
    change(&scenario)
    return try await engine().run(ScenarioPlan(scenario, strategy: strategy)).report
  }

  /// The same for a scenario that takes too long in a debug build: with fewer who look, desks and orders of events.
  static func runReduced(_ name: String) async throws -> RunReport {
    try await run(name) { $0.reduce(toBuyers: .max) }
  }

  /// The program that was built with these tests; they are nothing without it.
  static func aisle() throws -> String {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = URL(filePath: tests).deletingLastPathComponent().appending(path: "aisle").path
    try #require(
      FileManager.default.isExecutableFile(atPath: path),
      "there is no \(path); swift build --build-tests makes it")
    return path
  }

  /// The names of what was broken, for a message that says why.
  static func broken(_ results: [InvariantResult]) -> Set<InvariantName> {
    Set(results.filter { !$0.holds }.map(\.name))
  }

  static func why(_ results: [InvariantResult]) -> Comment {
    let texts = results.filter { !$0.holds }.map { result in
      let findings = [("log", result.fromLog), ("read model", result.fromReadModel)]
        .compactMap { name, finding in finding.map { "\(name): \($0.evidence)" } }
      return
        "\(result.title): \(result.evidence) \(findings.joined(separator: " ")) \(result.details?.rows.first ?? [])"
    }
    return Comment(rawValue: texts.joined(separator: "\n"))
  }
}

extension ScenarioFile {
  /// Fewer of everybody; what is shipped is the same plan with more.
  mutating func reduce(toBuyers most: Int) {
    for index in actors.indices {
      switch actors[index].kind {
      case .buyers, .waiters, .shoppers: actors[index].count = min(actors[index].count, most)
      case .pollers: actors[index].count = min(actors[index].count, 6)
      case .terminals:
        actors[index].count = min(actors[index].count, 12)
        actors[index].operations = min(actors[index].operations, 60)
      case .interleavings: actors[index].events = [.expire, .pay, .pay, .payAndDie, .other]
      }
      actors[index].concurrency = min(actors[index].concurrency, actors[index].count)
    }
  }
}

import Foundation
import Testing
import Vocabulary

@testable import Scenarios

extension Runs {
  @Suite("with a guard taken out", .timeLimit(.minutes(10)))
  struct Controls {
    static let names: [String] = {
      let files = try? FileManager.default.contentsOfDirectory(atPath: SampleReports.scenarioDirectory)
      return (files ?? []).filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }()

    @Test("breaks what the file says, whichever control of whichever shipped scenario", arguments: names)
    func breaks(name: String) async throws {
      var scenario = try SampleReports.scenario(name)
      try #require(!scenario.controls.isEmpty, "a scenario whose checks nobody has seen fail proves nothing")
      // A race of three hundred is as lost as one of three thousand.
      scenario.reduce(toBuyers: 300)
      let runs = try await ScenarioBench.engine().controls(of: scenario)
      #expect(runs.count == scenario.controls.count)
      for run in runs {
        #expect(
          run.isBroken, "\(run.strategy.rawValue) did not break \(run.invariant.rawValue): \(run.evidence)")
      }
    }

    @Test("of which there are some, and each control is used by a scenario")
    func complete() throws {
      #expect(Self.names.count >= 19)
      let used = try Self.names.flatMap { try SampleReports.scenario($0).controls.map(\.strategy) }
      #expect(Set(used) == Set(Strategy.allCases.filter(\.isControl)))
    }

    @Test("is told from a scenario that merely fails: a guard that is there breaks nothing")
    func silent() async throws {
      var scenario = try SampleReports.scenario("last-seat")
      // One buyer alone does not race.
      scenario.actors[0].count = 1
      scenario.actors[0].concurrency = 1
      let runs = try await ScenarioBench.engine().controls(of: scenario)
      #expect(runs.map(\.isBroken) == [false, false])
    }
  }
}

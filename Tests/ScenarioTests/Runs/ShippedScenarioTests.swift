import Testing
import Vocabulary

@testable import Scenarios

extension Runs {
  @Suite("of a shipped scenario")
  struct Shipped {
    @Test(
      "keeps every promise, at full size",
      arguments: [
        "last-seat", "sold-out", "hold-expiry", "month-end-refund", "duplicate-requests", "standing-room",
        "best-available", "small-hall", "hold-storm", "house-of-kinds",
      ])
    func holds(name: String) async throws {
      let report = try await ScenarioBench.run(name)
      #expect(report.verdict.holds, ScenarioBench.why(report.invariants))
      #expect(report.counters.errors == 0)
    }

    @Test("lets one of 200 have the last seat, and tells the others why not")
    func lastSeat() async throws {
      let report = try await ScenarioBench.run("last-seat")
      #expect(report.counters.winners == 1)
      #expect(report.counters.refusedByReason == ["seats-unavailable": 199])
      let house = try #require(report.houses.first)
      #expect(house.count(.sold) == 1)
      #expect(house.count(.soldBefore) == 179)
      let winner = try #require(report.race.lanes.first { $0.outcome == .won })
      #expect(winner.seats == ["F-30"])
      // Scheduled, two holds and two confirmations of the earlier sales, then this hold.
      #expect(winner.streamVersion == 6)
    }

    @Test("lets two processes that race on one database sell one seat once")
    func twoProcesses() async throws {
      let report = try await ScenarioBench.run("two-processes")
      #expect(report.verdict.holds, ScenarioBench.why(report.invariants))
      #expect(report.counters.winners == 1)
      #expect(report.counters.refused == 199)
      #expect(Set(report.race.lanes.compactMap(\.worker)) == [1, 2])
    }

    @Test("loses nothing that was acknowledged when the process is killed")
    func crash() async throws {
      let report = try await ScenarioBench.run("crash")
      #expect(report.verdict.holds, ScenarioBench.why(report.invariants))
      let fault = try #require(report.invariants.first { $0.name == .everyFaultHappened })
      #expect(fault.evidence.contains("worker-1 was killed after"))
      #expect(report.counters.winners == 300)
    }

    @Test("is the same plan whatever happens, but other buyers with another seed")
    func concurrency() async throws {
      let engine = try await ScenarioBench.engine { $0.concurrency = 1 }
      let report = try await engine.run(ScenarioPlan(try SampleReports.scenario("last-seat"), seed: 7)).report
      #expect(report.verdict.holds, ScenarioBench.why(report.invariants))
      #expect(report.seed == 7)
      // One after the other: nobody begins before the one before has been answered.
      let lanes = report.race.lanes
      for (one, next) in zip(lanes, lanes.dropFirst()) {
        #expect(one.endMicroseconds <= next.startMicroseconds)
      }
    }
  }
}

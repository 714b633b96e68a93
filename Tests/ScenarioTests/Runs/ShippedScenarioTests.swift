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

    @Test(
      "keeps every promise, also with the bank, the line, and those who look and are told",
      arguments: [
        "watchers", "waiting-list", "waiting-room", "cards", "giving-back", "airline", "late-payment",
      ])
    func holdsOutside(name: String) async throws {
      let report = try await ScenarioBench.runReduced(name)
      #expect(report.verdict.holds, ScenarioBench.why(report.invariants))
      #expect(report.counters.errors == 0)
    }

    @Test("plays every order of events around a payment, of which there are 1,272")
    func interleavings() throws {
      let plan = ScenarioPlan(try SampleReports.scenario("late-payment"))
      let orders = plan.buyers.map(\.interleaving)
      #expect(orders.count == 1_272)
      #expect(Set(orders).count == 1_272)
      #expect(plan.interleavedShows.count == 1_272)
      #expect(orders.contains([.other, .expire, .pay, .restart, .pay, .cancel]))
    }

    @Test("mixes the operations of the SEATS benchmark in its shares")
    func mix() throws {
      let plan = ScenarioPlan(try SampleReports.scenario("airline"))
      let actions = plan.steps.flatMap(\.waves).flatMap(\.actions)
      #expect(actions.count == 4_000)
      let shares = Dictionary(grouping: actions, by: \.kind).mapValues { Double($0.count) / 40 }
      for (kind, wanted) in [
        (PlannedAction.Kind.findOpenSeats, 35.0), (.newReservation, 20), (.updateReservation, 15),
        (.updateCustomer, 10),
        (.findFlights, 10), (.deleteReservation, 10),
      ] {
        #expect(abs((shares[kind] ?? 0) - wanted) < 2, "\(kind): \(shares[kind] ?? 0) %")
      }
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

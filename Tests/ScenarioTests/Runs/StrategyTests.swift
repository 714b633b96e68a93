import Testing
import Vocabulary

@testable import Scenarios

extension Runs {
  @Suite("with another strategy")
  struct Strategies {
    @Test("oversells when it looks into a read model and then books, and says so")
    func readModelCheck() async throws {
      let report = try await ScenarioBench.run("last-seat", .readModelCheck)
      #expect(!report.verdict.holds)
      #expect(report.counters.winners > 1)
      #expect(
        ScenarioBench.broken(report.invariants)
          == [
            .noSeatBookedTwice, .exactlyOneWinner, .everyBookedSeatHasOneConfirmedOrder, .seatsLinearizable,
          ],
        ScenarioBench.why(report.invariants))
      #expect(report.verdict.firstBroken == .noSeatBookedTwice)
      let double = try #require(report.invariants.first { $0.name == .noSeatBookedTwice })
      #expect(double.fromLog?.holds == false)
      #expect(double.fromReadModel?.holds == false)
      #expect(double.details?.rows.first?[1] == "F-30")
      #expect(double.brokenAtMicroseconds != nil)
      #expect(report.houses[0].count(.oversold) == 1)
    }

    @Test("sells the seat to one who comes alone, also by the read model: only a race can break it")
    func readModelCheckAlone() async throws {
      let report = try await ScenarioBench.run("last-seat", .readModelCheck) { scenario in
        scenario.actors[0].count = 1
        scenario.actors[0].concurrency = 1
      }
      #expect(report.verdict.holds, ScenarioBench.why(report.invariants))
    }

    @Test(
      "is right with locked rows",
      arguments: ["last-seat", "hold-expiry", "month-end-refund", "duplicate-requests"])
    func rowLock(name: String) async throws {
      let report = try await ScenarioBench.run(name, .rowLock)
      #expect(report.verdict.holds, ScenarioBench.why(report.invariants))
    }

    @Test("sells out with locked rows, however many want the same best seats")
    func rowLockSoldOut() async throws {
      let report = try await ScenarioBench.run("sold-out", .rowLock) { scenario in
        scenario.actors[0].count = 150
        scenario.actors[0].concurrency = 60
        scenario.shows[0].sections = [
          .init(id: SectionID(unchecked: "floor"), price: 7850, rows: [.init(id: "A", seats: 40)])
        ]
        scenario.invariants.removeAll { $0.name == .seatsSold }
      }
      #expect(report.verdict.holds, ScenarioBench.why(report.invariants))
      #expect(report.counters.seatsSold == 40)
    }
  }
}

import Foundation
import Vocabulary

@testable import Scenarios

/// Made-up runs of the shipped scenarios, for tests of the reports and for looking at them: set
/// `AISLE_SAMPLE_REPORTS` to a directory and the report tests write them there.
enum SampleReports {
  static let scenarioDirectory = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "scenarios").path()

  static func scenario(_ name: String) throws -> ScenarioFile {
    try ScenarioFile.load(path: scenarioDirectory + "/" + name + ".yaml")
  }

  static let environment = RunReport.Environment(
    postgresql: "15.14", cores: 2, operatingSystem: "Debian GNU/Linux 12", aisle: "0.1.0")
  static let startedAt = Timestamp(microseconds: 1_795_500_000_000_000)

  /// One winner, everybody else refused.
  static func lastSeat() throws -> RunReport {
    let plan = ScenarioPlan(try scenario("last-seat"))
    var lot = SeededGenerator(seed: 7, subject: "last-seat")
    let winner = 117
    var attempts: [Attempt] = []
    for buyer in plan.buyers {
      let start = Int64(400 + lot.number(in: 0...9_000))
      let isWinner = buyer.index == winner
      let slow = lot.number(in: 0...30) == 0 ? 18_000 : 0
      let took = isWinner ? Int64(9_800) : Int64(7_000 + slow + lot.number(in: 0...6_000))
      attempts.append(
        Attempt(
          buyer: buyer.id.rawValue, group: buyer.group, show: buyer.show.rawValue, action: .buy,
          startMicroseconds: isWinner ? 1_900 : start, endMicroseconds: (isWinner ? 1_900 : start) + took,
          simulatedAt: plan.steps[0].at, outcome: isWinner ? .won : .refused,
          reason: isWinner ? nil : "seats-unavailable", seats: isWinner ? ["F-30"] : [],
          streamVersion: isWinner ? 182 : nil, conflicts: lot.number(in: 0...40) == 0 ? 1 : 0))
    }
    let sold = Set(plan.shows[0].seatsAlreadySold)
    let house = House(plan.shows[0]) { seat in
      sold.contains(seat)
        ? House.Seat(.soldBefore) : House.Seat(.sold, buyers: ["buyers-118"], soldAtMicroseconds: 11_700)
    }
    return report(
      plan, attempts, log: LogGrowth(appends: 7, events: 9), houses: [house],
      invariants: plan.scenario.invariants.map { invariant in
        InvariantResult(
          invariant, evidence: evidence(invariant.name),
          fromLog: .init(holds: true, evidence: "Folded 189 events of 4 streams."),
          fromReadModel: .init(holds: true, evidence: "seat_map and order_list at position 189 say the same.")
        )
      })
  }

  /// The control: eleven people were sold the same seat.
  static func readModelCheck() throws -> RunReport {
    let plan = ScenarioPlan(try scenario("last-seat"), strategy: .readModelCheck)
    var lot = SeededGenerator(seed: 11, subject: "control")
    var winners: [Int: Int64] = [:]
    for place in 0..<11 { winners[(place * 17 + 5) % 200] = Int64(2_000 + place * 900) }
    var attempts: [Attempt] = []
    for buyer in plan.buyers {
      let start = winners[buyer.index] ?? Int64(6_000 + lot.number(in: 0...24_000))
      let isError = buyer.index == 42
      attempts.append(
        Attempt(
          buyer: buyer.id.rawValue, group: buyer.group, show: buyer.show.rawValue, action: .buy,
          startMicroseconds: start,
          endMicroseconds: start + Int64(6_000 + lot.number(in: 0...5_000)), simulatedAt: plan.steps[0].at,
          outcome: isError ? .error : winners[buyer.index] != nil ? .won : .refused,
          reason: isError ? "timeout" : winners[buyer.index] != nil ? nil : "seats-unavailable",
          seats: winners[buyer.index] != nil ? ["F-30"] : []))
    }
    let owners = attempts.filter { $0.outcome == .won }.sorted { $0.endMicroseconds < $1.endMicroseconds }
    let sold = Set(plan.shows[0].seatsAlreadySold)
    let house = House(plan.shows[0]) { seat in
      sold.contains(seat)
        ? House.Seat(.soldBefore)
        : House.Seat(.oversold, buyers: owners.map(\.buyer), soldAtMicroseconds: owners[0].endMicroseconds)
    }
    let broken: Set<InvariantName> = [.noSeatBookedTwice, .exactlyOneWinner, .noUnexpectedErrors]
    return report(
      plan, attempts, log: LogGrowth(appends: 44, events: 55), houses: [house],
      invariants: plan.scenario.invariants.map { invariant in
        guard broken.contains(invariant.name) else {
          return InvariantResult(
            invariant, evidence: evidence(invariant.name),
            fromLog: .init(holds: true, evidence: "Folded 235 events of 23 streams."))
        }
        switch invariant.name {
        case .noSeatBookedTwice:
          return InvariantResult(
            invariant, evidence: "Seat F-30 is booked by 11 holds at once: 10 more people than seats.",
            fromLog: .init(
              holds: false, evidence: "11 hold-confirmed events for F-30, and no cancellation between."),
            fromReadModel: .init(
              holds: false, evidence: "seat_map shows the last of them only; 10 bookings are invisible."),
            details: .init(
              columns: ["seat", "buyer", "order", "position", "confirmed at"],
              rows: owners.enumerated().map { index, owner in
                [
                  "F-30", owner.buyer, "last-seat.\(owner.buyer)", "\(184 + index * 4)",
                  Numerals.duration(microseconds: owner.endMicroseconds),
                ]
              }), brokenAtMicroseconds: owners[1].endMicroseconds)
        case .exactlyOneWinner:
          return InvariantResult(
            invariant, evidence: "11 buyers were told that they have the seat.",
            fromLog: .init(holds: false, evidence: "11 orders confirmed."))
        default:
          return InvariantResult(
            invariant, evidence: "One request ended in a timeout.", holds: false, brokenAtMicroseconds: 31_000
          )
        }
      })
  }

  /// Two thousand attempts: more than are drawn one by one.
  static func soldOut() throws -> RunReport {
    let plan = ScenarioPlan(try scenario("sold-out"))
    var lot = SeededGenerator(seed: 3, subject: "sold-out")
    var free = plan.shows[0].seatIDs[...]
    var attempts: [Attempt] = []
    var owners: [SeatID: (String, Int64)] = [:]
    for (place, action) in (plan.steps[0].waves[0].actions).enumerated() {
      let buyer = plan.buyers[action.buyer]
      let start = Int64(place * 160 + lot.number(in: 0...2_000))
      let slow = lot.number(in: 0...60) == 0 ? 40_000 : 0
      let end = start + Int64(9_000 + slow + lot.number(in: 0...14_000))
      let seats = free.count >= buyer.wish.count ? Array(free.prefix(buyer.wish.count)) : []
      free = free.dropFirst(seats.count)
      for seat in seats { owners[seat] = (buyer.id.rawValue, end) }
      attempts.append(
        Attempt(
          buyer: buyer.id.rawValue, group: buyer.group, show: buyer.show.rawValue, action: .buy,
          startMicroseconds: start,
          endMicroseconds: end, simulatedAt: plan.steps[0].at, outcome: seats.isEmpty ? .refused : .won,
          reason: seats.isEmpty ? (place % 3 == 0 ? "no-adjacent-seats" : "seats-unavailable") : nil,
          seats: seats.map(\.rawValue)))
    }
    let house = House(plan.shows[0]) { seat in
      owners[seat].map { House.Seat(.sold, buyers: [$0.0], soldAtMicroseconds: $0.1) } ?? House.Seat(.free)
    }
    return report(
      plan, attempts, log: LogGrowth(appends: 61, events: 1_402), houses: [house],
      invariants: plan.scenario.invariants.map {
        InvariantResult(
          $0, evidence: evidence($0.name),
          fromLog: .init(holds: true, evidence: "Folded 1,402 events of 204 streams."))
      })
  }

  /// A run on several instants of the scenario's clock, with few buyers.
  static func monthEnd() throws -> RunReport {
    let plan = ScenarioPlan(try scenario("month-end-refund"))
    var attempts: [Attempt] = []
    for (index, step) in plan.steps.enumerated() {
      for (offset, action) in step.waves.flatMap(\.actions).enumerated() {
        let start = Int64(index * 62_000 + offset * 2_500 + 900)
        attempts.append(
          Attempt(
            buyer: plan.buyers[action.buyer].id.rawValue, group: plan.buyers[action.buyer].group,
            show: "winters-tale", action: action.kind, startMicroseconds: start,
            endMicroseconds: start + 11_000 + Int64(offset * 800),
            simulatedAt: step.at, outcome: action.kind == .cancel ? .cancelled : .won,
            seats: action.kind == .cancel ? [] : ["A-\(offset + 1)"]))
      }
    }
    return report(
      plan, attempts, log: LogGrowth(appends: 14, events: 21), houses: [],
      invariants: plan.scenario.invariants.map {
        InvariantResult(
          $0, evidence: evidence($0.name), fromLog: .init(holds: true, evidence: "Two charges, one refund."))
      })
  }

  private static func evidence(_ name: InvariantName) -> String {
    switch name {
    case .exactlyOneWinner: "buyers-118 won F-30 at version 182 of show-the-tempest."
    case .everyOtherBuyerRefusedCleanly: "199 refusals, all seats-unavailable; none of the 199 has an event."
    case .positionsGapless: "Positions 1 to 189: 189 events."
    case .billsEqualBatch: "2026-11: 45.00 EUR live, 45.00 EUR in batch."
    case .noSeatBookedTwice: "180 seats booked, by 180 holds."
    default: "Checked, and so it is."
    }
  }

  static func report(
    _ plan: ScenarioPlan, _ attempts: [Attempt], log: LogGrowth, houses: [House],
    invariants: [InvariantResult]
  ) -> RunReport {
    var histograms: [RunRecorder.Operation: RunRecorder.LatencyHistogram] = [:]
    func measure(_ operation: RunRecorder.Operation, _ microseconds: Int64) {
      histograms[operation, default: LatencySummary.emptyHistogram()].record(UInt64(microseconds))
    }
    for attempt in attempts {
      let took = attempt.endMicroseconds - attempt.startMicroseconds
      measure(.attempt, took)
      if attempt.action == .cancel {
        measure(.cancel, took)
      } else {
        measure(.hold, took * 3 / 5)
        if attempt.outcome == .won { measure(.order, took * 2 / 5) }
      }
    }
    let end = attempts.map(\.endMicroseconds).max() ?? 0
    return RunReport(
      plan: plan,
      recording: Recording(attempts: attempts, latencies: histograms, elapsedMicroseconds: end + 240_000),
      startedAt: startedAt, environment: environment, log: log, houses: houses, invariants: invariants)
  }
}

import Booking
import EventStore
import Foundation
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@testable import Scenarios

extension Runs {
  /// One run in which everything is right; then one thing is made wrong in a copy of it, in the log, in a derived table
  /// or in what a buyer was told, and the judge must say exactly what is broken.
  @Suite("judged")
  struct Judged {
    @Test("holds if nothing was touched")
    func untouched() async throws {
      let results = try await Sample.judge { _, _ in }
      #expect(ScenarioBench.broken(results) == [], ScenarioBench.why(results))
      let judged = Set(results.map(\.name))
      #expect(
        Set(InvariantName.allCases).subtracting(judged)
          == OutsideTampering.judged.union(DoorTampering.judged).union([
            .exactlyOneWinner, .everyFaultHappened,
          ]))
    }

    @Test("breaks what was tampered with, and nothing else", arguments: Tampering.all)
    func tampered(_ tampering: Tampering) async throws {
      let results = try await Sample.judge(tampering.apply)
      #expect(ScenarioBench.broken(results) == tampering.breaks, ScenarioBench.why(results))
    }

    @Test("has every invariant broken by something")
    func complete() {
      let broken = (Tampering.all + OutsideTampering.all + OutsideTampering.interleaved + DoorTampering.all)
        .reduce(into: Set<InvariantName>()) { $0.formUnion($1.breaks) }
      // These two are broken by tests of their own: the control, and the one below.
      #expect(Set(InvariantName.allCases).subtracting(broken) == [.exactlyOneWinner, .everyFaultHappened])
    }

    @Test("has proved nothing if a fault did not strike")
    func faults() async throws {
      func judge(strikes: Int) async throws -> Bool {
        let fault = Fault.Kill(worker: 1, afterAcknowledged: 3, restartAfter: .zero)
        let strike = FaultWatch.Strike(
          fault: fault, acknowledged: 3, underway: 2, lostAtMicroseconds: 10, backAtMicroseconds: 20)
        let results = try await Sample.judge { _, performance in
          var scenario = performance.plan.scenario
          scenario.faults = [.kill(fault)]
          scenario.invariants = [Invariant(.everyFaultHappened)]
          performance.plan = ScenarioPlan(scenario)
          performance.strikes = Array(repeating: strike, count: strikes)
        }
        return results.allSatisfy(\.holds)
      }
      #expect(try await judge(strikes: 1))
      #expect(try await !judge(strikes: 0))
    }
  }
}

/// Something that is made wrong, and what must be found broken then.
struct Tampering: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let breaks: Set<InvariantName>
  let apply: @Sendable (PostgresPool, inout Performance) async throws -> Void

  init(
    _ description: String, breaks: Set<InvariantName>,
    _ apply: @escaping @Sendable (PostgresPool, inout Performance) async throws -> Void
  ) {
    testDescription = description
    self.breaks = breaks
    self.apply = apply
  }

  init(_ description: String, _ sql: SQL, breaks: Set<InvariantName>) {
    self.init(description, breaks: breaks) { pool, _ in
      let changed = try await pool.execute(sql)
      try #require(changed > 0, "the tampering touched nothing")
    }
  }

  static let all = log + tables + answers

  private static let log = [
    Tampering(
      "the log has a second booking of a seat",
      """
      update aisle.events
      set data = jsonb_set(data, '{seats}', '["A-1"]')
      where type in ('seats-held', 'hold-confirmed') and data ->> 'hold_id' = (
        select max(hold_id) from aisle.holds where buyer like 'latecomers%')
      """,
      breaks: [
        .noSeatBookedTwice, .allSeatsSold, .noRefusalWhileSeatsFree, .acknowledgedIsInTheLog,
        .everyBookedSeatHasOneConfirmedOrder, .readModelEqualsLog,
      ]),
    Tampering(
      "the log has a hold confirmed after its end",
      """
      update aisle.events
      set data = jsonb_set(data, '{confirmed_at}', '"2026-06-10T10:10:00Z"')
      where type = 'hold-confirmed' and data ->> 'hold_id' like '%couple%'
      """, breaks: [.expiredHoldsSoldNothing]),
    Tampering(
      "the log has another reason for a late payer",
      """
      update aisle.events
      set data = jsonb_set(data, '{reason}', '"no-idea"')
      where type = 'order-failed'
      """, breaks: [.latePayersRefused, .readModelEqualsLog]),
    Tampering(
      "the log has an order without its booking",
      """
      update aisle.events
      set data = jsonb_set(data, '{lines,0,seat}', '"A-2"')
      where type = 'order-confirmed' and data ->> 'order_id' like '%couple%'
      """, breaks: [.everyBookedSeatHasOneConfirmedOrder, .billsEqualBatch]),
    Tampering(
      "the log has a charge of another amount",
      """
      update aisle.events
      set data = jsonb_set(data, '{gross}', '4999')
      where type = 'charged' and data ->> 'account_id' = 'returner'
      """, breaks: [.everyConfirmedOrderIsBilledOnce, .billsEqualBatch, .chargeInMonth]),
    Tampering(
      "the log has a charge whose postings do not sum to zero",
      """
      update aisle.events
      set data = jsonb_set(data, '{postings,0,amount}', '1')
      where type = 'charged' and data ->> 'account_id' = 'returner'
      """, breaks: [.postingsBalance]),
    Tampering(
      "the log lacks its last event",
      "delete from aisle.events where position = (select position from aisle.log_head)",
      breaks: [
        .positionsGapless, .streamVersionsContiguous, .everyConfirmedOrderIsBilledOnce, .billsEqualBatch,
      ]),
    Tampering(
      "the log's head is beyond its last event", "update aisle.log_head set position = position + 1",
      breaks: [.positionsGapless, .readModelEqualsLog]),
    Tampering(
      "the log has a hold that leaves seats alone",
      """
      update aisle.events
      set data = jsonb_set(data, '{seats}', '["B-2", "B-3"]')
      where type = 'seats-held' and data -> 'seats' = '["B-1", "B-2"]'
      """, breaks: [.noForbiddenOrphans, .acknowledgedIsInTheLog, .readModelEqualsLog]),
    Tampering(
      "the log has a hold of seats that are not side by side",
      """
      update aisle.events
      set data = jsonb_set(data, '{seats}', '["B-1", "B-3"]')
      where type = 'seats-held' and data -> 'seats' = '["B-1", "B-2"]'
      """,
      breaks: [.seatsAreAsWished, .noForbiddenOrphans, .acknowledgedIsInTheLog, .readModelEqualsLog]),
    Tampering(
      "a stream's version is skipped",
      "update aisle.events set version = version + 100 where type = 'account-opened'",
      breaks: [.streamVersionsContiguous]),
    Tampering(
      "a stream's row has another version than its events",
      "update aisle.streams set version = version + 1 where category = 'account'",
      breaks: [.streamVersionsContiguous]),
    Tampering("the log has a hold that goes on", breaks: [.noSeatLeftHeld, .readModelEqualsLog]) {
      pool, performance in
      let show = performance.plan.shows[0].id
      let held = Booking.SeatsHeld(
        holdID: HoldID(unchecked: "hamlet:x"), buyer: BuyerID(unchecked: "x"),
        seats: [SeatID(unchecked: "A-1")],
        total: Money(1, .eur), heldAt: performance.simulatedEnd,
        expiresAt: performance.simulatedEnd + .seconds(600))
      try await EventStore(pool: pool).append(
        to: .show(show), expecting: .streamExists, [NewEvent(Booking.Event.seatsHeld(held))])
    },
    Tampering("the log has one hold twice", breaks: [.repeatsAnsweredAlike, .readModelEqualsLog]) {
      pool, performance in
      let show = performance.plan.shows[0].id
      let store = EventStore(pool: pool)
      let held = try #require(try await store.read(.show(show)).last { $0.type == "hold-expired" })
      try await store.append(
        to: .show(show), expecting: .streamExists,
        [
          NewEvent(type: "seats-held", data: try await Self.heldPayload(of: held, in: store)),
          NewEvent(type: "hold-expired", data: held.data),
        ])
    },
  ]

  private static func heldPayload(of expired: RecordedEvent, in store: EventStore) async throws -> [UInt8] {
    let rows = try await store.pool.query(
      """
      select h.position
      from aisle.events h
      join aisle.events x on x.data ->> 'hold_id' = h.data ->> 'hold_id'
      where h.type = 'seats-held' and x.id = \(expired.id)
      """)
    let position = Position(try #require(rows.first).decode(Int64.self))
    return try #require(try await store.read(at: [position]).first).data
  }

  private static let tables = [
    Tampering(
      "a hold is listed with a seat that somebody else has",
      "update aisle.holds set seats = array['A-1'] where hold_id = (select max(hold_id) from aisle.holds where buyer like 'latecomers%' and status = 'confirmed')",
      breaks: [.noSeatBookedTwice, .readModelEqualsLog, .acknowledgedIsInTheLog]),
    Tampering(
      "a sold seat is listed as free", "delete from aisle.taken_seats where seat = 'A-1'",
      breaks: [.allSeatsSold, .everyBookedSeatHasOneConfirmedOrder, .readModelEqualsLog]),
    Tampering(
      "a hold is listed with one seat more",
      "update aisle.holds set seats = seats || array['Z-1'] where buyer like 'couple%'",
      breaks: [.seatsSold, .readModelEqualsLog, .acknowledgedIsInTheLog]),
    Tampering(
      "a seat is listed as held",
      "insert into aisle.taken_seats (tenant, show_id, seat, state, hold_id) values (1, 'hamlet', 'A-7', 'held', 'x')",
      breaks: [.noSeatLeftHeld, .readModelEqualsLog]),
    Tampering(
      "an order is listed as placed after its hold's end",
      "update aisle.orders set placed_at = placed_at + interval '1 year' where buyer like 'couple%'",
      breaks: [.expiredHoldsSoldNothing, .latePayersRefused]),
    Tampering(
      "a seat is listed under another hold", "update aisle.taken_seats set hold_id = 'x' where seat = 'A-1'",
      breaks: [.everyBookedSeatHasOneConfirmedOrder, .readModelEqualsLog]),
    Tampering(
      "an order is listed as cancelled",
      "update aisle.orders set status = 'cancelled', version = 2 where buyer like 'couple%'",
      breaks: [
        .winners, .everyBookedSeatHasOneConfirmedOrder, .everyConfirmedOrderIsBilledOnce, .readModelEqualsLog,
      ]),
    Tampering(
      "a show is listed at another version", "update aisle.shows set version = version - 1",
      breaks: [.readModelEqualsLog]),
    Tampering(
      "a refused buyer is billed",
      """
      insert into aisle.billing_lines (
        tenant, account_id, month, currency, position, line_no, kind, order_id, show_id, seat, amount, tax, occurred_at)
      select tenant, account_id, '2026-06', 'EUR', position, 1, 'charge', order_id, show_id, 'A-5', 5000, 327, placed_at
      from aisle.orders
      where status = 'failed'
      """, breaks: [.everyOtherBuyerRefusedCleanly, .everyConfirmedOrderIsBilledOnce, .billsEqualBatch]),
    Tampering(
      "a line is missing from a bill",
      "delete from aisle.billing_lines where order_id like '%couple%' and line_no = 1",
      breaks: [.everyConfirmedOrderIsBilledOnce, .billsEqualBatch]),
    Tampering(
      "a bill's digest is another",
      "update aisle.billing_months set digest = '\\x00' where account_id = 'returner'",
      breaks: [.billsEqualBatch]),
    Tampering(
      "a bill charges a cent more",
      "update aisle.billing_months set gross = gross + 1 where account_id = 'returner'",
      breaks: [.chargeInMonth, .billsEqualBatch]),
    Tampering(
      "a bill refunds a cent less",
      "update aisle.billing_months set refunds = refunds - 1 where account_id = 'returner'",
      breaks: [.refundInMonth, .billsEqualBatch]),
  ]

  private static let answers = [
    Tampering("somebody was told that they won", breaks: [.winners]) { _, performance in
      performance.change {
        $0.outcome == .refused && $0.group == "latecomers"
      } to: {
        $0.outcome = .won
      }
    },
    Tampering(
      "somebody was told nothing but an error", breaks: [.noUnexpectedErrors, .everyOtherBuyerRefusedCleanly]
    ) {
      _, performance in
      performance.change {
        $0.outcome == .refused
      } to: {
        $0.outcome = .error
      }
    },
    Tampering("somebody was refused without a reason", breaks: [.everyOtherBuyerRefusedCleanly]) {
      _, performance in
      performance.change {
        $0.outcome == .refused
      } to: {
        $0.reason = nil
      }
    },
    Tampering("a repeat was answered otherwise", breaks: [.repeatsAnsweredAlike]) { _, performance in
      let index = try #require(performance.exchanges.firstIndex { $0.answers.count > 1 })
      performance.exchanges[index].answers[1] = .refused("seats-unavailable")
    },
    Tampering("a late payer was told something else", breaks: [.latePayersRefused]) { _, performance in
      let index = try #require(performance.exchanges.firstIndex { $0.answer.reason == "hold-expired" })
      performance.exchanges[index].answers = [.refused("no-idea")]
    },
    Tampering("a copy of a request met an error", breaks: [.repeatsAnsweredAlike, .noUnexpectedErrors]) {
      _, performance in
      let index = try #require(performance.exchanges.firstIndex { $0.answers.count > 1 })
      performance.exchanges[index].answers[1] = .error("timeout")
    },
    Tampering("an order was acknowledged that is nowhere", breaks: [.acknowledgedIsInTheLog]) {
      _, performance in
      performance.exchanges.append(
        .init(
          buyer: 0,
          request: .order(
            OrderID(unchecked: "nowhere"), hold: HoldID(unchecked: "hamlet:nowhere"),
            show: ShowID(unchecked: "hamlet"), account: AccountID(unchecked: "walk-ins")),
          simulatedAt: performance.simulatedEnd, answers: [.done(position: 1)], headBefore: 0, headAfter: nil,
          startMicroseconds: 0, endMicroseconds: 0))
    },
    Tampering("somebody was told that a seat was taken before anybody had it", breaks: [.seatsLinearizable]) {
      _, performance in
      performance.exchanges.append(
        .init(
          buyer: 0,
          request: .hold(
            HoldID(unchecked: "hamlet:early"), show: ShowID(unchecked: "hamlet"),
            buyer: BuyerID(unchecked: "early"), wish: .named([SeatID(unchecked: "A-1")])),
          simulatedAt: performance.plan.scenario.clock.startsAt,
          answers: [.refused("seats-unavailable", seats: [SeatID(unchecked: "A-1")])],
          headBefore: 0, headAfter: .max, startMicroseconds: -2, endMicroseconds: -1))
    },
    Tampering("somebody was refused while seats were free", breaks: [.noRefusalWhileSeatsFree]) {
      _, performance in
      let index = try #require(performance.exchanges.firstIndex { $0.answer.reason == "no-adjacent-seats" })
      performance.exchanges[index].headBefore = performance.startPosition.rawValue
      performance.exchanges[index].headAfter = performance.startPosition.rawValue
    },
    Tampering("somebody got fewer seats than they asked for", breaks: [.seatsAreAsWished]) { _, performance in
      let index = try #require(
        performance.exchanges.firstIndex { performance.plan.buyers[$0.buyer].group == "pairs" })
      guard case .hold(let hold, let show, let buyer, _) = performance.exchanges[index].request else {
        throw ScenarioRunError("the first request of a pair is for seats")
      }
      performance.exchanges[index] = .init(
        buyer: performance.exchanges[index].buyer,
        request: .hold(hold, show: show, buyer: buyer, wish: .best(3, section: nil)),
        simulatedAt: performance.exchanges[index].simulatedAt, answers: performance.exchanges[index].answers,
        headBefore: 0, headAfter: nil, startMicroseconds: performance.exchanges[index].startMicroseconds,
        endMicroseconds: performance.exchanges[index].endMicroseconds)
    },
    Tampering("fewer seats were to be sold", breaks: [.seatsSold]) { _, performance in
      var scenario = performance.plan.scenario
      scenario.invariants = scenario.invariants.map {
        $0.name == .seatsSold ? Invariant(.seatsSold, .count(6)) : $0
      }
      performance.plan = ScenarioPlan(scenario)
    },
  ]
}

extension Performance {
  /// Changes the first attempt that fits.
  fileprivate mutating func change(_ fits: (Attempt) -> Bool, to change: (inout Attempt) -> Void) {
    var attempts = recording.attempts
    if let index = attempts.firstIndex(where: fits) { change(&attempts[index]) }
    recording = Recording(
      attempts: attempts, latencies: recording.latencies, elapsedMicroseconds: recording.elapsedMicroseconds)
  }
}

/// A run in which nearly everything happens that an invariant is about.
private enum Sample {
  static let yaml = """
    name: sample
    title: A bit of everything
    story: Somebody buys twice at once, somebody gives a seat back, somebody pays too late, and too many come later.
    seed: 1
    clock:
      starts_at: 2026-06-10T12:00:00+02:00
    accounts:
      - {id: walk-ins, name: Sales to the public, time_zone: Europe/Berlin}
      - {id: returner, name: Who gives back, time_zone: Europe/Berlin}
    shows:
      - id: hamlet
        title: Hamlet
        starts_at: 2026-07-01T19:30:00+02:00
        currency: EUR
        tax: 7%
        hold_ttl: 10m
        sections:
          - {id: stalls, price: 50.00, rows: {A: 6}}
      - id: lear
        title: King Lear
        starts_at: 2026-07-02T19:30:00+02:00
        currency: EUR
        tax: 7%
        hold_ttl: 10m
        orphans: forbidden
        sections:
          - {id: circle, price: 20.00, rows: {B: 4}}
    actors:
      - {name: pairs, kind: buyers, count: 2, show: lear, account: walk-ins, wants: best 2, at: +20m}
      - {name: couple, kind: buyers, count: 1, show: hamlet, account: walk-ins, wants: best 2, repeat_each_request: 2}
      - {name: returner, kind: buyers, count: 1, show: hamlet, account: returner, wants: A-6, cancels: after 5m}
      - {name: too-late, kind: buyers, count: 1, show: hamlet, account: walk-ins, wants: A-5, pays: after 10m}
      - {name: latecomers, kind: buyers, count: 8, show: hamlet, account: walk-ins, wants: best 1, at: +10m}
    invariants:
      - no-seat-booked-twice
      - all-seats-sold
      - seats-sold: 11
      - seats-are-as-wished
      - no-forbidden-orphans
      - no-seat-left-held
      - no-refusal-while-seats-free
      - seats-linearizable
      - expired-holds-sold-nothing
      - winners: 8
      - every-other-buyer-refused-cleanly
      - late-payers-refused
      - repeats-answered-alike
      - no-unexpected-errors
      - acknowledged-is-in-the-log
      - every-booked-seat-has-one-confirmed-order
      - every-confirmed-order-is-billed-once
      - bills-equal-batch
      - postings-balance
      - charge-in-month: {account: returner, month: 2026-06, amount: 50.00 EUR}
      - refund-in-month: {account: returner, month: 2026-06, amount: 50.00 EUR}
      - positions-gapless
      - stream-versions-contiguous
      - read-model-equals-log
    """

  private static let run = PlayedSample(yaml, file: "sample.yaml")

  /// Judges a copy of the run after something was changed in it.
  static func judge(
    _ tamper: (PostgresPool, inout Performance) async throws -> Void
  ) async throws -> [InvariantResult] {
    try await run.judge(tamper)
  }
}

import EventStore
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@testable import Scenarios

extension Runs {
  /// The same for what concerns the bank, the line, and those who look and are told.
  @Suite("judged from outside")
  struct JudgedOutside {
    @Test("holds if nothing was touched")
    func untouched() async throws {
      let results = try await OutsideTampering.sample.judge { _, _ in }
      #expect(ScenarioBench.broken(results) == [], ScenarioBench.why(results))
      let interleaved = try await OutsideTampering.interleavedSample.judge { _, _ in }
      #expect(ScenarioBench.broken(interleaved) == [], ScenarioBench.why(interleaved))
      #expect(Set((results + interleaved).map(\.name)) == OutsideTampering.judged)
    }

    @Test("breaks what was tampered with, and nothing else", arguments: OutsideTampering.all)
    func tampered(_ tampering: Tampering) async throws {
      let results = try await OutsideTampering.sample.judge(tampering.apply)
      #expect(ScenarioBench.broken(results) == tampering.breaks, ScenarioBench.why(results))
    }

    @Test("notices one interleaving that ended wrong", arguments: OutsideTampering.interleaved)
    func interleaved(_ tampering: Tampering) async throws {
      let results = try await OutsideTampering.interleavedSample.judge(tampering.apply)
      #expect(ScenarioBench.broken(results) == tampering.breaks, ScenarioBench.why(results))
    }
  }
}

enum OutsideTampering {
  static let judged: Set<InvariantName> = [
    .noMoneyWithoutASeat, .refundsAreComplete, .everyInterleavingEndsRight, .waitingListInOrder,
    .viewsEqualLogAtTheirVersion, .viewsNeverGoBack, .everyNotificationArrives,
  ]

  static let all = bank + refunds + line + views + messages

  private static let bank = [
    Tampering(
      "the log has given a cent less back",
      """
      update aisle.events
      set data = jsonb_set(data, '{amount,amount}', to_jsonb((data -> 'amount' ->> 'amount')::bigint - 1))
      where type = 'refund-settled'
      """, breaks: [.noMoneyWithoutASeat]),
    Tampering(
      "the bank's books do not have a refund", "delete from aisle.sandbox_refunds",
      breaks: [.noMoneyWithoutASeat]),
    Tampering(
      "the log has a paid order confirmed that was never paid",
      "update aisle.events set type = 'payment-declined' where type = 'payment-received'",
      breaks: [.noMoneyWithoutASeat]),
  ]

  private static let refunds = [
    Tampering(
      "the log gives back another sum than was quoted",
      """
      update aisle.events
      set data = jsonb_set(data, '{refund,amount}', '1')
      where type = 'order-seats-cancelled'
      """, breaks: [.refundsAreComplete]),
    Tampering(
      "somebody of a show that was called off gets less back",
      """
      update aisle.events
      set data = jsonb_set(data, '{refund,amount}', '1')
      where type = 'order-cancelled' and data ->> 'show_id' = 'matinee'
      """, breaks: [.refundsAreComplete]),
    Tampering(
      "an order is listed with another refund than its bill",
      "update aisle.orders set refund = refund + 1 where refund > 0", breaks: [.refundsAreComplete]),
    Tampering("a cent more was promised", breaks: [.refundsAreComplete]) { _, performance in
      let index = try #require(performance.exchanges.firstIndex { $0.answer.refund != nil })
      performance.exchanges[index].answers[0].refund? += 1
    },
  ]

  private static let line = [
    Tampering(
      "seats were sold past those who wait",
      "update aisle.events set data = data - 'waiting_id' where type = 'seats-held' and data ? 'waiting_id'",
      breaks: [.waitingListInOrder]),
    Tampering(
      "seats were offered to the second in line",
      """
      update aisle.events
      set data = data || jsonb_build_object('waiting_id', replace(data ->> 'waiting_id', 'line-1-1', 'line-2-1'))
      where type = 'seats-held' and data ->> 'waiting_id' like '%line-1-1'
      """, breaks: [.waitingListInOrder]),
    Tampering(
      "nobody was offered what came free",
      "delete from aisle.events where type = 'seats-held' and data ? 'waiting_id'",
      breaks: [.waitingListInOrder]),
    Tampering(
      "nobody ever waited",
      "delete from aisle.events where type in ('waiting-list-joined', 'seats-held') and data ? 'waiting_id'",
      breaks: [.waitingListInOrder]),
  ]

  private static let views = [
    Tampering("somebody was shown a seat as sold that was free", breaks: [.viewsEqualLogAtTheirVersion]) {
      _, performance in
      let index = try #require(performance.views.firstIndex { $0.isNew })
      performance.views[index] = performance.views[index].with(taken: [SeatID(unchecked: "B-6"): "booked"])
    },
    Tampering(
      "somebody was shown a house with the number of another version", breaks: [.viewsEqualLogAtTheirVersion]
    ) {
      _, performance in
      let views = performance.views.filter(\.isNew)
      let newest = try #require(views.max { $0.version < $1.version })
      let oldest = try #require(views.min { $0.version < $1.version })
      let index = try #require(performance.views.firstIndex { $0.isNew && $0.version == newest.version })
      performance.views[index] = performance.views[index].with(taken: oldest.taken)
    },
    Tampering("somebody was shown an older house than before", breaks: [.viewsNeverGoBack]) {
      _, performance in
      let oldest = try #require(performance.views.min { $0.version < $1.version })
      let end = try #require(performance.views.map(\.endMicroseconds).max())
      performance.views.append(oldest.with(start: end + 10))
    },
    Tampering("nobody looked", breaks: [.viewsEqualLogAtTheirVersion, .viewsNeverGoBack]) { _, performance in
      performance.views = []
    },
  ]

  private static let messages = [
    Tampering("something was never told", breaks: [.everyNotificationArrives]) { _, performance in
      let id = try #require(performance.messages?.first?.id)
      performance.messages?.removeAll { $0.id == id }
    },
    Tampering("something was told that is not in the log", breaks: [.everyNotificationArrives]) {
      _, performance in
      performance.messages?.append(
        .init(id: "x", type: "order-confirmed", order: "nowhere", isSigned: true, isAccepted: true))
    },
    Tampering("something was told without a signature", breaks: [.everyNotificationArrives]) {
      _, performance in
      let first = try #require(performance.messages?.first)
      performance.messages?[0] = .init(
        id: first.id, type: first.type, order: first.order, isSigned: false, isAccepted: first.isAccepted)
    },
    Tampering("something was told of another order", breaks: [.everyNotificationArrives]) { _, performance in
      let index = try #require(performance.messages?.firstIndex { $0.isAccepted })
      let message = try #require(performance.messages?[index])
      performance.messages?[index] = .init(
        id: message.id, type: message.type, order: "another", isSigned: true, isAccepted: true)
    },
    Tampering(
      "every delivery arrived at once, so nothing was put to the test", breaks: [.everyNotificationArrives]
    ) {
      _, performance in performance.messages?.removeAll { !$0.isAccepted }
    },
  ]

  static let interleaved = [
    Tampering("the bank has kept a cent", breaks: [.everyInterleavingEndsRight, .noMoneyWithoutASeat]) {
      _, performance in
      let order = try #require(performance.plan.buyers.first?.order)
      performance.bank?[order, default: 0] += 1
    },
    Tampering(
      "the log has a seat given away that was paid for",
      "delete from aisle.events where type = 'hold-confirmed'", breaks: [.everyInterleavingEndsRight]),
    Tampering("every one ended without the seat", breaks: [.everyInterleavingEndsRight]) { _, performance in
      // Of a scenario in which only those were played, nothing would be known about the others.
      var scenario = performance.plan.scenario
      scenario.actors[0].events = [.pay]
      performance.plan = ScenarioPlan(scenario)
    },
  ]

  static let sample = PlayedSample(
    """
    name: outside
    title: The bank, the line, and who looks on
    story: Two in a line, a payment that comes too late, a seat given back, a show called off, and somebody who is told.
    seed: 1
    clock:
      starts_at: 2026-06-10T12:00:00+02:00
      runs_until: +2h
    cancellation_fees: {0h: 10%}
    notifications: {fails_every: 2}
    accounts:
      - {id: walk-ins, name: Sales to the public, time_zone: Europe/Berlin}
    shows:
      - id: recital
        title: Sold out
        starts_at: 2026-07-01T19:30:00+02:00
        currency: EUR
        tax: 7%
        hold_ttl: 10m
        offers_last: 3h
        sections:
          - {id: stalls, price: 50.00, rows: {A: 4}}
      - id: opera
        title: On sale
        starts_at: 2026-07-01T19:30:00+02:00
        currency: EUR
        tax: 7%
        hold_ttl: 10m
        sections:
          - {id: stalls, price: 50.00, rows: {B: 6}}
      - id: matinee
        title: Called off
        starts_at: 2026-07-01T11:00:00+02:00
        called_off_at: +1h
        currency: EUR
        tax: 7%
        hold_ttl: 10m
        sections:
          - {id: stalls, price: 30.00, rows: {C: 4}}
    actors:
      - {name: keeper, kind: buyers, count: 1, show: recital, wants: [A-1, A-2]}
      - {name: returner, kind: buyers, count: 1, show: recital, wants: [A-3, A-4], cancels: after 1h}
      - {name: line-1, kind: waiters, count: 1, show: recital, at: +10m, wants: best 2, looks_at: +61m}
      - {name: line-2, kind: waiters, count: 1, show: recital, at: +11m, wants: best 2, looks_at: +61m}
      - {name: payer, kind: buyers, count: 1, show: opera, wants: B-1, card: approve}
      - {name: late, kind: buyers, count: 1, show: opera, wants: B-2, card: late}
      - {name: changer, kind: buyers, count: 1, show: opera, wants: [B-3, B-4], cancels: after 30m, gives_back: 1 seat}
      - {name: audience, kind: buyers, count: 2, show: matinee, wants: best 1}
      - {name: watcher, kind: pollers, count: 2, show: opera, think_time: 1ms}
    invariants:
      - no-money-without-a-seat
      - refunds-are-complete
      - waiting-list-in-order
      - views-equal-log-at-their-version
      - views-never-go-back
      - every-notification-arrives
    """, file: "outside.yaml")

  static let interleavedSample = PlayedSample(
    """
    name: interleaved
    title: A few orders of events
    story: The hold's end and a payment, in each order.
    seed: 1
    clock:
      starts_at: 2026-06-10T12:00:00+02:00
      runs_until: +2h
    accounts:
      - {id: walk-ins, name: Sales to the public, time_zone: Europe/Berlin}
    shows:
      - id: box
        title: One seat
        starts_at: 2026-07-01T19:30:00+02:00
        currency: EUR
        tax: 7%
        hold_ttl: 10m
        sections:
          - {id: stalls, price: 50.00, rows: {A: 1}}
    actors:
      - {name: order, kind: interleavings, events: [expire, pay, restart]}
    invariants:
      - every-interleaving-ends-right
      - no-money-without-a-seat
    """, file: "interleaved.yaml")
}

extension SeatView {
  fileprivate func with(taken: [SeatID: String]? = nil, start: Int64? = nil) -> SeatView {
    SeatView(
      who: who, show: show, simulatedAt: simulatedAt, startMicroseconds: start ?? startMicroseconds,
      endMicroseconds: start.map { $0 + 1 } ?? endMicroseconds, isNew: isNew, version: version, tag: tag,
      taken: taken ?? self.taken)
  }
}

import Booking
import EventStore
import Foundation
import Ordering
import PostgreSQL
import Services
import Vocabulary

extension Visit {
  /// Everything that happens around one payment, in the order of ``PlannedBuyer/interleaving``. Each has a show, a clock and
  /// processes of its own, so that none disturbs another.
  func interleave() async -> End? {
    guard let bank = run.outside.ledger, case .named(let seats) = buyer.wish else { return nil }
    let start = ContinuousClock.now
    let outcome: (Attempt.Outcome, BuyerAnswer)
    do {
      let play = Interleaving(
        buyer: buyer, seats: seats, total: total(of: seats), bank: bank, pool: run.aisle.store.pool,
        start: instant, isNaive: run.plan.strategy == .refundsForgotten)
      try await play.run()
      outcome = (.done, .done(position: 0))
    } catch {
      outcome = (.error, BuyerAnswer(error))
    }
    run.recorder.measure(.interleaving, start.duration(to: .now), lane: buyer.index)
    return End(outcome: outcome.0, answer: outcome.1, endMicroseconds: run.recorder.elapsedMicroseconds)
  }

  private func total(of seats: [SeatID]) -> Money {
    let show = run.plan.shows.first { $0.id == buyer.show }
    let price = show?.sections.first?.price ?? 0
    return Money(price * Int64(seats.count), show?.currency ?? .eur)
  }
}

/// One order of events around one payment.
private struct Interleaving {
  let buyer: PlannedBuyer
  let seats: [SeatID]
  let total: Money
  let bank: HandBank
  let clock: SteeredClock
  let isNaive: Bool
  private let makeProcess: @Sendable () -> Aisle

  init(
    buyer: PlannedBuyer, seats: [SeatID], total: Money, bank: HandBank, pool: PostgresPool, start: Timestamp,
    isNaive: Bool
  ) {
    self.buyer = buyer
    self.seats = seats
    self.total = total
    self.bank = bank
    self.isNaive = isNaive
    let clock = SteeredClock(start)
    self.clock = clock
    makeProcess = { Aisle(pool: pool, time: clock.source, payments: bank.connection) }
  }

  /// As the services call it.
  private var payment: PaymentID {
    PaymentID(unchecked: UUID.derived(from: "payment", buyer.order.rawValue).uuidString.lowercased())
  }

  func run() async throws {
    var process = makeProcess()
    _ = try await process.booking.hold(buyer.hold, show: buyer.show, buyer: buyer.id, seats: .named(seats))
    _ = try await process.ordering.place(
      buyer.order, hold: buyer.hold, account: buyer.account, paymentMethod: "\(bank.name):by-hand")
    for (number, event) in buyer.interleaving.enumerated() {
      switch event {
      case .expire:
        clock.advance(by: .seconds(601))
        let booking = process.booking
        try await ignoringRefusals { () async throws(ServiceError) in _ = try await booking.expire(buyer.hold)
        }
      case .pay:
        bank.pay(payment)
        try await webhook(process)
      case .payAndDie:
        bank.pay(payment)
        // What the webhook stores first; nothing of what follows.
        _ = try await DeciderRepository<Ordering>(store: process.store).execute(
          .receivePayment(payment, total), on: .order(buyer.order),
          at: clock.source.now)
        process = makeProcess()
      case .other:
        try await otherBuyer(number, process)
      case .cancel:
        let ordering = process.ordering
        try await ignoringRefusals { () async throws(ServiceError) in
          _ = try await ordering.cancel(buyer.order)
        }
      case .restart:
        process = makeProcess()
        try await process.ordering.resume(buyer.order, RequestContext())
      }
    }
  }

  private func webhook(_ process: Aisle) async throws {
    if isNaive {
      return try await NaiveTill(aisle: process).received(
        payment, total, for: buyer.order, at: clock.source.now)
    }
    let notice = PaymentNotice(
      id: "paid-\(buyer.order)", type: .chargeSucceeded, created: clock.source.now,
      data: .init(orderID: buyer.order, paymentID: payment, amount: total))
    let body = Array(try JSONEncoder().encode(notice))
    _ = try await process.webhooks.receive(
      body, signature: WebhookSignature.sign(body, at: clock.source.now, with: bank.secret), from: bank.name,
      RequestContext())
  }

  private func otherBuyer(_ number: Int, _ process: Aisle) async throws {
    let hold = HoldID(unchecked: "\(buyer.hold).other-\(number)")
    try await ignoringRefusals { () async throws(ServiceError) in
      _ = try await process.booking.hold(
        hold, show: buyer.show, buyer: BuyerID(unchecked: "\(buyer.id)-other"), seats: .named(seats))
      _ = try await process.ordering.place(
        OrderID(unchecked: "\(buyer.order).other"), hold: hold, account: buyer.account,
        paymentMethod: "invoice")
    }
  }

  /// An answer that says no is an answer.
  private func ignoringRefusals(_ body: () async throws(ServiceError) -> Void) async throws {
    do throws(ServiceError) {
      try await body()
    } catch .bookingRejected, .orderRejected {
      return
    }
  }
}

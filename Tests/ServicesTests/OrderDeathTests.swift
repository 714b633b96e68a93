import Booking
import EventStore
import Ordering
import Services
import TestSupport
import Testing
import Vocabulary

/// The process dies after any append and after any call to the provider; the next one ends what it finds.
@Suite("An order whose process dies")
struct OrderDeathTests {
  enum Step: Sendable {
    case store(Ordering.Command)
    case charge
    case refund
    case bookSeats
    case freeSeats
    /// The buyer pays, at the bank.
    case pays
    case waits(seconds: Int)
  }

  struct Course: Sendable, CustomTestStringConvertible {
    let name: String
    let steps: [Step]
    /// What the order may come to.
    let ends: Set<String>
    var testDescription: String { name }
  }

  private static let order = OrderID(unchecked: "o-1")
  private static let total = Money(4500, .eur)
  private static let received = Step.store(.receivePayment(order.payment, total))
  private static let refundID = RefundID(unchecked: "\(order.payment).1")

  static let courses = [
    Course(
      name: "paid at once", steps: [.pays, .charge, received, .bookSeats, .store(.confirm)],
      ends: ["confirmed"]),
    Course(
      name: "paid when it is too late",
      steps: [
        .charge, .waits(seconds: 601), .pays, received, .store(.fail(reason: "hold-expired")), .refund,
        .store(.settleRefund(refundID)),
      ], ends: ["failed", "confirmed"]),
    Course(
      name: "declined", steps: [.charge, .store(.declinePayment(order.payment, reason: "card-declined"))],
      ends: ["failed"]),
    Course(
      name: "cancelled when it is confirmed",
      steps: [
        .pays, .charge, received, .bookSeats, .store(.confirm), .store(.cancel), .freeSeats, .refund,
        .store(.settleRefund(refundID)),
      ], ends: ["confirmed", "cancelled"]),
    Course(
      name: "cancelled while it is being paid",
      steps: [
        .charge, .store(.cancel), .freeSeats, .pays, received, .refund, .store(.settleRefund(refundID)),
      ],
      ends: ["failed", "cancelled"]),
  ]

  @Test("comes to an allowed end after each of its steps", arguments: courses)
  func dies(_ course: Course) async throws {
    for count in 0...course.steps.count {
      try await withTestDatabase(from: .migrated) { conninfo in
        try await withPool(servicesConfiguration(conninfo), size: 8) { pool in
          let bank = TestBank()
          let clock = SteeredClock(ServicesFixture.start)
          let dying = ServicesFixture(sharing: pool, clock: clock, payments: bank.connection)
          let show = try await dying.schedule(seats: 1)
          let hold = try await dying.hold(["A-1"], of: show, by: "ann")
          // Given what the dead process had done
          try await dying.store(.place(place(show, hold)), of: Self.order)
          for step in course.steps.prefix(count) { try await take(step, in: dying, hold, bank) }
          // When others come to know it: the subscriptions, the timers, the hours that pass
          let next = ServicesFixture(sharing: pool, clock: clock, payments: bank.connection)
          for _ in 1...4 {
            try await next.aisle.catchUp()
            try await next.aisle.process.tick()
            clock.advance(by: .seconds(1300))
          }
          // Then
          let outcome = try await next.aisle.outcome(
            of: Self.order, seat: SeatID(unchecked: "A-1"), in: show, at: bank)
          #expect(outcome.isRight(price: 4500), "after \(count) steps: \(outcome)")
          #expect(course.ends.union(["failed"]).contains(outcome.end), "after \(count) steps: \(outcome)")
          if count == course.steps.count { #expect(course.ends.contains(outcome.end), "\(outcome)") }
        }
      }
    }
  }

  private func place(_ show: ShowID, _ hold: HoldID) -> Ordering.Place {
    Ordering.Place(
      orderID: Self.order, showID: show, holdID: hold, accountID: AccountID(unchecked: "acc-1"),
      buyer: BuyerID(unchecked: "ann"), currency: .eur,
      lines: [.init(seat: SeatID(unchecked: "A-1"), amount: 4500, taxRateBasisPoints: 700)],
      paymentMethod: "bank:card", payment: .init(id: Self.order.payment, provider: "bank"))
  }

  private func take(_ step: Step, in process: ServicesFixture, _ hold: HoldID, _ bank: TestBank) async throws
  {
    switch step {
    case .store(let command): try await process.store(command, of: Self.order)
    case .charge:
      _ = try await bank.charge(
        ChargeRequest(id: Self.order.payment, order: Self.order, amount: Self.total, card: "card"))
    case .refund:
      _ = try await bank.refund(
        RefundRequest(id: Self.refundID, payment: Self.order.payment, order: Self.order, amount: Self.total))
    case .bookSeats: _ = try await process.aisle.booking.confirm(hold, for: Self.order)
    case .freeSeats:
      do throws(ServiceError) {
        _ = try await process.aisle.booking.cancelBooking(hold, for: Self.order)
      } catch .bookingRejected(.notConfirmed) {
        _ = try await process.aisle.booking.release(hold, reason: "order-cancelled")
      }
    case .pays: bank.pay(Self.order.payment)
    case .waits(let seconds): process.clock.advance(by: .seconds(seconds))
    }
  }
}

extension OrderOutcome {
  fileprivate var end: String {
    switch state {
    case .none: "none"
    case .placed: "placed"
    case .confirmed: "confirmed"
    case .failed: "failed"
    case .cancelled: "cancelled"
    }
  }
}

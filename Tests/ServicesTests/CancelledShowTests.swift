import Booking
import EventStore
import Ordering
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("A show that is cancelled")
struct CancelledShowTests {
  @Test("refunds everybody, on the account and at the provider, also who is only about to pay")
  func everybody() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(servicesConfiguration(conninfo), size: 8) { pool in
        let bank = TestBank()
        let clock = SteeredClock(ServicesFixture.start)
        let fixture = ServicesFixture(sharing: pool, clock: clock, payments: bank.connection)
        let show = try await fixture.schedule(seats: 40)
        // Given 20 orders on account, one paid through the bank, one that is being paid and one that was cancelled
        for number in 1...20 {
          _ = try await fixture.place(
            "o-\(number)", for: try await fixture.hold(["A-\(number)"], of: show, by: "b-\(number)"))
        }
        func order(_ id: String, seat: String) async throws -> OrderID {
          let order = OrderID(unchecked: id)
          _ = try await fixture.aisle.ordering.place(
            order, hold: try await fixture.hold([seat], of: show, by: id),
            account: AccountID(unchecked: "acc-1"), paymentMethod: "bank:card")
          return order
        }
        let paid = try await order("paid", seat: "A-30")
        bank.pay(paid.payment)
        try await fixture.aisle.succeeded(paid, Money(4500, .eur), notice: "n-1", from: bank)
        let pending = try await order("pending", seat: "A-31")
        _ = try await fixture.aisle.ordering.cancel(OrderID(unchecked: "o-20"))
        // When
        try await fixture.aisle.booking.cancelShow(show, reason: "the lead is ill")
        try await fixture.aisle.catchUp()
        bank.pay(pending.payment)
        try await fixture.aisle.succeeded(pending, Money(4500, .eur), notice: "n-2", from: bank)
        try await fixture.aisle.catchUp()
        // Then
        for number in 1...20 {
          let receipt = try await fixture.aisle.ordering.order(OrderID(unchecked: "o-\(number)"))
          #expect(receipt.state == .cancelled(receipt.order, refunded: true))
        }
        for order in [paid, pending] {
          let outcome = try await fixture.aisle.outcome(
            of: order, seat: SeatID(unchecked: order == paid ? "A-30" : "A-31"), in: show, at: bank)
          #expect(outcome.isRight(price: 4500) && !outcome.isConfirmed, "\(outcome)")
        }
        let bill = try #require(
          try await fixture.aisle.billing.bill(AccountID(unchecked: "acc-1"), .named("2026-11")).first)
        #expect(bill.due.minorUnits == 0 && bill.refunds.minorUnits == 21 * 4500)
      }
    }
  }

  @Test("refunds once, however often its subscription is repeated")
  func repeated() async throws {
    try await ServicesFixture.with { fixture in
      let show = try await fixture.schedule(seats: 2)
      let order = try await fixture.place("o-1", for: try await fixture.hold(["A-1"], of: show, by: "ann"))
      try await fixture.aisle.booking.cancelShow(show, reason: "fire")
      let subscription = try #require(
        fixture.aisle.subscriptions(of: [.ordering]).first { $0.name == "cancelled-shows" })
      let runner = SubscriptionRunner(subscription, of: fixture.aisle.store)
      for _ in 1...3 {
        try await runner.catchUp()
        try await runner.repeatEffects()
      }
      #expect(
        try await fixture.types(of: .order(order.order.orderID))
          == ["order-placed", "order-confirmed", "order-cancelled"])
    }
  }
}

import EventStore
import Ordering
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("A refund that the provider refuses")
struct RefusedRefundTests {
  @Test("is parked with its order, holds no other refund up, and is settled when it is retried")
  func parked() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(servicesConfiguration(conninfo), size: 8) { pool in
        let bank = TestBank()
        let clock = SteeredClock(ServicesFixture.start)
        let fixture = ServicesFixture(sharing: pool, clock: clock, payments: bank.connection)
        let show = try await fixture.schedule(seats: 2)
        let orders = [OrderID(unchecked: "o-1"), OrderID(unchecked: "o-2")]
        // Given two paid orders, the refund of the first one refused, both stored as cancelled by a process that died
        for (index, order) in orders.enumerated() {
          bank.pay(order.payment)
          let hold = try await fixture.hold(["A-\(index + 1)"], of: show, by: "b-\(index)")
          _ = try await fixture.aisle.ordering.place(
            order, hold: hold, account: AccountID(unchecked: "acc-1"), paymentMethod: "bank:card")
        }
        bank.refuseRefunds(of: orders[0].payment, true)
        for order in orders { try await fixture.store(.cancel, of: order) }
        // When the subscriptions run
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { await fixture.aisle.run([.ordering]) }
          defer { group.cancelAll() }
          _ = try await eventually("the first refund is parked, the second one settled", within: .seconds(60))
          {
            (
              parked: try await fixture.aisle.store.parkedEvents(of: "payments").map(\.stream),
              kept: bank.kept(of: orders[1].payment)
            )
          } until: {
            $0.parked.contains("order-o-1") && !$0.parked.contains("order-o-2") && $0.kept == 0
          }
        }
        // Then an operator settles it
        bank.refuseRefunds(of: orders[0].payment, false)
        let subscription = try #require(
          fixture.aisle.subscriptions(of: [.ordering]).first { $0.name == "payments" })
        let report = try await SubscriptionRunner(subscription, of: fixture.aisle.store).retryParked(
          stream: nil)
        #expect(report.failures.isEmpty)
        #expect(bank.kept(of: orders[0].payment) == 0)
      }
    }
  }
}

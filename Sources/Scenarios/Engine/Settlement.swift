import Services
import Vocabulary

/// Lets everything come to rest when the buyers have gone: timers go off, orders that a crash left in the middle are
/// finished, every derived table reaches the log's end.
struct Settlement {
  /// Longer than the order process waits before it takes up an order that somebody else may still be busy with.
  private static let patience: Duration = .seconds(6)
  private static let maximumRounds = 1_000

  let aisle: Aisle
  let clock: SteeredClock
  /// Whether the timers of the services run in this strategy.
  let isTimed: Bool

  func run() async throws {
    try await aisle.catchUp()
    guard isTimed else { return }
    if try await !aisle.readModels.unfinishedOrders(before: .distantFuture, limit: 1).isEmpty {
      clock.advance(by: Self.patience)
    }
    for _ in 1...Self.maximumRounds {
      let now = clock.source.now
      let orders = try await aisle.readModels.unfinishedOrders(before: now, limit: 1)
      let holds = try await aisle.readModels.overdueHolds(at: now, limit: 1)
      if orders.isEmpty, holds.isEmpty { return }
      try await aisle.process.tick()
      try await aisle.catchUp()
    }
    throw ScenarioRunError("orders or holds are still unfinished after \(Self.maximumRounds) rounds of the timers")
  }
}

extension Timestamp {
  fileprivate static let distantFuture = Timestamp(microseconds: 253_402_300_799_000_000)
}

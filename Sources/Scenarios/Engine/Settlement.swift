import Services
import Vocabulary

/// Lets everything come to rest when the buyers have gone: timers go off, what the bank and the services have to tell is
/// told, payments that nobody speaks of any more time out, orders that a crash left in the middle are finished, every
/// derived table reaches the log's end.
struct Settlement {
  /// Longer than the order process waits before it takes up an order that somebody else may still be busy with.
  private static let patience: Duration = .seconds(6)
  private static let maximumRounds = 1_000

  let aisle: Aisle
  let clock: SteeredClock
  let outside: Outside
  /// Whether the timers of the services run in this strategy.
  let isTimed: Bool

  func run() async throws {
    outside.ledger?.close()
    try await aisle.catchUp()
    try await tell()
    guard isTimed else { return }
    if try await !aisle.readModels.unfinishedOrders(before: .distantFuture, limit: 1).isEmpty {
      clock.advance(by: Self.patience)
    }
    for _ in 1...Self.maximumRounds {
      let now = clock.source.now
      let orders = try await aisle.readModels.unfinishedOrders(before: now, limit: 1)
      let holds = try await aisle.readModels.overdueHolds(at: now, limit: 1)
      let unpaid = try await aisle.readModels.unpaidOrders(before: now + .seconds(86_400), limit: 1)
      if orders.isEmpty, holds.isEmpty, unpaid.isEmpty { return try await tell() }
      // Who pays by a bank that says nothing is asked about at most once a minute.
      if !unpaid.isEmpty { clock.advance(by: .seconds(61)) }
      try await aisle.process.tick()
      try await aisle.catchUp()
      try await tell()
    }
    throw ScenarioRunError(
      "orders, payments or holds are still unfinished after \(Self.maximumRounds) rounds of the timers")
  }

  /// Until nothing waits for another try, whose pauses double from a second on.
  private func tell() async throws {
    var pause = 1
    for _ in 1...Self.maximumRounds {
      if try await outside.deliver(for: aisle) { try await aisle.catchUp() }
      guard try await outside.isOwing(aisle) else { return }
      clock.advance(by: .seconds(pause))
      pause = min(pause * 2, 3_600)
    }
    throw ScenarioRunError("webhooks are still not acknowledged after \(Self.maximumRounds) rounds")
  }
}

extension Timestamp {
  fileprivate static let distantFuture = Timestamp(microseconds: 253_402_300_799_000_000)
}

import EventStore
import PostgreSQL
import TestSupport

/// A projection that tests look at: a row for each time that an event takes effect, numbered in that order.
extension EventStore {
  func makeEffects() async throws {
    try await pool.execute("create table effects (number bigserial, position bigint not null)")
  }

  /// The positions of the events that took effect, in that order, as often as they did.
  func effects() async throws -> [Int64] {
    try await pool.query("select position from effects order by number").map { try $0.decode(Int64.self) }
  }

  /// Waits until so many have taken effect.
  @discardableResult
  func effects(_ count: Int) async throws -> [Int64] {
    try await eventually("\(count) events took effect", within: patience) {
      try await effects()
    } until: {
      $0.count >= count
    }
  }

  func status(of subscription: String) async throws -> SubscriptionStatus? {
    try await subscriptions().first { $0.name == subscription }
  }
}

extension PostgresConnection {
  nonisolated func takeEffect(_ events: [RecordedEvent]) async throws {
    for event in events {
      try await execute("insert into effects (position) values (\(event.position.rawValue))")
    }
  }
}

/// Runs `body` while runners with a watcher of their own follow the log; afterwards they are cancelled, and have ended
/// when this returns.
func whileRunning(
  _ subscription: Subscription, on stores: [EventStore], pollInterval: Duration = .seconds(1),
  _ body: () async throws -> Void
) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for store in stores {
      let watcher = LogWatcher(of: store, pollInterval: pollInterval)
      group.addTask { await watcher.run() }
      group.addTask { await SubscriptionRunner(subscription, of: store).run(waking: watcher) }
    }
    defer { group.cancelAll() }
    try await body()
  }
}

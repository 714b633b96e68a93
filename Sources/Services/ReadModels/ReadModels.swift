import EventStore
import Vocabulary

/// What can be listed and looked at: shows, seats, holds, orders. Derived from the log, behind it by
/// milliseconds, and never asked for a decision.
public final class ReadModels: Sendable {
  let store: EventStore

  public init(store: EventStore) { self.store = store }

  /// The subscriptions that fill the tables.
  public var subscriptions: [Subscription] { [shows, orders] }

  /// Waits until everything up to a position can be seen.
  public func wait(for position: Position, timeout: Duration = .seconds(10)) async throws {
    for subscription in subscriptions {
      try await store.wait(for: subscription.name, toReach: position, timeout: timeout)
    }
  }
}

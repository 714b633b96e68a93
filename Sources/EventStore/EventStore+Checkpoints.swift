import PostgreSQL

/// A projection did not reach a position in time.
public struct ProjectionBehind: Error, Sendable, CustomStringConvertible {
  public let status: SubscriptionStatus
  public let wanted: Position

  public var description: String {
    "subscription \(status.name) is at position \(status.position), not at \(wanted): "
      + (status.lastError.map { "its last try failed with: \($0)" }
        ?? "it is still catching up, or nobody runs it")
  }
}

extension EventStore {
  /// How far each subscription is, by name.
  public func subscriptions() async throws -> [SubscriptionStatus] {
    let rows = try await pool.query(
      """
      select c.subscription, c.position, c.events, h.position - c.position, c.last_error
      from aisle.checkpoints c
      join aisle.log_head h on h.tenant = c.tenant
      where c.tenant = \(tenant.rawValue)
      order by c.subscription
      """)
    return try rows.map { row in
      let (name, position, events, lag, error) = try row.decode(
        String.self, Int64.self, Int64.self, Int64.self, String?.self)
      return SubscriptionStatus(
        name: name, position: Position(position), events: events, lag: lag, lastError: error)
    }
  }

  /// Position up to which a subscription's tables are complete.
  public func checkpoint(of subscription: String) async throws -> Position {
    try await status(of: subscription).position
  }

  /// Waits until a subscription has reached a position; fails loudly, with the projection's own error.
  public func wait(
    for subscription: String, toReach position: Position, timeout: Duration = .seconds(10)
  ) async throws {
    let deadline = ContinuousClock.now + timeout
    var pause = Duration.milliseconds(2)
    while true {
      let status = try await status(of: subscription)
      if status.position >= position { return }
      guard ContinuousClock.now < deadline else { throw ProjectionBehind(status: status, wanted: position) }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(50))
    }
  }

  private func status(of subscription: String) async throws -> SubscriptionStatus {
    try await subscriptions().first { $0.name == subscription }
      ?? SubscriptionStatus(name: subscription, position: .start, events: 0, lag: 0, lastError: nil)
  }
}

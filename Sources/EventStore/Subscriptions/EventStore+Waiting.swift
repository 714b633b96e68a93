import PostgreSQL

/// A projection did not reach a position in time.
public struct ProjectionBehind: Error, Sendable, CustomStringConvertible {
  public let subscription: String
  public let position: Position
  public let wanted: Position
  public let lastError: String?

  public var description: String {
    "subscription \(subscription) is at position \(position), not at \(wanted): "
      + (lastError.map { "its last try failed with: \($0)" }
        ?? "it is still catching up, or nobody runs it")
  }
}

/// A projection will not show a position before somebody has done something about an event.
public struct ProjectionHeldUp: Error, Sendable, CustomStringConvertible {
  public let subscription: String
  public let wanted: Position
  /// The event is passed, and its stream parked behind it; or nothing is passed.
  public let isParked: Bool
  /// The projection's own error.
  public let error: String

  public var description: String {
    isParked
      ? "position \(wanted) is parked in subscription \(subscription), which failed with: \(error)"
      : "subscription \(subscription) has stopped before position \(wanted), because of an event that it cannot "
        + "handle: \(error)"
  }
}

extension EventStore {
  /// Position up to which a subscription's tables are complete.
  public func checkpoint(of subscription: String) async throws -> Position {
    try await standing(of: subscription, at: nil).position
  }

  /// Waits until every partition of a subscription has reached a position. Fails at once, with the projection's own
  /// error, if it is held up by an event that it cannot handle or has that very position in a queue.
  public func wait(
    for subscription: String, toReach position: Position, timeout: Duration = .seconds(10)
  ) async throws {
    let deadline = ContinuousClock.now + timeout
    var pause = Duration.milliseconds(2)
    while true {
      let now = try await standing(of: subscription, at: position)
      if let error = now.parkedError {
        throw ProjectionHeldUp(subscription: subscription, wanted: position, isParked: true, error: error)
      }
      if now.position >= position { return }
      if now.isStopped {
        throw ProjectionHeldUp(
          subscription: subscription, wanted: position, isParked: false, error: now.lastError ?? "unknown")
      }
      guard ContinuousClock.now < deadline else {
        throw ProjectionBehind(
          subscription: subscription, position: now.position, wanted: position, lastError: now.lastError)
      }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(50))
    }
  }

  private struct Standing {
    var position = Position.start
    var isStopped = false
    var lastError: String?
    var parkedError: String?
  }

  private func standing(of subscription: String, at wanted: Position?) async throws -> Standing {
    let rows = try await pool.query(
      """
      select min(c.position), coalesce(bool_or(c.stopped and c.position < \(wanted?.rawValue ?? 0)), false),
             coalesce(max(c.last_error) filter (where c.stopped), max(c.last_error)),
             (select s.error
              from aisle.parked_events e
              join aisle.parked_streams s
                on s.tenant = e.tenant and s.subscription = e.subscription and s.stream = e.stream
              where e.tenant = \(tenant.rawValue) and e.subscription = \(subscription)
                and e.position = \(wanted?.rawValue ?? 0) and e.skipped_at is null)
      from aisle.checkpoints c
      where c.tenant = \(tenant.rawValue) and split_part(c.subscription, '/', 1) = \(subscription)
        and c.partitions > 0
      """)
    guard let row = rows.first, let position = try row.column(0, as: Int64?.self) else { return Standing() }
    return Standing(
      position: Position(position), isStopped: try row.column(1), lastError: try row.column(2),
      parkedError: try row.column(3))
  }

  /// Why the owner of a partition does not go on; nil if it does.
  func failure(of partition: Partition) async throws -> ProjectionHeldUp? {
    let rows = try await pool.query(
      """
      select last_error, position
      from aisle.checkpoints
      where tenant = \(tenant.rawValue) and subscription = \(partition.key) and last_error is not null
      """)
    guard let row = rows.first else { return nil }
    return ProjectionHeldUp(
      subscription: partition.subscription, wanted: Position(try row.column(1, as: Int64.self) + 1),
      isParked: false,
      error: try row.column(0))
  }
}

import Logging
import PostgreSQL

/// Runs a subscription: catches up, then follows the log live.
///
/// Any number of processes may run the same subscription. The checkpoint's row lock lets one batch at a time
/// through, and whoever gets it continues exactly where the last commit stopped.
public struct SubscriptionRunner: Sendable {
  public let store: EventStore
  public let subscription: Subscription
  private let logger: Logger

  public init(_ subscription: Subscription, of store: EventStore) {
    self.subscription = subscription
    self.store = store
    var logger = store.logger
    logger[metadataKey: "subscription"] = "\(subscription.name)"
    self.logger = logger
  }

  /// Runs until the task is cancelled. An error of the handler is recorded, logged, and tried again after a
  /// pause: events are never skipped.
  public func run(waking watcher: LogWatcher) async {
    var pause = Duration.milliseconds(50)
    while !Task.isCancelled {
      do {
        let progress = try await processBatch()
        pause = .milliseconds(50)
        if progress.isCaughtUp { await watcher.wait(beyond: progress.position) }
      } catch {
        // A handler may throw a CancellationError of its own; only our own ends the subscription.
        if Task.isCancelled { return }
        logger.error("a batch failed and will be tried again", metadata: ["error": "\(error)"])
        await record(error)
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, .seconds(5))
      }
    }
  }

  /// Processes everything up to the present end of the log, then returns; throws the handler's first error.
  @discardableResult
  public func catchUp() async throws -> Position {
    let head = try await store.head()
    while true {
      let progress = try await processBatch()
      if progress.position >= head { return progress.position }
    }
  }

  struct Progress: Sendable {
    let position: Position
    let isCaughtUp: Bool
  }

  func processBatch() async throws -> Progress {
    let tenant = store.tenant.rawValue
    let name = subscription.name
    return try await store.pool.transaction { connection in
      if !subscription.commitsDurably {
        try await connection.query("select set_config('synchronous_commit', 'off', true)")
      }
      let (checkpoint, hasFailed) = try await lockCheckpoint(on: connection)
      // Read before the events: every matching event up to here is then among those read.
      let head = try await store.head(on: connection)
      let events = try await store.readAll(
        after: checkpoint, categories: subscription.categories, types: subscription.types,
        limit: subscription.batchSize, on: connection)
      let isFull = events.count == subscription.batchSize
      let last = events.last?.position ?? checkpoint
      let reached = isFull ? last : max(last, head)
      guard reached > checkpoint else {
        if hasFailed { try await clearError(on: connection) }
        return Progress(position: checkpoint, isCaughtUp: true)
      }
      // The checkpoint first: a handler that appends takes the log's lock, and holds it until the commit.
      try await connection.execute(
        """
        update aisle.checkpoints
        set position = \(reached.rawValue), events = events + \(events.count), updated_at = clock_timestamp(),
            last_error = null
        where tenant = \(tenant) and subscription = \(name)
        """)
      if !events.isEmpty { try await subscription.handle(events, connection) }
      return Progress(position: reached, isCaughtUp: !isFull)
    }
  }

  private func lockCheckpoint(
    on connection: PostgresConnection
  ) async throws -> (position: Position, hasFailed: Bool) {
    let tenant = store.tenant.rawValue
    let name = subscription.name
    while true {
      let rows = try await connection.query(
        """
        select position, last_error is not null
        from aisle.checkpoints
        where tenant = \(tenant) and subscription = \(name)
        for update
        """)
      if let row = rows.first {
        let (position, hasFailed) = try row.decode(Int64.self, Bool.self)
        return (Position(position), hasFailed)
      }
      try await connection.execute(
        """
        insert into aisle.checkpoints (tenant, subscription) values (\(tenant), \(name))
        on conflict (tenant, subscription) do nothing
        """)
    }
  }

  /// The last try failed for a reason that is gone, such as a lost connection, and nothing new has come since.
  private func clearError(on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      update aisle.checkpoints
      set last_error = null
      where tenant = \(store.tenant.rawValue) and subscription = \(subscription.name)
      """)
  }

  /// The row may not exist yet: the first batch makes it in the transaction that has just failed.
  private func record(_ error: any Error) async {
    do {
      try await store.pool.execute(
        """
        insert into aisle.checkpoints as c (tenant, subscription, last_error)
        values (\(store.tenant.rawValue), \(subscription.name), \("\(error)"))
        on conflict (tenant, subscription) do update set last_error = excluded.last_error
        """)
    } catch {
      logger.warning("the error could not be recorded", metadata: ["error": "\(error)"])
    }
  }
}

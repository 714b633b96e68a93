import Logging
import PostgreSQL
import Vocabulary

/// One tenant's log: append with an expected version, read, export, subscribe.
///
/// Positions are 1, 2, 3 … without gaps; position order is commit order is stream order. The write path is the
/// SQL function `aisle.append_batch` in `migrations/0005_append.sql`.
public final class EventStore: Sendable {
  public let pool: PostgresPool
  public let tenant: TenantID
  let logger: Logger
  private let sequencer: AppendSequencer

  /// - Parameters:
  ///   - inline: projections that are written in the transaction of each append, so that whoever has the answer finds it
  ///     in their tables. One that cannot handle an event refuses the append.
  ///   - retryAppendsFor: how long an append whose connection was lost is tried again before it is answered as
  ///     `unknown`.
  public init(
    pool: PostgresPool, tenant: TenantID = .main, inline: [Subscription] = [],
    retryAppendsFor: Duration = .seconds(10),
    logger: Logger = Logger(label: "aisle.event-store")
  ) {
    self.pool = pool
    self.tenant = tenant
    self.logger = logger
    sequencer = AppendSequencer(
      pool: pool, tenant: tenant, limits: .init(), retryFor: retryAppendsFor,
      inline: inline.isEmpty
        ? nil : InlineProjections(inline, of: EventStore(pool: pool, tenant: tenant, logger: logger)),
      logger: logger)
  }

  // MARK: Append

  /// Appends to one stream.
  @discardableResult
  public func append(
    to stream: StreamName, expecting: ExpectedVersion, _ events: [NewEvent]
  ) async throws(AppendError) -> AppendOutcome {
    try await append([StreamAppend(stream, expecting: expecting, events)])
  }

  /// Appends to several streams at once, all or nothing. A part without events is a condition only; further
  /// conditions may concern the tags of events in any stream.
  @discardableResult
  public func append(
    _ streams: [StreamAppend], requiring conditions: [AppendCondition] = []
  ) async throws(AppendError) -> AppendOutcome {
    if Replay.isActive { throw .invalid(Replay.refusal) }
    return try await sequencer.append(AtomicAppend(parts: streams, conditions: conditions))
  }

  /// Of a caller that holds the log's lock.
  static let longestPauseBeforeCommit = "3s"

  /// Appends inside the caller's transaction, as its last step: from here to the commit the caller holds the
  /// log's lock, and every other writer waits.
  @discardableResult
  public func append(
    _ appends: [[StreamAppend]], inTransactionOf connection: PostgresConnection
  ) async throws -> [AppendOutcome] {
    guard !appends.isEmpty else { return [] }
    if Replay.isActive { throw AppendError.invalid(Replay.refusal) }
    let appends = appends.map { AtomicAppend(parts: $0) }
    for append in appends { try append.validate() }
    // A caller that stops between here and the commit (paused, or cut off from the network) must not keep every
    // writer of the log waiting: the server ends its session and undoes it.
    try await connection.query(
      "select set_config('idle_in_transaction_session_timeout', \(Self.longestPauseBeforeCommit), true)")
    let batch = AppendBatch(appends, tenant: tenant)
    return try batch.outcomes(try await connection.query(batch.sql)).map { try $0.get() }
  }
}

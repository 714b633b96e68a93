import Foundation
import PostgreSQL
import Vocabulary

/// `aisle.parked_streams` and `aisle.parked_events`, written in the transaction of the checkpoint.
struct DeadLetterTable: Sendable {
  let tenant: TenantID
  let subscription: String

  /// What a batch must leave out.
  struct Aside: Sendable {
    var parked: Set<String> = []
    /// Positions that an operator had skipped; they stay skipped when the log is read again.
    var skipped: Set<Int64> = []

    var isEmpty: Bool { parked.isEmpty && skipped.isEmpty }
  }

  func aside(after: Position, through: Position, on connection: PostgresConnection) async throws -> Aside {
    let rows = try await connection.query(
      """
      select stream, null::bigint
      from aisle.parked_streams
      where tenant = \(tenant.rawValue) and subscription = \(subscription)
      union all
      select null, position
      from aisle.parked_events
      where tenant = \(tenant.rawValue) and subscription = \(subscription)
        and position > \(after.rawValue) and position <= \(through.rawValue) and skipped_at is not null
      """)
    var aside = Aside()
    for row in rows {
      let (stream, position) = try row.decode(String?.self, Int64?.self)
      if let stream { aside.parked.insert(stream) }
      if let position { aside.skipped.insert(position) }
    }
    return aside
  }

  /// Puts events at the end of their streams' queues.
  func queue(_ events: [RecordedEvent], on connection: PostgresConnection) async throws {
    guard !events.isEmpty else { return }
    try await connection.execute(
      """
      insert into aisle.parked_events (tenant, subscription, position, stream, event_id, type)
      select \(tenant.rawValue), \(subscription), e.*
      from unnest(
        \(events.map(\.position.rawValue))::bigint[], \(events.map(\.stream.description))::text[],
        \(events.map(\.id))::uuid[], \(events.map(\.type))::text[]) e
      on conflict (tenant, subscription, position) do nothing
      """)
  }

  func countStreams(on connection: PostgresConnection) async throws -> Int {
    try await connection.query(
      """
      select count(*)
      from aisle.parked_streams
      where tenant = \(tenant.rawValue) and subscription = \(subscription)
      """
    ).first?.decode(Int.self) ?? 0
  }

  /// Parks the stream of an event that no try has taken.
  func park(
    _ event: RecordedEvent, error: String, attempts: Int, on connection: PostgresConnection
  ) async throws {
    try await connection.execute(
      """
      insert into aisle.parked_streams (tenant, subscription, stream, error, attempts)
      values (\(tenant.rawValue), \(subscription), \(event.stream.description), \(error), \(attempts))
      on conflict (tenant, subscription, stream) do nothing
      """)
    try await queue([event], on: connection)
  }

  // MARK: Queues

  func streams(on connection: PostgresConnection) async throws -> [String] {
    try await connection.query(
      """
      select stream
      from aisle.parked_streams
      where tenant = \(tenant.rawValue) and subscription = \(subscription)
      order by parked_at, stream
      """
    ).map { try $0.decode(String.self) }
  }

  func isParked(_ stream: String, on connection: PostgresConnection) async throws -> Bool {
    try await !connection.query(
      """
      select 1
      from aisle.parked_streams
      where tenant = \(tenant.rawValue) and subscription = \(subscription) and stream = \(stream)
      """
    ).isEmpty
  }

  /// The first events of a stream's queue, in order.
  func first(_ count: Int, of stream: String, on connection: PostgresConnection) async throws
    -> [RecordedEvent]
  {
    try await connection.query(
      """
      select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
             e.type, e.actor, e.traceparent, e.data, e.stream, e.tags
      from (
        select position
        from aisle.parked_events
        where tenant = \(tenant.rawValue) and subscription = \(subscription) and stream = \(stream)
          and skipped_at is null
        order by position
        limit \(count)
      ) p
      join aisle.events e on e.tenant = \(tenant.rawValue) and e.position = p.position
      order by e.position
      """
    ).map(RecordedEvent.init)
  }

  func firstPosition(of stream: String, on connection: PostgresConnection) async throws -> Position? {
    try await connection.query(
      """
      select min(position)
      from aisle.parked_events
      where tenant = \(tenant.rawValue) and subscription = \(subscription) and stream = \(stream)
        and skipped_at is null
      """
    ).first?.decode(Int64?.self).map(Position.init)
  }

  func remove(_ events: [RecordedEvent], on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      delete from aisle.parked_events
      where tenant = \(tenant.rawValue) and subscription = \(subscription)
        and position = any(\(events.map(\.position.rawValue)))
      """)
  }

  func skip(_ position: Position, by operatorName: String, on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      update aisle.parked_events
      set skipped_at = clock_timestamp(), skipped_by = \(operatorName)
      where tenant = \(tenant.rawValue) and subscription = \(subscription) and position = \(position.rawValue)
      """)
  }

  /// Lets a stream go on if nothing of it waits any more.
  func unparkIfEmpty(_ stream: String, on connection: PostgresConnection) async throws -> Bool {
    try await connection.execute(
      """
      delete from aisle.parked_streams s
      where s.tenant = \(tenant.rawValue) and s.subscription = \(subscription) and s.stream = \(stream)
        and not exists (
          select from aisle.parked_events e
          where e.tenant = \(tenant.rawValue) and e.subscription = \(subscription) and e.stream = \(stream)
            and e.skipped_at is null)
      """) == 1
  }

  func record(_ error: String, of stream: String, on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      update aisle.parked_streams
      set error = \(error), attempts = attempts + 1, retried_at = clock_timestamp()
      where tenant = \(tenant.rawValue) and subscription = \(subscription) and stream = \(stream)
      """)
  }

  // MARK: Rebuilding

  func clear(on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      delete from aisle.parked_events
      where tenant = \(tenant.rawValue) and subscription = \(subscription) and skipped_at is null
      """)
    try await connection.execute(
      "delete from aisle.parked_streams where tenant = \(tenant.rawValue) and subscription = \(subscription)")
  }

  /// Makes these the queues of another subscription, in place of its own.
  func replace(_ other: String, on connection: PostgresConnection) async throws {
    try await DeadLetterTable(tenant: tenant, subscription: other).clear(on: connection)
    try await connection.execute(
      """
      update aisle.parked_events
      set subscription = \(other)
      where tenant = \(tenant.rawValue) and subscription = \(subscription)
      """)
    try await connection.execute(
      """
      update aisle.parked_streams
      set subscription = \(other)
      where tenant = \(tenant.rawValue) and subscription = \(subscription)
      """)
  }

  // MARK: Claims, for handlers that run outside of a transaction

  func claim(_ stream: String, for claimant: UUID, on connection: PostgresConnection) async throws -> Bool {
    try await connection.execute(
      """
      update aisle.parked_streams
      set claimed_by = \(claimant), claimed_until = clock_timestamp() + interval '60 seconds'
      where tenant = \(tenant.rawValue) and subscription = \(subscription) and stream = \(stream)
        and (claimed_until is null or claimed_until <= clock_timestamp() or claimed_by = \(claimant))
      """) == 1
  }

  func releaseClaim(_ stream: String, of claimant: UUID, on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      update aisle.parked_streams
      set claimed_by = null, claimed_until = null
      where tenant = \(tenant.rawValue) and subscription = \(subscription) and stream = \(stream)
        and claimed_by = \(claimant)
      """)
  }

  func isClaimed(_ stream: String, on connection: PostgresConnection) async throws -> Bool {
    try await !connection.query(
      """
      select 1
      from aisle.parked_streams
      where tenant = \(tenant.rawValue) and subscription = \(subscription) and stream = \(stream)
        and claimed_until > clock_timestamp()
      """
    ).isEmpty
  }
}

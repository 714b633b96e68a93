import PostgreSQL
import Vocabulary

/// Reads a subscription's next batch: bounded by the number of events, by their bytes, and by a window of positions, so
/// that a filter that matches little cannot keep the database searching a long log in one statement.
struct EventScan: Sendable {
  struct Found: Sendable {
    let events: [RecordedEvent]
    /// Every matching event up to here is among ``events``.
    let through: Position
  }

  private let tenant: TenantID
  /// By the types that events may have been stored under.
  private let filter: SubscriptionFilter
  private let partition: Partition
  /// The positions of the partitions before their number was changed. An event that the partition it then belonged to
  /// has passed has taken effect.
  private let former: [Int64]

  init(_ filter: SubscriptionFilter, _ partition: Partition, former: [Int64] = [], of store: EventStore) {
    tenant = store.tenant
    self.filter = SubscriptionFilter(
      categories: filter.categories, types: store.upcasters.filter(filter.types).stored, tags: filter.tags)
    self.partition = partition
    self.former = former
  }

  /// Up to `limit` events in `after`…`through`, as they are stored.
  func read(
    after: Position, through: Position, limit: Int, bytes: Int, on connection: PostgresConnection
  ) async throws -> Found {
    let rows = try await connection.query(
      filter.tags.isEmpty
        ? filter.categories.isEmpty
          ? anyCategory(after, through, limit, bytes) : someCategories(after, through, limit, bytes)
        : tagged(after, through, limit, bytes))
    let events = try rows.map(RecordedEvent.init)
    // The last column tells whether rows were left out for their bytes.
    let isCut = try rows.first.map { try $0.column(RecordedEvent.columns, as: Bool.self) } ?? false
    let isFull = isCut || events.count == limit
    return Found(events: events, through: isFull ? events.last?.position ?? through : through)
  }

  // The stream's id is hashed, because ids are given out in turns and would fall into patterns.

  private func anyCategory(_ after: Position, _ through: Position, _ limit: Int, _ bytes: Int) -> SQL {
    """
    select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
           e.type, e.actor, e.traceparent, e.data, e.stream, e.tags, e.bytes_in_all > \(Int64(bytes))
    from (
      select i.*, sum(pg_column_size(i.data)) over (order by i.position) as bytes_so_far,
             sum(pg_column_size(i.data)) over () as bytes_in_all
      from (
        select *
        from aisle.events e
        where e.tenant = \(tenant.rawValue) and e.position > \(after.rawValue) and e.position <= \(through.rawValue)
          and (cardinality(\(filter.types)) = 0 or e.type = any(\(filter.types)))
          and (\(partition.count) = 1
            or mod(hashint8extended(e.stream_id, 0) & 9223372036854775807, \(Int64(partition.count)))
               = \(Int64(partition.index)))
          and (cardinality(\(former)) = 0
            or e.position > (\(former)::bigint[])[1 + mod(
                 hashint8extended(e.stream_id, 0) & 9223372036854775807, nullif(cardinality(\(former)), 0)::bigint)])
        order by e.position
        limit \(limit)
      ) i
    ) e
    where e.bytes_so_far - pg_column_size(e.data) < \(Int64(bytes))
    order by e.position
    """
  }

  private func tagged(_ after: Position, _ through: Position, _ limit: Int, _ bytes: Int) -> SQL {
    """
    select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
           e.type, e.actor, e.traceparent, e.data, e.stream, e.tags, e.bytes_in_all > \(Int64(bytes))
    from (
      select i.*, sum(pg_column_size(i.data)) over (order by i.position) as bytes_so_far,
             sum(pg_column_size(i.data)) over () as bytes_in_all
      from (
        select e.*
        from aisle.event_tags a
        join aisle.events e on e.tenant = a.tenant and e.position = a.position
        where a.tenant = \(tenant.rawValue) and a.tag = \(filter.tags.first ?? "")
          and a.position > \(after.rawValue) and a.position <= \(through.rawValue)
          and e.position > \(after.rawValue) and e.position <= \(through.rawValue)
          and e.tags @> \(filter.tags)
          and (cardinality(\(filter.categories)) = 0 or e.category = any(\(filter.categories)))
          and (cardinality(\(filter.types)) = 0 or e.type = any(\(filter.types)))
          and (\(partition.count) = 1
            or mod(hashint8extended(e.stream_id, 0) & 9223372036854775807, \(Int64(partition.count)))
               = \(Int64(partition.index)))
          and (cardinality(\(former)) = 0
            or e.position > (\(former)::bigint[])[1 + mod(
                 hashint8extended(e.stream_id, 0) & 9223372036854775807, nullif(cardinality(\(former)), 0)::bigint)])
        order by a.position
        limit \(limit)
      ) i
    ) e
    where e.bytes_so_far - pg_column_size(e.data) < \(Int64(bytes))
    order by e.position
    """
  }

  private func someCategories(_ after: Position, _ through: Position, _ limit: Int, _ bytes: Int) -> SQL {
    """
    select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
           e.type, e.actor, e.traceparent, e.data, e.stream, e.tags, e.bytes_in_all > \(Int64(bytes))
    from (
      select i.*, sum(pg_column_size(i.data)) over (order by i.position) as bytes_so_far,
             sum(pg_column_size(i.data)) over () as bytes_in_all
      from (
        select e.*
        from (select distinct n from unnest(\(filter.categories)) n) c (name)
        cross join lateral (
          select *
          from aisle.events e
          where e.tenant = \(tenant.rawValue) and e.category = c.name
            and e.position > \(after.rawValue) and e.position <= \(through.rawValue)
            and (cardinality(\(filter.types)) = 0 or e.type = any(\(filter.types)))
            and (\(partition.count) = 1
              or mod(hashint8extended(e.stream_id, 0) & 9223372036854775807, \(Int64(partition.count)))
                 = \(Int64(partition.index)))
            and (cardinality(\(former)) = 0
              or e.position > (\(former)::bigint[])[1 + mod(
                   hashint8extended(e.stream_id, 0) & 9223372036854775807, nullif(cardinality(\(former)), 0)::bigint)])
          order by e.position
          limit \(limit)
        ) e
        order by e.position
        limit \(limit)
      ) i
    ) e
    where e.bytes_so_far - pg_column_size(e.data) < \(Int64(bytes))
    order by e.position
    """
  }
}

/// How many positions one scan looks at. It grows while scans are quick and find little, and shrinks when one is slow.
struct ScanWindow: Sendable {
  private(set) var size: Int64 = 20_000

  static let bounds: ClosedRange<Int64> = 500...1_000_000

  /// Far below the time-out of statements.
  static let slow = Duration.milliseconds(500)

  mutating func looked(for duration: Duration, isFull: Bool) {
    if duration > Self.slow {
      size = max(size / 2, Self.bounds.lowerBound)
    } else if !isFull && duration < Self.slow / 4 {
      size = min(size * 2, Self.bounds.upperBound)
    }
  }

  /// A scan did not end.
  mutating func failed() { size = max(size / 4, Self.bounds.lowerBound) }
}

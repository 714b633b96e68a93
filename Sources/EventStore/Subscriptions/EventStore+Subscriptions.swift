import Foundation
import PostgreSQL
import Vocabulary

extension EventStore {
  /// What is appended to a subscription's name in `aisle.checkpoints` while it is being rebuilt.
  static let rebuildSuffix = "@rebuild"

  /// Positions that a look for the oldest unhandled event may cover.
  private static let lagWindow: Int64 = 10_000

  /// How far each subscription is, by name.
  public func subscriptions() async throws -> [SubscriptionStatus] {
    try await pool.withConnection { connection in
      let rows = try await self.partitionRows(on: connection)
      let parked = try await self.parkedCounts(on: connection)
      let all = Dictionary(grouping: try rows.map(PartitionRow.init), by: \.subscription)
      return all.keys.filter { !$0.hasSuffix(Self.rebuildSuffix) }.sorted().map { name in
        let partitions = (all[name] ?? []).sorted { $0.index < $1.index }.map(\.status)
        let target = partitions.map(\.position).min() ?? .start
        let rebuild = all[name + Self.rebuildSuffix]?.first.map {
          RebuildStatus(
            position: $0.status.position, target: target, isOwned: $0.status.isOwned,
            lastError: $0.status.lastError)
        }
        return SubscriptionStatus(
          name: name, partitions: partitions, parkedStreams: parked[name]?.streams ?? 0,
          parkedEvents: parked[name]?.events ?? 0, rebuild: rebuild)
      }
    }
  }

  private func partitionRows(on connection: PostgresConnection) async throws -> Rows {
    try await connection.query(
      """
      select split_part(c.subscription, '/', 1), c.partition, c.subscription, c.position, c.events,
             greatest(h.position - c.position, 0), c.last_error, w.description, c.owner::text, c.epoch,
             c.lease_expires_at, c.failing_since, c.attempts, c.stopped, c.generation, c.followed_at is not null,
             o.is_owned,
             not o.is_owned and c.followed_at is not null and h.position > c.position
               and coalesce(c.lease_expires_at, c.updated_at)
                   < clock_timestamp() - \(Lease.milliseconds) * interval '1 millisecond',
             coalesce(greatest(extract(epoch from clock_timestamp() - coalesce(oldest.recorded_at, beyond.recorded_at)),
                               0), 0)::bigint
      from aisle.checkpoints c
      join aisle.log_head h on h.tenant = c.tenant
      left join aisle.workers w on w.tenant = c.tenant and w.worker = c.owner
      cross join lateral (
        -- A worker that is committing a long batch cannot renew that lease, but says in its own row that it lives.
        select c.owner is not null
               and (c.lease_expires_at > clock_timestamp() or coalesce(w.expires_at > clock_timestamp(), false))
               as is_owned
      ) o
      left join lateral (
        select e.recorded_at
        from aisle.events e
        where e.tenant = c.tenant and e.position > c.position and e.position <= c.position + \(Self.lagWindow)
          and (cardinality(c.categories) = 0 or e.category = any(c.categories))
          and (cardinality(c.types) = 0 or e.type = any(c.types))
          and (cardinality(c.tags) = 0 or e.tags @> c.tags)
          and (c.partitions = 1
            or mod(hashint8extended(e.stream_id, 0) & 9223372036854775807, c.partitions::bigint) = c.partition)
        order by e.position
        limit 1
      ) oldest on h.position > c.position
      -- Far behind, the first event that was not looked at is nearly as old.
      left join aisle.events beyond
        on beyond.tenant = c.tenant and beyond.position = c.position + \(Self.lagWindow) + 1
        and oldest.recorded_at is null
      where c.tenant = \(tenant.rawValue) and c.partitions > 0
      """)
  }

  private func parkedCounts(
    on connection: PostgresConnection
  ) async throws -> [String: (streams: Int, events: Int)] {
    let rows = try await connection.query(
      """
      select subscription, count(distinct stream), count(*)
      from aisle.parked_events
      where tenant = \(tenant.rawValue) and skipped_at is null
      group by subscription
      """
    ).map { try $0.decode(String.self, Int.self, Int.self) }
    return Dictionary(rows.map { ($0.0, ($0.1, $0.2)) }, uniquingKeysWith: { first, _ in first })
  }

  /// The events in the queues of parked streams and those that were skipped, in the order of the log.
  public func parkedEvents(of subscription: String? = nil, limit: Int = 1000) async throws -> [ParkedEvent] {
    try await pool.query(
      """
      select e.subscription, e.stream, e.position, e.type, s.error, coalesce(s.attempts, 0), e.parked_at,
             extract(epoch from clock_timestamp() - e.parked_at)::bigint, e.skipped_at, e.skipped_by,
             e.skipped_at is null and not exists (
               select from aisle.parked_events b
               where b.tenant = \(tenant.rawValue) and b.subscription = e.subscription and b.stream = e.stream
                 and b.position < e.position and b.skipped_at is null)
      from aisle.parked_events e
      left join aisle.parked_streams s
        on s.tenant = e.tenant and s.subscription = e.subscription and s.stream = e.stream
      where e.tenant = \(tenant.rawValue)
        and e.subscription = coalesce(nullif(\(subscription ?? ""), ''), e.subscription)
      order by e.subscription, e.position
      limit \(limit)
      """
    ).map { row in
      let isFirst = try row.column(10, as: Bool.self)
      return ParkedEvent(
        subscription: try row.column(0), stream: try row.column(1), position: Position(try row.column(2)),
        type: try row.column(3), error: isFirst ? try row.column(4) : nil,
        attempts: isFirst ? try row.column(5) : 0,
        parkedAt: try row.column(6), ageSeconds: try row.column(7), isFirst: isFirst,
        skippedAt: try row.column(8), skippedBy: try row.column(9))
    }
  }
}

private struct PartitionRow {
  let subscription: String
  let index: Int
  let status: PartitionStatus

  init(_ row: Row) throws {
    subscription = try row.column(0)
    index = try row.column(1)
    let owner = try row.column(7, as: String?.self) ?? row.column(8, as: String?.self)
    let isOwned = try row.column(16, as: Bool.self)
    status = PartitionStatus(
      key: try row.column(2), position: Position(try row.column(3)), events: try row.column(4),
      lag: try row.column(5), lagSeconds: try row.column(18), owner: isOwned ? owner : nil,
      epoch: try row.column(9),
      leaseExpiresAt: try row.column(10), lastError: try row.column(6), failingSince: try row.column(11),
      attempts: try row.column(12), isStopped: try row.column(13), isOwned: isOwned,
      isFollowed: try row.column(15), isUnowned: try row.column(17), generation: try row.column(14))
  }
}

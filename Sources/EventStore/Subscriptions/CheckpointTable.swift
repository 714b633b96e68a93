import Foundation
import PostgreSQL
import Vocabulary

/// `aisle.checkpoints`: how far each partition is, and who has it.
///
/// Every write that moves a checkpoint says which epoch and which position it believes in. If either is not so any
/// more, it changes nothing and ``Fenced`` is thrown: somebody else has gone on.
struct CheckpointTable: Sendable {
  let tenant: TenantID

  struct Fenced: Error, CustomStringConvertible {
    let key: String
    var description: String {
      "somebody else has moved the checkpoint of \(key) or taken it over; nothing of this batch was kept"
    }
  }

  // MARK: Rows

  /// The partitions as they are now, after making them if there were none.
  func partitions(of subscription: Subscription, on connection: PostgresConnection) async throws
    -> [Checkpoint]
  {
    let known = try await read(subscription.name, on: connection)
    if !known.isEmpty { return known }
    try await connection.transaction {
      _ = try await self.lockAnchor(subscription, on: connection)
      if try await self.read(subscription.name, on: connection).isEmpty {
        try await self.insert(subscription, from: 0, former: [], on: connection)
      }
    }
    return try await read(subscription.name, on: connection)
  }

  /// Makes the partitions as many as the subscription says. Nothing is done twice or left out: each new partition
  /// begins with the least that any had done, and remembers what each had.
  ///
  /// - Returns: nil, or why that cannot be now.
  func divide(_ subscription: Subscription, on connection: PostgresConnection) async throws -> String? {
    let known = try await partitions(of: subscription, on: connection)
    if known.count == subscription.partitions { return nil }
    return try await connection.transaction { () -> String? in
      _ = try await self.lockAnchor(subscription, on: connection)
      try await connection.query(
        """
        select from aisle.checkpoints
        where tenant = \(self.tenant.rawValue) and split_part(subscription, '/', 1) = \(subscription.name)
        for update
        """)
      let known = try await self.read(subscription.name, on: connection)
      if known.count == subscription.partitions { return nil }
      let owners: Int =
        try await connection.query(
          """
          select count(*) from aisle.checkpoints
          where tenant = \(self.tenant.rawValue) and split_part(subscription, '/', 1) = \(subscription.name)
            and owner is not null and lease_expires_at > clock_timestamp()
          """
        ).first?.decode(Int.self) ?? 0
      if owners > 0 {
        return "it has \(known.count) partitions, and other processes are running them; "
          + "there will be \(subscription.partitions) when all have been started again"
      }
      let least = known.map(\.position.rawValue).min() ?? 0
      if let last = known.flatMap(\.former).max(), last > least {
        return "the last change of their number is not digested yet"
      }
      let former = known.map(\.position.rawValue)
      try await self.retire(subscription.name, on: connection)
      try await self.insert(
        subscription, from: least, former: Set(former).count > 1 ? former : [], on: connection)
      return nil
    }
  }

  /// The row under the subscription's own name is always there, and its lock lets one change at a time through. With
  /// several partitions it only keeps the place: at the end of any log, for a release that knows no partitions.
  private func lockAnchor(_ subscription: Subscription, on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      insert into aisle.checkpoints (tenant, subscription, partitions, position)
      values (\(tenant.rawValue), \(subscription.name), 0, 9223372036854775807)
      on conflict (tenant, subscription) do nothing
      """)
    try await connection.query(
      """
      select from aisle.checkpoints
      where tenant = \(tenant.rawValue) and subscription = \(subscription.name)
      for update
      """)
  }

  private func retire(_ name: String, on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      delete from aisle.checkpoints
      where tenant = \(tenant.rawValue) and split_part(subscription, '/', 1) = \(name) and subscription <> \(name)
      """)
    try await connection.execute(
      """
      update aisle.checkpoints
      set partitions = 0, position = 9223372036854775807, owner = null, lease_expires_at = null, epoch = epoch + 1
      where tenant = \(tenant.rawValue) and subscription = \(name)
      """)
  }

  private func insert(
    _ subscription: Subscription, from position: Int64, former: [Int64], on connection: PostgresConnection
  ) async throws {
    let parts = (0..<subscription.partitions).map {
      Partition(subscription: subscription.name, index: $0, count: subscription.partitions)
    }
    try await connection.execute(
      """
      insert into aisle.checkpoints as c (
        tenant, subscription, partition, partitions, position, former, categories, types, tags)
      select \(tenant.rawValue), p.key, p.index, \(parts.count), \(position), \(former),
             \(subscription.filter.categories), \(subscription.filter.types), \(subscription.filter.tags)
      from unnest(\(parts.map(\.key)), \(parts.map { Int32($0.index) })) p (key, index)
      on conflict (tenant, subscription) do update
      set partition = excluded.partition, partitions = excluded.partitions, position = excluded.position,
          former = excluded.former, categories = excluded.categories, types = excluded.types, tags = excluded.tags,
          updated_at = clock_timestamp(), epoch = c.epoch + 1
      """)
  }

  func read(_ name: String, on connection: PostgresConnection) async throws -> [Checkpoint] {
    try await connection.query(
      """
      select partition, partitions, position, epoch, former, last_error is not null, attempts
      from aisle.checkpoints
      where tenant = \(tenant.rawValue) and split_part(subscription, '/', 1) = \(name) and partitions > 0
      order by partition
      """
    ).map { try Checkpoint(name, row: $0) }
  }

  func read(_ partition: Partition, on connection: PostgresConnection) async throws -> Checkpoint? {
    try await connection.query(
      """
      select partition, partitions, position, epoch, former, last_error is not null, attempts
      from aisle.checkpoints
      where tenant = \(tenant.rawValue) and subscription = \(partition.key) and partitions = \(partition.count)
      """
    ).first.map { try Checkpoint(partition.subscription, row: $0) }
  }

  /// What the filter is, for whoever looks at the lag.
  func describe(_ subscription: Subscription, on connection: PostgresConnection) async throws {
    let filter = subscription.filter
    try await connection.execute(
      """
      update aisle.checkpoints
      set categories = \(filter.categories), types = \(filter.types), tags = \(filter.tags)
      where tenant = \(tenant.rawValue) and split_part(subscription, '/', 1) = \(subscription.name) and partitions > 0
        and (categories, types, tags) is distinct from (\(filter.categories), \(filter.types), \(filter.tags))
      """)
  }

  // MARK: Moving

  /// Moves a checkpoint, if it still is where the caller knows it to be. In a transaction this also takes the row's
  /// lock: nobody else moves it before the commit.
  func move(
    _ checkpoint: Checkpoint, to position: Position, events: Int, on connection: PostgresConnection
  ) async throws {
    let moved = try await connection.execute(
      """
      update aisle.checkpoints
      set position = \(position.rawValue), events = events + \(events), updated_at = clock_timestamp(),
          last_error = null, failing_since = null, attempts = 0, stopped = false,
          lease_expires_at = case
            when owner is null then lease_expires_at
            else greatest(lease_expires_at, clock_timestamp() + \(Lease.milliseconds) * interval '1 millisecond') end
      where tenant = \(tenant.rawValue) and subscription = \(checkpoint.partition.key)
        and epoch = \(checkpoint.epoch) and position = \(checkpoint.position.rawValue)
        and partitions = \(checkpoint.partition.count)
      """)
    guard moved == 1 else { throw Fenced(key: checkpoint.partition.key) }
  }

  /// Clears an error whose reason is gone although nothing new has come.
  func clearError(of checkpoint: Checkpoint, on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      update aisle.checkpoints
      set last_error = null, failing_since = null, attempts = 0, stopped = false
      where tenant = \(tenant.rawValue) and subscription = \(checkpoint.partition.key)
        and epoch = \(checkpoint.epoch) and position = \(checkpoint.position.rawValue)
      """)
  }

  /// Records that a try failed; tells how often the event after the checkpoint has now failed alone.
  ///
  /// - Parameter isolated: whether it was alone in its batch, and to blame.
  func record(
    _ error: String, of checkpoint: Checkpoint, isolated: Bool, stopsAfter limit: Int,
    on connection: PostgresConnection
  ) async throws -> Int? {
    try await connection.query(
      """
      update aisle.checkpoints
      set last_error = \(error), failing_since = coalesce(failing_since, clock_timestamp()),
          attempts = attempts + \(isolated ? 1 : 0), stopped = attempts + \(isolated ? 1 : 0) >= \(limit)
      where tenant = \(tenant.rawValue) and subscription = \(checkpoint.partition.key)
        and epoch = \(checkpoint.epoch) and position = \(checkpoint.position.rawValue)
      returning attempts
      """
    ).first?.decode(Int.self)
  }
}

extension Checkpoint {
  fileprivate init(_ subscription: String, row: Row) throws {
    let (index, count, position, epoch, former, hasFailed, attempts) = try row.decode(
      Int.self, Int.self, Int64.self, Int64.self, [Int64].self, Bool.self, Int.self)
    self.init(
      partition: Partition(subscription: subscription, index: index, count: count),
      position: Position(position),
      epoch: epoch, former: former, hasFailed: hasFailed, attempts: attempts)
  }
}

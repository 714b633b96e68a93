import Foundation
import PostgreSQL
import Vocabulary

/// How long an owner has a partition without saying that it is there. All by the database's clock.
enum Lease {
  /// An owner that was killed, paused or cut off is replaced after this and one ``interval`` at the latest.
  static let duration = Duration.seconds(3)
  /// How often an owner says that it is there, and others look for what is free.
  static let interval = Duration.seconds(1)

  static var milliseconds: Int64 { Int64(duration / .milliseconds(1)) }

  /// A process that stops in the middle of a transaction loses its session, and with it every lock, when its lease is
  /// over.
  static var idleTimeout: String { "\(milliseconds)ms" }
  /// Most time of one statement of a batch.
  static let statementTimeout = "30s"
  /// The same by this process' clock.
  static let statementLimit = Duration.seconds(30)
}

/// Who runs what: the leases in `aisle.checkpoints` and the processes in `aisle.workers`.
struct LeaseTable: Sendable {
  let tenant: TenantID
  let worker: UUID

  /// Says that this worker is there. Long dead ones are forgotten.
  func announce(_ description: String, _ subscriptions: [String], on connection: PostgresConnection)
    async throws
  {
    try await connection.execute(
      """
      insert into aisle.workers (tenant, worker, description, subscriptions, expires_at)
      values (\(tenant.rawValue), \(worker), \(description), \(subscriptions),
              clock_timestamp() + \(Lease.milliseconds) * interval '1 millisecond')
      on conflict (tenant, worker) do update
      set subscriptions = excluded.subscriptions, expires_at = excluded.expires_at
      """)
    try await connection.execute(
      """
      delete from aisle.workers
      where tenant = \(tenant.rawValue) and expires_at < clock_timestamp() - interval '10 minutes'
      """)
  }

  /// Extends the leases of this worker. A row that is locked is passed over: its owner is committing a batch, which
  /// extends the lease too, and nobody can take it meanwhile.
  func renew(on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      with mine as (
        select subscription
        from aisle.checkpoints
        where tenant = \(tenant.rawValue) and owner = \(worker)
        order by subscription
        for update skip locked
      )
      update aisle.checkpoints c
      set lease_expires_at = clock_timestamp() + \(Lease.milliseconds) * interval '1 millisecond'
      from mine
      where c.tenant = \(tenant.rawValue) and c.subscription = mine.subscription
      """)
  }

  /// The state from which to plan.
  func view(of subscriptions: [String], on connection: PostgresConnection) async throws -> LeasePlan.View {
    let partitions = try await connection.query(
      """
      select split_part(subscription, '/', 1), partition, partitions, owner, epoch,
             owner is not null and lease_expires_at > clock_timestamp(),
             (extract(epoch from clock_timestamp() - coalesce(lease_expires_at, updated_at)) * 1000)::bigint
      from aisle.checkpoints
      where tenant = \(tenant.rawValue) and split_part(subscription, '/', 1) = any(\(subscriptions)) and partitions > 0
      order by subscription
      """
    ).map { row in
      let (name, index, count, owner, epoch, isLive, age) = try row.decode(
        String.self, Int.self, Int.self, UUID?.self, Int64.self, Bool.self, Int64.self)
      return LeasePlan.Standing(
        partition: Partition(subscription: name, index: index, count: count), owner: owner, epoch: epoch,
        isLive: isLive, freeFor: .milliseconds(isLive ? 0 : max(0, age)))
    }
    let workers = try await connection.query(
      """
      select worker, subscriptions
      from aisle.workers
      where tenant = \(tenant.rawValue) and expires_at > clock_timestamp()
      """
    ).map { try $0.decode(UUID.self, [String].self) }
    return LeasePlan.View(
      partitions: partitions,
      workers: Dictionary(workers.map { ($0.0, Set($0.1)) }, uniquingKeysWith: { first, _ in first }))
  }

  /// Takes a partition that nobody has; nil if somebody has, or is just committing to it.
  ///
  /// - Parameter follows: false for a command that runs it once and will not be missed afterwards.
  func take(
    _ partition: Partition, follows: Bool = true, on connection: PostgresConnection
  ) async throws -> Int64? {
    try await connection.query(
      """
      with free as (
        select subscription
        from aisle.checkpoints
        where tenant = \(tenant.rawValue) and subscription = \(partition.key) and partitions = \(partition.count)
          and (owner is null or lease_expires_at <= clock_timestamp())
        for update skip locked
      )
      update aisle.checkpoints c
      set owner = \(worker), epoch = c.epoch + 1,
          followed_at = case when \(follows) then coalesce(c.followed_at, clock_timestamp()) else c.followed_at end,
          lease_expires_at = clock_timestamp() + \(Lease.milliseconds) * interval '1 millisecond'
      from free
      where c.tenant = \(tenant.rawValue) and c.subscription = free.subscription
      returning c.epoch
      """
    ).first?.decode(Int64.self)
  }

  /// Gives a partition back, so that others need not wait for the lease to end.
  func release(_ partition: Partition, epoch: Int64, on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      update aisle.checkpoints
      set owner = null, lease_expires_at = clock_timestamp()
      where tenant = \(tenant.rawValue) and subscription = \(partition.key) and owner = \(worker)
        and epoch = \(epoch)
      """)
  }

  /// Gives everything back and says good-bye.
  func leave(on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      update aisle.checkpoints
      set owner = null, lease_expires_at = clock_timestamp()
      where tenant = \(tenant.rawValue) and owner = \(worker)
      """)
    try await connection.execute(
      "delete from aisle.workers where tenant = \(tenant.rawValue) and worker = \(worker)")
  }

  /// Runs `body` while what this worker has is renewed; for a command, which is no worker of its own.
  func whileRenewing<T: Sendable>(
    in pool: PostgresPool, _ body: @Sendable @escaping () async throws -> T
  ) async throws -> T {
    try await withThrowingTaskGroup(of: T?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        while true {
          try await Task.sleep(for: Lease.interval)
          try await pool.withConnection { try await renew(on: $0) }
        }
      }
      defer { group.cancelAll() }
      while let result = try await group.next() {
        if let result { return result }
      }
      throw CancellationError()
    }
  }
}

import PostgreSQL
import Vocabulary

/// Projections that are written in the transaction of the append: whoever has the answer to an append finds it in their
/// tables.
///
/// A transaction locks the projections' checkpoints first and the log's head after them, as every handler that appends
/// does; so nothing waits in a circle. It then stores the batch, hands the projections everything between their
/// checkpoint and the new end of the log (so also what a process without them has appended meanwhile), and commits all
/// of it or nothing.
struct InlineProjections: Sendable {
  /// Of a projection that refuses what is to be appended; nothing is stored.
  struct Refusal: Error {
    let projection: String
    let error: any Error
  }

  private struct TooFarBehind: Error {}

  /// Most positions that an append makes up for; what is more is caught up with before, in batches of its own.
  static let longestStretch: Int64 = 5_000

  private let subscriptions: [Subscription]

  private let store: EventStore

  /// nil if there are none. Effects cannot be had in a transaction and are left out.
  ///
  /// - Parameter store: one without inline projections.
  init?(_ subscriptions: [Subscription], of store: EventStore) {
    self.store = store
    let projections = subscriptions.filter(\.isProjection).map { $0.partitioned(into: 1) }
    guard !projections.isEmpty else { return nil }
    // In the order of every other lock of several checkpoints.
    self.subscriptions = projections.sorted { $0.name < $1.name }
  }

  /// Runs an append's statement with the projections in one transaction.
  func append(_ statement: SQL) async throws -> Rows {
    while true {
      do {
        return try await store.pool.transaction { connection in
          try await begin(on: connection)
          var checkpoints: [Checkpoint] = []
          for subscription in subscriptions {
            checkpoints += try await lock(subscription, on: connection)
          }
          let rows = try await connection.query(statement)
          let head = try await store.head(on: connection)
          for checkpoint in checkpoints where checkpoint.position < head {
            try await project(checkpoint, through: head, on: connection)
          }
          return rows
        }
      } catch is TooFarBehind {
        try await catchUp()
      }
    }
  }

  private func begin(on connection: PostgresConnection) async throws {
    try await connection.query(
      """
      select set_config('idle_in_transaction_session_timeout', \(Lease.idleTimeout), true),
             set_config('search_path', 'aisle, ' || current_setting('search_path'), true)
      """)
  }

  /// The subscription's checkpoints, locked. Several, if workers elsewhere run it in several partitions.
  private func lock(_ subscription: Subscription, on connection: PostgresConnection) async throws
    -> [Checkpoint]
  {
    let table = CheckpointTable(tenant: store.tenant)
    try await connection.query(
      """
      select from aisle.checkpoints
      where tenant = \(store.tenant.rawValue) and split_part(subscription, '/', 1) = \(subscription.name)
        and partitions > 0
      order by subscription
      for update
      """)
    let locked = try await table.read(subscription.name, on: connection)
    let head = try await store.head(on: connection)
    guard !locked.isEmpty, locked.allSatisfy({ head.rawValue - $0.position.rawValue <= Self.longestStretch })
    else {
      throw TooFarBehind()
    }
    return locked
  }

  private func project(
    _ start: Checkpoint, through head: Position, on connection: PostgresConnection
  ) async throws {
    guard let subscription = subscriptions.first(where: { $0.name == start.partition.subscription }) else {
      return
    }
    let runner = PartitionRunner(store: store, subscription: subscription, partition: start.partition)
    let scan = EventScan(subscription.filter, start.partition, former: start.former, of: store)
    var checkpoint = start
    while checkpoint.position < head {
      let found = try await scan.read(
        after: checkpoint.position, through: head, limit: subscription.batchSize,
        bytes: subscription.batchBytes,
        on: connection)
      try await runner.checkpoints.move(
        checkpoint, to: found.through, events: found.events.count, on: connection)
      do {
        let (queued, handled) = try await runner.split(found, after: checkpoint.position, on: connection)
        try await runner.letters.queue(queued, on: connection)
        try await runner.handle(handled, on: connection)
      } catch {
        if FailureKind(of: error) == .transient { throw error }
        throw Refusal(projection: subscription.name, error: error)
      }
      checkpoint = checkpoint.moved(to: found.through)
    }
  }

  /// In batches of its own, so that other writers are not kept waiting. Also makes checkpoints that there were not yet.
  private func catchUp() async throws {
    for subscription in subscriptions {
      do {
        try await SubscriptionRunner(subscription, of: store).catchUp()
      } catch {
        if FailureKind(of: error) == .transient { throw error }
        throw Refusal(projection: subscription.name, error: error)
      }
    }
  }
}

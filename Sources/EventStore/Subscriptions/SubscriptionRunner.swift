import Foundation
import Logging
import PostgreSQL

/// One subscription: followed live, or brought up to date once.
public struct SubscriptionRunner: Sendable {
  public let store: EventStore
  public let subscription: Subscription
  private let checkpoints: CheckpointTable

  public init(_ subscription: Subscription, of store: EventStore) {
    self.subscription = subscription
    self.store = store
    checkpoints = CheckpointTable(tenant: store.tenant)
  }

  /// Runs until the task is cancelled, sharing the partitions with whoever else runs the subscription.
  public func run(waking watcher: LogWatcher) async {
    await SubscriptionWorker([subscription], of: store).run(waking: watcher)
  }

  /// Processes everything up to the present end of the log, then returns; throws the handler's first error.
  ///
  /// Live workers may go on meanwhile: a projection's batches meet at the checkpoint's row, and whoever comes second
  /// does nothing. An effect is left to the worker that has it, and waited for.
  @discardableResult
  public func catchUp() async throws -> Position {
    let head = try await store.head()
    let partitions = try await store.pool.withConnection {
      try await checkpoints.partitions(of: subscription, on: $0).map(\.partition)
    }
    var reached: [Position] = []
    for partition in partitions {
      let runner = PartitionRunner(store: store, subscription: subscription, partition: partition)
      reached.append(
        try await subscription.isProjection ? project(runner, through: head) : act(runner, through: head))
    }
    return reached.min() ?? head
  }

  /// Sets the checkpoint before the first event, so that every effect is had again; for those that may be. The worker
  /// that has it loses it, or it would not look before there is a new event.
  public func repeatEffects() async throws {
    try await store.pool.execute(
      """
      update aisle.checkpoints
      set position = 0, former = '{}', updated_at = clock_timestamp(), epoch = epoch + 1, owner = null,
          lease_expires_at = clock_timestamp()
      where tenant = \(store.tenant.rawValue) and split_part(subscription, '/', 1) = \(subscription.name)
        and partitions > 0
      """)
  }

  private func project(_ runner: PartitionRunner, through head: Position) async throws -> Position {
    var pace = PartitionRunner.Pace(subscription)
    while true {
      let checkpoint = try await read(runner.partition)
      do {
        let position = try await advance(runner, checkpoint, through: head, &pace)
        if position >= head { return position }
      } catch is CheckpointTable.Fenced {
        // Somebody was faster, so it has gone on.
        try Task.checkCancellation()
      }
    }
  }

  /// Takes the lease for as long as it needs, or waits for the worker that has it.
  private func act(_ runner: PartitionRunner, through head: Position) async throws -> Position {
    let leases = LeaseTable(tenant: store.tenant, worker: UUID())
    var pause = Duration.milliseconds(5)
    while true {
      let before = try await read(runner.partition)
      if before.position >= head { return before.position }
      let epoch = try await store.pool.withConnection {
        try await leases.take(runner.partition, follows: false, on: $0)
      }
      guard epoch != nil else {
        if let error = try await store.failure(of: runner.partition) { throw error }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(100))
        continue
      }
      do {
        let position = try await leases.whileRenewing(in: store.pool) {
          var pace = PartitionRunner.Pace(subscription)
          return try await advance(runner, try await read(runner.partition), through: head, &pace)
        }
        await giveBack(leases)
        return position
      } catch {
        await giveBack(leases)
        if error is CheckpointTable.Fenced { continue }
        throw error
      }
    }
  }

  private func advance(
    _ runner: PartitionRunner, _ start: Checkpoint, through head: Position, _ pace: inout PartitionRunner.Pace
  ) async throws -> Position {
    var checkpoint = start
    repeat {
      do {
        checkpoint = try await runner.step(checkpoint, &pace).checkpoint
      } catch let failure as PartitionRunner.BatchFailure {
        throw failure.error
      }
    } while checkpoint.position < head
    return checkpoint.position
  }

  private func giveBack(_ leases: LeaseTable) async {
    let store = store
    _ = await Task { try await store.pool.withConnection { try await leases.leave(on: $0) } }.result
  }

  private func read(_ partition: Partition) async throws -> Checkpoint {
    let checkpoint = try await store.pool.withConnection { try await checkpoints.read(partition, on: $0) }
    guard let checkpoint else {
      throw SubscriptionProblem.changed(partition.subscription)
    }
    return checkpoint
  }
}

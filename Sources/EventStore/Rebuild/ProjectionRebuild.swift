import Foundation
import Logging
import PostgreSQL

/// Rebuilds a projection beside the one that serves: copies of its tables are filled from the first event, while the
/// old ones are read and followed as always; when the copies have everything that the old ones have, what differs is
/// put in place in one transaction.
///
/// Nothing but the copies is written while events are replayed, see ``Replay``. A rebuild that was interrupted goes on
/// where it stopped: the copies and their checkpoint move together. Only one process at a time works on it.
public struct ProjectionRebuild: Sendable {
  public struct Progress: Sendable {
    public let position: Position
    /// Where the projection itself is.
    public let target: Position
    /// Events that took effect in the copies since this process began.
    public let events: Int
    public let positionsPerSecond: Double
    /// Estimated from the rate so far; nil as long as there is none.
    public let secondsLeft: Double?
  }

  public struct Outcome: Sendable {
    /// Rows of the old tables that were not as the log has them: added, changed and removed.
    public var added = 0
    public var changed = 0
    public var removed = 0
    public var position = Position.start
    /// Streams that the rebuild could not handle; they are parked now.
    public var parkedStreams = 0
    /// How long the last transaction took, in which the projection stood still (its readers did not).
    public var swap = Duration.zero
  }

  let store: EventStore
  let subscription: Subscription
  let copies: ProjectionCopies
  let runner: PartitionRunner
  let logger: Logger

  /// The last transaction takes at most so many positions itself.
  static let lastStretch: Int64 = 2_000

  public init(_ subscription: Subscription, of store: EventStore) throws {
    guard subscription.isProjection else { throw SubscriptionProblem.noProjection(subscription.name) }
    guard !subscription.tables.isEmpty else { throw SubscriptionProblem.declaresNoTables(subscription.name) }
    self.store = store
    self.subscription = subscription
    copies = ProjectionCopies(of: subscription, tenant: store.tenant)
    runner = PartitionRunner(
      store: store, subscription: subscription,
      partition: Partition(subscription: subscription.name + EventStore.rebuildSuffix, index: 0, count: 1),
      replaysInto: copies.schema)
    var logger = store.logger
    logger[metadataKey: "subscription"] = "\(runner.partition.key)"
    self.logger = logger
  }

  /// Runs to the end.
  ///
  /// - Parameter restarts: whether what an interrupted rebuild has done is thrown away.
  @discardableResult
  public func run(
    restarts: Bool = false, report: @escaping @Sendable (Progress) async -> Void = { _ in }
  ) async throws -> Outcome {
    try await refuseLostEffects()
    let leases = LeaseTable(tenant: store.tenant, worker: UUID())
    try await store.pool.withConnection { connection in
      _ = try await runner.checkpoints.partitions(of: subscription, on: connection)
      _ = try await runner.checkpoints.partitions(
        of: subscription.named(runner.partition.key), on: connection)
      guard try await leases.take(runner.partition, follows: false, on: connection) != nil else {
        throw SubscriptionProblem.isRebuilding(subscription.name)
      }
    }
    do {
      let outcome = try await leases.whileRenewing(in: store.pool) {
        try await prepare(restarts: restarts)
        return try await replay(report)
      }
      return outcome
    } catch {
      // Cancelled or failed: the next one need not wait for the lease to end.
      _ = await Task { try await store.pool.withConnection { try await leases.leave(on: $0) } }.result
      throw error is CheckpointTable.Fenced ? SubscriptionProblem.isRebuilding(subscription.name) : error
    }
  }

  /// What a handler appends is left out of a replay. For an event in a queue it would then never be appended.
  private func refuseLostEffects() async throws {
    guard subscription.commitsDurably else { return }
    let parked = try await store.pool.withConnection {
      try await DeadLetterTable(tenant: store.tenant, subscription: subscription.name).countStreams(on: $0)
    }
    guard parked == 0 else {
      throw SubscriptionProblem.cannotRebuild(
        "\(subscription.name) has \(parked) parked streams, and appends events of its own; "
          + "retry or skip what is parked first")
    }
  }

  private func prepare(restarts: Bool) async throws {
    try await store.pool.transaction { connection in
      try await connection.liftStatementTimeout()
      if restarts {
        try await copies.drop(on: connection)
        try await connection.execute(
          """
          update aisle.checkpoints
          set position = 0, events = 0, last_error = null, failing_since = null, attempts = 0, stopped = false
          where tenant = \(store.tenant.rawValue) and subscription = \(runner.partition.key)
          """)
        try await runner.letters.clear(on: connection)
      }
      if try await copies.exist(on: connection) {
        try await copies.check(on: connection)
      } else {
        try await copies.make(on: connection)
      }
    }
  }

  // MARK: Replaying

  private func replay(_ report: @Sendable (Progress) async -> Void) async throws -> Outcome {
    var pace = PartitionRunner.Pace(subscription)
    var memory = FailureMemory()
    var checkpoint = try await current()
    var events = 0
    var failedSwaps = 0
    // After a failure the next swap waits until the culprit is behind it, in batches that can tell it.
    var notBefore = Position.start
    let start = (time: ContinuousClock.now, position: checkpoint.position)
    while true {
      try Task.checkCancellation()
      let target = try await target()
      await report(progress(checkpoint.position, target.least, events, since: start))
      if checkpoint.position >= notBefore,
        target.greatest.rawValue - checkpoint.position.rawValue <= Self.lastStretch
      {
        do {
          if let outcome = try await swap(checkpoint) { return outcome }
        } catch let error as CheckpointTable.Fenced {
          throw error
        } catch {
          failedSwaps += 1
          notBefore = target.least
          if failedSwaps == 5 || Task.isCancelled { throw error }
          logger.warning("the copies could not be put in place yet", metadata: ["error": "\(error)"])
          try await Task.sleep(for: .milliseconds(200))
        }
      }
      guard target.least > checkpoint.position else {
        try await Task.sleep(for: .milliseconds(20))
        continue
      }
      do {
        let before = checkpoint.position
        checkpoint = try await runner.step(checkpoint, &pace, through: target.least).checkpoint
        events += Int(checkpoint.position.rawValue - before.rawValue)
        memory = FailureMemory()
      } catch let failure as PartitionRunner.BatchFailure {
        notBefore = max(notBefore, failure.events.last?.position ?? .start)
        checkpoint = try await judged(failure, checkpoint, &pace, &memory)
      }
    }
  }

  private func judged(
    _ failure: PartitionRunner.BatchFailure, _ checkpoint: Checkpoint, _ pace: inout PartitionRunner.Pace,
    _ memory: inout FailureMemory
  ) async throws -> Checkpoint {
    switch await runner.judge(failure, checkpoint, &pace, &memory, logger) {
    case .passed(let next): return next
    case .again(let pause):
      // Somebody waits for this command; what will not get better is told at once. The old tables serve on.
      let isParking = if case .park = subscription.onPoison { true } else { false }
      let kind = FailureKind(of: failure.error)
      if kind != .transient, failure.events.count == 1, !(isParking && kind == .poison) {
        throw failure.error
      }
      if memory.tries > 20 { throw failure.error }
      try await Task.sleep(for: pause)
      return try await current()
    }
  }

  private func current() async throws -> Checkpoint {
    let row = try await store.pool.withConnection {
      try await runner.checkpoints.read(runner.partition, on: $0)
    }
    guard let row else { throw CheckpointTable.Fenced(key: runner.partition.key) }
    return row
  }

  /// Where the projection itself is: not beyond it, because what its handler appends is left out of a replay.
  private func target() async throws -> (least: Position, greatest: Position) {
    let live = try await store.pool.withConnection {
      try await runner.checkpoints.read(subscription.name, on: $0).map(\.position)
    }
    guard let least = live.min(), let greatest = live.max() else {
      throw SubscriptionProblem.changed(subscription.name)
    }
    return (least, greatest)
  }

  private func progress(
    _ position: Position, _ target: Position, _ events: Int,
    since start: (time: ContinuousClock.Instant, position: Position)
  ) -> Progress {
    let seconds = start.time.duration(to: .now) / .seconds(1)
    let rate = seconds > 0 ? Double(position.rawValue - start.position.rawValue) / seconds : 0
    let left = Double(max(0, target.rawValue - position.rawValue))
    return Progress(
      position: position, target: target, events: events, positionsPerSecond: rate,
      secondsLeft: left == 0 ? 0 : rate > 0 ? left / rate : nil)
  }
}

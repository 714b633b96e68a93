import Foundation
import Logging
import PostgreSQL
import Synchronization

/// Runs subscriptions of a process: shares their partitions with the workers of other processes, catches up, then
/// follows the log live.
///
/// A worker owns a partition by a lease of three seconds, which it renews every second, by the database's clock. When
/// it is killed, paused or cut off, another worker goes on within five seconds; when it comes back, its writes change
/// nothing, because they carry an old epoch.
public final class SubscriptionWorker: Sendable {
  /// How a test makes it behave.
  struct Conduct: Sendable {
    /// False: it ends as if it had been killed.
    var saysGoodBye = true
    var alarmInterval = Duration.seconds(60)
  }

  let store: EventStore
  private let subscriptions: [Subscription]
  private let conduct: Conduct
  private let leases: LeaseTable
  private let logger: Logger
  private let held = Mutex<[Partition: HeldPartition]>([:])

  public convenience init(_ subscriptions: [Subscription], of store: EventStore) {
    self.init(subscriptions, of: store, conduct: Conduct())
  }

  init(_ subscriptions: [Subscription], of store: EventStore, conduct: Conduct) {
    self.subscriptions = subscriptions
    self.store = store
    self.conduct = conduct
    leases = LeaseTable(tenant: store.tenant, worker: UUID())
    logger = store.logger
  }

  /// Identity of this worker, the `owner` of what it runs.
  public var id: UUID { leases.worker }

  /// Runs until the task is cancelled, then gives everything back. An error of a handler is recorded, logged and tried
  /// again after a pause: events are never skipped.
  public func run(waking watcher: LogWatcher) async {
    guard !subscriptions.isEmpty else { return }
    await withDiscardingTaskGroup { group in
      var session: PostgresConnection?
      var nextAlarm = ContinuousClock.now + self.conduct.alarmInterval
      while !Task.isCancelled {
        do {
          let connection = try await session.orElse { try await self.prepare() }
          session = connection
          for partition in try await self.beat(on: connection) {
            group.addTask { await self.follow(partition, waking: watcher) }
          }
          if ContinuousClock.now >= nextAlarm {
            nextAlarm = .now + self.conduct.alarmInterval
            await self.raiseAlarms()
          }
          try await Task.sleep(for: Lease.interval)
        } catch {
          await session?.close()
          session = nil
          if Task.isCancelled { break }
          self.logger.warning("the leases could not be renewed", metadata: ["error": "\(error)"])
          try? await Task.sleep(for: .milliseconds(250))
        }
      }
      await session?.close()
    }
    if conduct.saysGoodBye { await leave() }
  }

  // MARK: Leases

  /// A connection of its own: a busy pool must not cost the leases.
  private func prepare() async throws -> PostgresConnection {
    let connection = try await PostgresConnection.connect(store.pool.configuration, on: store.pool.thread)
    do {
      try await connection.setStatementTimeout(.seconds(2))
      let checkpoints = CheckpointTable(tenant: store.tenant)
      for subscription in subscriptions {
        if let reason = try await checkpoints.divide(subscription, on: connection) {
          logger.warning("subscription \(subscription.name): \(reason)")
        }
        try await checkpoints.describe(subscription, on: connection)
      }
    } catch {
      await connection.close()
      throw error
    }
    return connection
  }

  /// One beat: says that we are there, notices what was lost, takes and gives back.
  ///
  /// - Returns: what was taken.
  private func beat(on connection: PostgresConnection) async throws -> [HeldPartition] {
    let start = ContinuousClock.now
    let names = subscriptions.map(\.name)
    try await leases.announce(WorkerDescription.ofThisProcess, names, on: connection)
    try await leases.renew(on: connection)
    let view = try await leases.view(of: names, on: connection)
    reconcile(with: view, asOf: start)
    let decision = LeasePlan.decide(for: leases.worker, view)
    for partition in decision.giveBack { held.withLock { $0[partition] }?.end(.giveBack) }
    var taken: [HeldPartition] = []
    for partition in decision.take {
      let before = ContinuousClock.now
      guard let epoch = try await leases.take(partition, on: connection) else { continue }
      let new = HeldPartition(partition, epoch: epoch, confirmedUntil: before + Lease.duration)
      held.withLock { held in
        held[partition]?.end(.lost)
        held[partition] = new
      }
      taken.append(new)
      logger.info("took \(partition.key)", metadata: ["epoch": "\(epoch)"])
    }
    return taken
  }

  private func reconcile(with view: LeasePlan.View, asOf start: ContinuousClock.Instant) {
    let standings = Dictionary(
      view.partitions.map { ($0.partition, $0) }, uniquingKeysWith: { first, _ in first })
    let lost = held.withLock { held in
      var lost: [HeldPartition] = []
      for (partition, mine) in held {
        guard let now = standings[partition], now.owner == leases.worker, now.epoch == mine.epoch else {
          lost.append(mine)
          held[partition] = nil
          continue
        }
        if now.isLive { mine.confirm(until: start + Lease.duration) }
      }
      return lost
    }
    for partition in lost where partition.end == nil {
      logger.warning(
        "fenced: somebody else has \(partition.partition.key) now", metadata: ["epoch": "\(partition.epoch)"])
      partition.end(.lost)
    }
  }

  /// Also when the task has been cancelled, but not for long: the leases end by themselves.
  private func leave() async {
    let (store, leases) = (store, leases)
    let goodBye = Task {
      let connection = try await PostgresConnection.connect(store.pool.configuration, on: store.pool.thread)
      do {
        try await connection.setStatementTimeout(.seconds(2))
        try await leases.leave(on: connection)
      } catch {
        logger.warning("the leases end by themselves", metadata: ["error": "\(error)"])
      }
      await connection.close()
    }
    _ = await goodBye.result
    held.withLock { $0 = [:] }
  }

  private func raiseAlarms() async {
    do {
      for status in try await store.subscriptions() where status.isUnowned {
        logger.error(
          "nobody runs subscription \(status.name), and it is \(status.lag) positions behind",
          metadata: ["lag_seconds": "\(status.lagSeconds)"])
      }
    } catch {
      logger.warning("the state of the subscriptions is unknown", metadata: ["error": "\(error)"])
    }
  }

  // MARK: Following

  private func follow(_ held: HeldPartition, waking watcher: LogWatcher) async {
    let partition = held.partition
    guard let subscription = subscriptions.first(where: { $0.name == partition.subscription }) else { return }
    var logger = logger
    logger[metadataKey: "subscription"] = "\(partition.key)"
    let runner = PartitionRunner(store: store, subscription: subscription, partition: partition)
    await follow(held, runner, waking: watcher, logger)
    self.held.withLock { if $0[partition] === held { $0[partition] = nil } }
    guard held.end == .giveBack, !Task.isCancelled else { return }
    do {
      try await store.pool.withConnection {
        try await leases.release(partition, epoch: held.epoch, on: $0)
      }
      logger.info("gave \(partition.key) back", metadata: ["epoch": "\(held.epoch)"])
    } catch {
      logger.warning("the lease ends by itself", metadata: ["error": "\(error)"])
    }
  }

  private func follow(
    _ held: HeldPartition, _ runner: PartitionRunner, waking watcher: LogWatcher, _ logger: Logger
  ) async {
    var pace = PartitionRunner.Pace(runner.subscription)
    var memory = FailureMemory()
    var known: Checkpoint?
    while !Task.isCancelled, held.end == nil {
      do {
        guard runner.subscription.isProjection || held.isConfirmed else {
          try await Task.sleep(for: .milliseconds(50))
          continue
        }
        guard let checkpoint = try await known.orMaybe({ try await self.checkpoint(of: held) }) else {
          logger.warning(
            "fenced: somebody else has \(held.partition.key) now", metadata: ["epoch": "\(held.epoch)"])
          return held.end(.lost)
        }
        known = checkpoint
        let current = pace
        let (progress, next) = try await held.batch {
          // A network that swallows answers must not stop a subscription whose lease is renewed on another connection.
          try await StatementLimit.$current.withValue(Lease.statementLimit) {
            var pace = current
            return (try await runner.step(checkpoint, &pace), pace)
          }
        }
        pace = next
        known = progress.checkpoint
        memory = FailureMemory()
        if progress.isCaughtUp {
          await held.wait { await watcher.wait(beyond: progress.checkpoint.position) }
        }
      } catch is CheckpointTable.Fenced {
        // Either somebody else has it, or a command has taken a batch in between: the row will tell.
        known = nil
      } catch let failure as PartitionRunner.BatchFailure {
        // A handler may throw a CancellationError of its own; only our own ends the subscription.
        guard !Task.isCancelled, held.end != .lost, let checkpoint = known else { continue }
        switch await runner.judge(failure, checkpoint, &pace, &memory, logger) {
        case .passed(let next): known = next
        case .again(let pause):
          // After a lost answer nobody knows where the checkpoint is.
          known = nil
          await held.wait { try? await Task.sleep(for: pause) }
        }
      } catch {
        guard !Task.isCancelled, held.end != .lost else { continue }
        if let checkpoint = known { memory.failed(at: checkpoint.position) }
        logger.error("a batch could not be read and will be tried again", metadata: ["error": "\(error)"])
        known = nil
        let pause = memory.pause
        await held.wait { try? await Task.sleep(for: pause) }
      }
    }
  }

  /// nil if it is not ours any more.
  private func checkpoint(of held: HeldPartition) async throws -> Checkpoint? {
    let checkpoints = CheckpointTable(tenant: store.tenant)
    let checkpoint = try await StatementLimit.$current.withValue(Lease.statementLimit) {
      try await store.pool.withConnection { try await checkpoints.read(held.partition, on: $0) }
    }
    return checkpoint?.epoch == held.epoch ? checkpoint : nil
  }
}

extension Optional where Wrapped: Sendable {
  fileprivate func orElse(_ make: () async throws -> Wrapped) async throws -> Wrapped {
    if let self { return self }
    return try await make()
  }

  fileprivate func orMaybe(_ make: () async throws -> Wrapped?) async throws -> Wrapped? {
    if let self { return self }
    return try await make()
  }
}

enum WorkerDescription {
  /// Host and process.
  static let ofThisProcess =
    "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)"
}

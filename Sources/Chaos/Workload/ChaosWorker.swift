import EventStore
import Foundation
import Logging
import PostgreSQL
import Synchronization

/// One process's worth of load on a log: writers, readers, a projection and a subscriber that passes events on, all
/// recorded.
///
/// Writers and readers end when it is told to ``drain()``; the subscriptions go on until its task is cancelled.
public final class ChaosWorker: Sendable {
  private let workload: Workload
  private let store: EventStore
  private let recorder: HistoryRecorder
  private let isDraining = Atomic(false)
  private let batches = Atomic(0)

  private struct HandlerFailed: Error {}

  public init(
    _ workload: Workload, conninfo: String, recorder: HistoryRecorder, logger: Logger
  ) throws {
    self.workload = workload
    self.recorder = recorder
    let pool = try PostgresPool(
      PostgresConfiguration(
        conninfo, applicationName: "aisle-chaos-\(recorder.process)", connectTimeout: .seconds(2),
        statementTimeout: .seconds(10)),
      size: workload.poolSize, acquireTimeout: .seconds(5), logger: logger)
    store = EventStore(pool: pool, retryAppendsFor: .seconds(workload.retrySeconds), logger: logger)
  }

  /// No more operations; returns at once.
  public func drain() { isDraining.store(true, ordering: .relaxed) }

  /// Runs until the task is cancelled. `onDrained` is called when the last writer and reader have ended.
  public func run(onDrained: @escaping @Sendable () -> Void = {}) async throws {
    let isOver: @Sendable () -> Bool = { self.isDraining.load(ordering: .relaxed) }
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        if workload.followsLog { follow(in: &group) }
        group.addTask { [self] in
          try await withThrowingTaskGroup(of: Void.self) { operations in
            for number in 0..<workload.writers {
              let writer = ChaosWriter(
                store: store, recorder: recorder, workload: workload,
                subject: "\(recorder.process) writer \(number)")
              operations.addTask { try await writer.run(until: isOver) }
            }
            for number in 0..<workload.readers {
              let reader = ChaosReader(
                store: store, recorder: recorder, workload: workload,
                subject: "\(recorder.process) reader \(number)")
              operations.addTask { try await reader.run(until: isOver) }
            }
            try await operations.waitForAll()
          }
          onDrained()
        }
        try await group.waitForAll()
      }
    } catch is CancellationError {}
    await store.pool.close()
  }

  private func follow(in group: inout ThrowingTaskGroup<Void, any Error>) {
    let watcher = LogWatcher(of: store)
    let (tenant, recorder, batches) = (store.tenant.rawValue, recorder, self)
    let projection = Subscription(ChaosTables.projection, categories: [Workload.category], batchSize: 100) {
      events, connection in
      try await ChaosTables.add(events, tenant: tenant, on: connection)
      // A handler that fails after it has written: none of it may stay.
      if batches.isToFail() { throw HandlerFailed() }
    }
    let relay = Subscription.effect(ChaosTables.relay, batchSize: 50) { events in
      try recorder.record(.delivered(Delivery(ChaosTables.relay, events.map(LoggedEvent.init))))
    }
    group.addTask { await watcher.run() }
    for subscription in [projection, relay] {
      group.addTask { [store] in await SubscriptionRunner(subscription, of: store).run(waking: watcher) }
    }
  }

  private func isToFail() -> Bool {
    guard workload.handlerFailures > 0 else { return false }
    let number = batches.add(1, ordering: .relaxed).newValue
    return number % max(1, 1000 / workload.handlerFailures) == 7
  }
}

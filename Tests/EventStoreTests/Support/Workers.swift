import Foundation
import PostgreSQL
import TestSupport

@testable import EventStore

/// A worker of a process of its own, as far as others can tell.
final class TestWorker: Sendable {
  let worker: SubscriptionWorker
  private let task: Task<Void, Never>

  /// - Parameter isMortal: it ends without a word, as if killed.
  init(
    _ subscriptions: [Subscription], of store: EventStore, isMortal: Bool = false,
    alarmInterval: Duration = .seconds(60)
  ) {
    let worker = SubscriptionWorker(
      subscriptions, of: store, conduct: .init(saysGoodBye: !isMortal, alarmInterval: alarmInterval))
    self.worker = worker
    task = Task {
      await withDiscardingTaskGroup { group in
        let watcher = LogWatcher(of: store, pollInterval: .milliseconds(100))
        group.addTask { await watcher.run() }
        group.addTask { await worker.run(waking: watcher) }
      }
    }
  }

  func end() async {
    task.cancel()
    await task.value
  }

  deinit { task.cancel() }
}

extension EventStore {
  /// The time of a worker's leases is over, without anybody having to wait for it.
  func expireLeases(of worker: TestWorker) async throws {
    try await pool.execute(
      """
      update aisle.checkpoints set lease_expires_at = clock_timestamp() - interval '1 minute'
      where tenant = \(tenant.rawValue) and owner = \(worker.worker.id)
      """)
    try await pool.execute(
      "update aisle.workers set expires_at = clock_timestamp() - interval '1 minute' where worker = \(worker.worker.id)"
    )
  }

  /// Which workers have the partitions of a subscription, in their order.
  func owners(of subscription: String) async throws -> [UUID?] {
    try await pool.query(
      """
      select owner from aisle.checkpoints
      where tenant = \(tenant.rawValue) and split_part(subscription, '/', 1) = \(subscription) and partitions > 0
        and (owner is null or lease_expires_at > clock_timestamp())
      order by partition
      """
    ).map { try $0.decode(UUID?.self) }
  }

  /// Every event of the log took effect once, and those of each stream in order.
  func requireExactlyOnce(_ effects: [Int64]) async throws {
    let events = try await audit()
    guard effects.sorted() == events.map(\.position) else {
      let doubled = Dictionary(grouping: effects, by: \.self).filter { $0.value.count > 1 }.keys.sorted()
      let missing = Set(events.map(\.position)).subtracting(effects).sorted()
      throw BrokenLog(description: "effects doubled: \(doubled), missing: \(missing)")
    }
    let streams = Dictionary(uniqueKeysWithValues: events.map { ($0.position, $0.stream) })
    var last: [String: Int64] = [:]
    for position in effects {
      let stream = streams[position] ?? ""
      guard position > last[stream, default: 0] else {
        throw BrokenLog(
          description: "position \(position) of \(stream) took effect after \(last[stream] ?? 0)")
      }
      last[stream] = position
    }
  }
}

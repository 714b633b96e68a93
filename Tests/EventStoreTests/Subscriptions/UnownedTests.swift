import Logging
import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("Subscriptions that nobody runs", .timeLimit(.minutes(2)))
struct UnownedTests {
  private let idle = Subscription("idle") { _, _ in }

  @Test("one that a worker has run is an alarm when it is behind and nobody has it; lag is told in seconds")
  func alarm() async throws {
    try await withStore { store in
      let worker = TestWorker([idle], of: store)
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      try await store.wait(for: "idle", toReach: Position(1), timeout: patience)
      try await #expect(store.status(of: "idle")?.isOwned == true)
      await worker.end()
      // Up to date: nobody is missed yet
      try await store.pool.execute(
        "update aisle.checkpoints set lease_expires_at = clock_timestamp() - interval '1 hour'")
      var status = try #require(try await store.status(of: "idle"))
      #expect(!status.isOwned && !status.isUnowned && status.lagSeconds == 0)
      // Behind
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      try await store.pool.execute("update aisle.events set recorded_at = recorded_at - interval '1 hour'")
      status = try #require(try await store.status(of: "idle"))
      #expect(status.isUnowned && status.needsAttention && status.lag == 1 && status.lagSeconds >= 3600)
    }
  }

  @Test("one that only a command ever ran needs nobody")
  func command() async throws {
    try await withStore { store in
      try await SubscriptionRunner(idle, of: store).catchUp()
      let mails = Subscription.effect("mails") { _ in }
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      try await SubscriptionRunner(mails, of: store).catchUp()
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      try await store.pool.execute(
        "update aisle.checkpoints set lease_expires_at = 'epoch', updated_at = 'epoch'")
      let statuses = try await store.subscriptions()
      #expect(statuses.count == 2 && statuses.allSatisfy { $0.lag > 0 && !$0.isUnowned && !$0.isFollowed })
    }
  }

  @Test("lag in seconds is that of the oldest event that the filter lets through")
  func lagOfMatching() async throws {
    try await withStore { store in
      let filtered = Subscription("filtered", categories: ["order"]) { _, _ in }
      try await SubscriptionRunner(filtered, of: store).catchUp()
      try await store.append(to: StreamName(category: "show", id: "1"), expecting: .any, .happened(1))
      try await store.pool.execute("update aisle.events set recorded_at = recorded_at - interval '1 hour'")
      try await #expect(store.status(of: "filtered")?.lagSeconds == 0)
      try await store.append(to: StreamName(category: "order", id: "1"), expecting: .any, .happened(1))
      try await store.pool.execute("update aisle.events set recorded_at = recorded_at - interval '1 minute'")
      let seconds = try #require(try await store.status(of: "filtered")?.lagSeconds)
      #expect(seconds >= 60 && seconds < 3600)
    }
  }

  @Test("any worker says so in its log")
  func logged() async throws {
    try await withStores(2) { stores in
      try await stores[0].append(to: stream("a"), expecting: .any, .happened(1))
      try await stores[0].pool.execute(
        """
        insert into aisle.checkpoints (tenant, subscription, followed_at, epoch, updated_at)
        values (1, 'orphan', 'epoch', 3, 'epoch')
        """)
      let lines = Shared<[String]>([])
      let store = EventStore(
        pool: stores[1].pool, logger: Logger(label: "test") { _ in RecordingLogHandler(lines: lines) })
      let worker = TestWorker([idle], of: store, alarmInterval: .milliseconds(1))
      _ = try await eventually("the alarm is logged", within: patience) {
        lines.value
      } until: {
        $0.contains { $0.contains("nobody runs subscription orphan, and it is 1 positions behind") }
      }
      await worker.end()
    }
  }
}

/// Keeps what is logged.
struct RecordingLogHandler: LogHandler {
  let lines: Shared<[String]>
  var logLevel = Logger.Level.trace
  var metadata: Logger.Metadata = [:]

  init(lines: Shared<[String]>) { self.lines = lines }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { lines.update { $0.append("\(event.message)") } }
}

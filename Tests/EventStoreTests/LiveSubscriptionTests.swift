import EventStore
import PostgreSQL
import TestSupport
import Testing

@Suite("Waking subscribers", .timeLimit(.minutes(2)))
struct LiveSubscriptionTests {
  /// So long that only a message can be what woke somebody.
  private static let never = Duration.seconds(3600)

  private let subscription = Subscription("effects") { events, connection in
    try await connection.takeEffect(events)
  }

  @Test("a message wakes the runner, whoever appended")
  func notified() async throws {
    try await withStores(2) { stores in
      try await stores[0].makeEffects()
      try await whileRunning(subscription, on: [stores[0]], pollInterval: Self.never) {
        try await stores[1].listeners(1)
        for count in 1...20 {
          try await stores[1].append(to: stream("a"), expecting: .any, .happened(1))
          try await stores[1].effects(count)
        }
      }
      try await #expect(stores[0].effects() == Array(1...20))
    }
  }

  @Test("after its connection was lost a watcher listens again, and what came meanwhile is not missed")
  func listenerLost() async throws {
    try await withStores(2) { stores in
      try await stores[0].makeEffects()
      try await whileRunning(subscription, on: [stores[0]], pollInterval: Self.never) {
        var listener = try await stores[1].listeners(1)
        for round in 0..<3 {
          // Given nobody listens
          try await stores[1].pool.query(
            "select pg_terminate_backend(pid, 30000) from unnest(\(listener)) pid")
          // When events come
          try await stores[1].append(to: stream("a"), expecting: .any, .happened(1))
          // Then they take effect when the watcher is back
          try await stores[1].effects(round * 2 + 1)
          // And it listens as before
          listener = try await stores[1].listeners(1)
          try await stores[1].append(to: stream("a"), expecting: .any, .happened(1))
          try await stores[1].effects(round * 2 + 2)
        }
      }
      try await #expect(stores[0].effects() == Array(1...6))
    }
  }

  @Test("a runner that hears nothing looks for itself")
  func deaf() async throws {
    try await withStore { store in
      try await store.makeEffects()
      // A watcher that nobody runs
      let watcher = LogWatcher(of: store, pollInterval: .milliseconds(10))
      let running = Task { await SubscriptionRunner(subscription, of: store).run(waking: watcher) }
      for count in 1...3 {
        try await store.append(to: stream("a"), expecting: .any, .happened(1))
        try await store.effects(count)
      }
      running.cancel()
      await running.value
    }
  }

  @Test("a poll interval that is over before the wait has begun ends it all the same")
  func shortestPoll() async throws {
    try await withStore { store in
      let watcher = LogWatcher(of: store, pollInterval: .zero)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask { for _ in 0..<500 { await watcher.wait(beyond: .start) } }
        }
      }
    }
  }

  @Test("a wait for what is known to be there already does not wait")
  func alreadyThere() async throws {
    try await withStore { store in
      let watcher = LogWatcher(of: store, pollInterval: Self.never)
      let running = Task { await watcher.run() }
      try await store.listeners(1)
      let waiting = Task { await watcher.wait(beyond: .start) }
      try await store.append(to: stream("a"), expecting: .any, .happened(3))
      await waiting.value
      await watcher.wait(beyond: Position(2))
      running.cancel()
      await running.value
    }
  }

  @Test("a cancelled runner ends, whether it waits for events or handles them; what it was about is undone")
  func cancellation() async throws {
    try await withStore { store in
      try await store.makeEffects()
      let watcher = LogWatcher(of: store, pollInterval: Self.never)
      // Given one that waits
      let idle = Task {
        await SubscriptionRunner(Subscription("idle") { _, _ in }, of: store).run(waking: watcher)
      }
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      // and one in the middle of its batch
      let isHandling = Shared(false)
      let slow = Subscription("slow") { events, connection in
        try await connection.takeEffect(events)
        isHandling.update { $0 = true }
        try await connection.query("select pg_sleep(600)")
      }
      let busy = Task { await SubscriptionRunner(slow, of: store).run(waking: watcher) }
      _ = try await eventually("the handler works", within: patience) {
        isHandling.value
      } until: {
        $0
      }
      // When both are cancelled
      idle.cancel()
      busy.cancel()
      // Then both end
      await idle.value
      await busy.value
      try await #expect(store.effects().isEmpty)
      try await #expect(store.checkpoint(of: "slow") == .start)
      try await #expect(store.status(of: "slow")?.lastError == nil)
    }
  }
}

extension EventStore {
  /// Waits until so many connections listen, and tells their backends.
  @discardableResult
  fileprivate func listeners(_ count: Int) async throws -> [Int32] {
    try await eventually("\(count) listen", within: patience) {
      try await pool.query(
        """
        select pid from pg_stat_activity
        where datname = current_database() and query like 'listen%' and state = 'idle'
        """
      ).map { try $0.decode(Int32.self) }
    } until: {
      $0.count == count
    }
  }
}

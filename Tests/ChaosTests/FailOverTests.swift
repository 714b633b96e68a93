import Chaos
import EventStore
import Foundation
import Migrations
import PostgreSQL
import TestSupport
import Testing

/// What `docs/scale-out.md` says about a primary with a synchronous standby, with two real servers.
@Suite("Fail-over to a standby", .timeLimit(.minutes(4)))
struct FailOverTests {
  private static func prepare(_ conninfo: String) async throws {
    try await withPool(conninfo, size: 1) { pool in
      try await Migrator(pool).migrate()
      try await ChaosTables.make(on: pool)
    }
  }

  @Test(
    "the primary is killed under load and the standby promoted: the store follows, nothing acknowledged is lost"
  )
  func followed() async throws {
    try await withReplicatedPair(prepare: Self.prepare) { pair in
      let conninfo = await pair.conninfo
      var recorders: [HistoryRecorder] = []
      var workers: [ChaosWorker] = []
      for number in 1...3 {
        var workload = Workload(seed: UInt64(number))
        workload.retrySeconds = number == 1 ? 30 : 0
        let recorder = HistoryRecorder(process: "w\(number)")
        recorders.append(recorder)
        workers.append(
          try ChaosWorker(workload, conninfo: conninfo, recorder: recorder, logger: .silent))
      }
      let judge = HistoryRecorder(process: "judge")
      recorders.append(judge)
      try await run(workers, on: pair, judge)

      let report = HistoryChecker.check(try recorders.flatMap { try $0.records() })
      #expect(report.violations.map(\.description) == [])
      #expect(report.outcomes["committed", default: 0] > 100)
      // The kill was felt.
      #expect(report.outcomes["unknown", default: 0] + report.outcomes["unavailable", default: 0] > 0)
    }
  }

  private func run(_ workers: [ChaosWorker], on pair: ReplicatedPair, _ judge: HistoryRecorder) async throws {
    let drained = Shared(0)
    try await withPool(await pair.conninfo) { pool in
      let store = EventStore(pool: pool, logger: .silent)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in workers { group.addTask { try await worker.run { drained.update { $0 += 1 } } } }
        defer { group.cancelAll() }
        try await grow(store, by: 150)
        let before = try await store.head()
        try await pair.failOver()
        // On the new primary.
        try await grow(store, by: 150)
        let after = try await store.head()
        #expect(after >= before, "an acknowledged event is gone")
        for worker in workers { worker.drain() }
        _ = try await eventually("every operation ends", within: .seconds(60)) {
          drained.value
        } until: {
          $0 == workers.count
        }
        let head = try await store.head()
        for name in [ChaosTables.projection, ChaosTables.relay] {
          try await store.wait(for: name, toReach: head, timeout: .seconds(60))
        }
        try judge.record(.drained(subscriber: ChaosTables.relay, position: head.rawValue))
        try judge.record(.projected(try await ChaosTables.sample(store)))
      }
      for entry in try await ChaosTables.finalLog(pool) { try judge.record(entry) }
    }
  }

  private func grow(_ store: EventStore, by events: Int64) async throws {
    let start = try await head(store)
    _ = try await eventually("the log grows", within: .seconds(90)) {
      try await head(store)
    } until: {
      $0 >= start + events
    }
  }

  /// -1 while no server takes connections.
  private func head(_ store: EventStore) async throws -> Int64 {
    do {
      return try await store.head().rawValue
    } catch is PostgresError {
      return -1
    }
  }

  @Test("an old primary that comes back read-only is not written, and not read for the log, by anybody")
  func stalePrimary() async throws {
    try await withReplicatedPair(prepare: Self.prepare) { pair in
      let store1 = try await append(1, through: pair)
      #expect(store1 == "1")
      try await pair.failOver()
      try await pair.startStalePrimary(isFenced: true)
      // New connections try the old primary first, as it stands first in the connection string.
      let store2 = try await append(2, through: pair)
      #expect(store2 == "2")
      let old = try await heads(of: await pair.primary.conninfo)
      let new = try await heads(of: await pair.standby.conninfo)
      #expect(old == 1)
      #expect(new == 2)
      // The store asks again for each connection; a session that was told otherwise is refused by the server.
      try await withPool(await pair.primary.conninfo) { pool in
        _ = await #expect(throws: AppendError.self) {
          try await EventStore(pool: pool, retryAppendsFor: .zero, logger: .silent).append(
            to: StreamName(category: "chaos", id: "stale"), expecting: .any,
            [NewEvent(type: "happened", data: Array("{}".utf8))])
        }
      }
    }
  }

  @Test("after pg_rewind the old primary follows the new one, and has everything that the new one has")
  func rewound() async throws {
    try await withReplicatedPair(prepare: Self.prepare) { pair in
      _ = try await append(1, through: pair)
      try await pair.failOver()
      _ = try await append(2, through: pair)
      // It must have ended in order before it can be rewound.
      try await pair.startStalePrimary(isFenced: true)
      try await pair.rewind()
      let third = try await append(3, through: pair)
      #expect(third == "3")
      let caughtUp = try await eventually("the old primary has followed", within: .seconds(60)) {
        try await heads(of: await pair.primary.conninfo)
      } until: {
        $0 == 3
      }
      #expect(caughtUp == 3)
    }
  }

  @Test("an old primary that comes back unfenced answers no append: it waits for a standby that is gone")
  func unfencedStalePrimary() async throws {
    try await withReplicatedPair(prepare: Self.prepare) { pair in
      _ = try await append(1, through: pair)
      try await pair.failOver()
      try await pair.startStalePrimary(isFenced: false)
      let stale = await pair.primary.conninfo
      try await withPool(stale, size: 2) { pool in
        let answer = Task {
          try await EventStore(pool: pool, retryAppendsFor: .zero, logger: .silent).append(
            to: StreamName(category: "chaos", id: "stale"), expecting: .any,
            [NewEvent(type: "happened", data: Array(#"{"value": 1}"#.utf8))])
        }
        // The server has it and holds the answer back.
        let holders = try await eventually("the append waits for a standby", within: .seconds(60)) {
          try await pool.query("select pid from pg_stat_activity where wait_event = 'SyncRep'").map {
            try $0.decode(Int32.self)
          }
        } until: {
          !$0.isEmpty
        }
        // Nobody sees it either.
        let seen = try await EventStore(pool: pool, logger: .silent).head()
        #expect(seen == Position(1))
        try await pool.query("select pg_terminate_backend(pid, 30000) from unnest(\(holders)) pid")
        let outcome = try await answer.value
        guard case .unknown = outcome else {
          Issue.record("the append was answered: \(outcome)")
          return
        }
      }
    }
  }

  private func append(_ number: Int64, through pair: ReplicatedPair) async throws -> String {
    try await withPool(await pair.conninfo, size: 2) { pool in
      let outcome = try await EventStore(pool: pool, logger: .silent).append(
        to: StreamName(category: "chaos", id: "a"), expecting: .version(number - 1),
        [NewEvent(type: "happened", data: Array(#"{"value": \#(number)}"#.utf8))])
      return outcome.receipt.map { "\($0.position)" } ?? "\(outcome)"
    }
  }

  private func heads(of conninfo: String) async throws -> Int64 {
    try await withPool(conninfo, size: 1) { pool in
      try await EventStore(pool: pool, logger: .silent).head().rawValue
    }
  }
}

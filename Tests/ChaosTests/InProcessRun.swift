import Chaos
import EventStore
import Foundation
import Migrations
import PostgreSQL
import TestSupport

extension TestTemplate {
  /// Every migration applied, the log empty, and the table of the harness's projection.
  static let chaos = TestTemplate { conninfo in
    try await withPool(conninfo, size: 1) { pool in
      try await Migrator(pool).migrate()
      try await ChaosTables.make(on: pool)
    }
  }
}

/// Load from several stores in this process on a database of its own, and the judgement on it.
struct InProcessRun {
  typealias Follower = @Sendable (EventStore, HistoryRecorder) async throws -> Void

  let seed: UInt64
  var workers = 3
  /// The load ends when the log has grown to so many events.
  var events: Int64 = 250
  var inTransaction = 8
  var handlerFailures = 30
  /// Run in place of the store's own subscriptions, until their task is cancelled.
  var followers: [Follower] = []
  /// Changes the database after the streams were made.
  var change: @Sendable (PostgresPool) async throws -> Void = { _ in }

  func report() async throws -> HistoryChecker.Report {
    try await withTestDatabase(from: .chaos) { conninfo in
      try await withPool(conninfo, size: 6) { pool in
        let store = EventStore(pool: pool, logger: .silent)
        let judge = HistoryRecorder(process: "judge")
        try await makeStreams(store, judge)
        try await change(pool)
        var recorders: [HistoryRecorder] = [judge]
        var running: [ChaosWorker] = []
        for number in 1...workers {
          let recorder = HistoryRecorder(process: "w\(number)")
          recorders.append(recorder)
          running.append(
            try ChaosWorker(workload, conninfo: conninfo, recorder: recorder, logger: .silent))
        }
        try await drive(running, store, judge)
        for entry in try await ChaosTables.finalLog(pool) { try judge.record(entry) }
        return HistoryChecker.check(try recorders.flatMap { try $0.records() })
      }
    }
  }

  private var workload: Workload {
    var workload = Workload(seed: seed)
    workload.pause = 3
    workload.streams = 8
    workload.inTransaction = inTransaction
    workload.handlerFailures = handlerFailures
    workload.followsLog = followers.isEmpty
    return workload
  }

  private func makeStreams(_ store: EventStore, _ recorder: HistoryRecorder) async throws {
    for number in 0..<workload.streams {
      let name = "chaos-\(number)"
      let event = ProposedEvent(value: Int64(number))
      let operation = recorder.nextOperation()
      try recorder.record(.appendBegan(operation: operation, parts: [AppendPart(name, .none, [event])]))
      let receipt = try await store.append(
        to: StreamName(category: "chaos", id: "\(number)"), expecting: .noStream,
        [NewEvent(id: event.id, type: "happened", data: Array(#"{"value": \#(number)}"#.utf8))]
      ).receipt
      try recorder.record(
        .appendEnded(
          operation: operation,
          answer: .committed([.init(name, version: 1, position: receipt?.position.rawValue ?? 0)])))
    }
  }

  private func drive(_ workers: [ChaosWorker], _ store: EventStore, _ judge: HistoryRecorder) async throws {
    let drained = Shared(0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in workers {
        group.addTask { try await worker.run { drained.update { $0 += 1 } } }
      }
      group.addTask { try await lookAtProjection(store, judge) }
      for follower in followers {
        group.addTask { do { try await follower(store, judge) } catch is CancellationError {} }
      }
      defer { group.cancelAll() }
      _ = try await eventually("the log grows", within: .seconds(60)) {
        try await store.pool.query("select count(*) from aisle.events").first?.decode(Int64.self) ?? 0
      } until: {
        $0 >= events
      }
      for worker in workers { worker.drain() }
      _ = try await eventually("every operation ends", within: .seconds(60)) {
        drained.value
      } until: {
        $0 == workers.count
      }
      if followers.isEmpty {
        let head = try await store.head()
        for name in [ChaosTables.projection, ChaosTables.relay] {
          try await store.wait(for: name, toReach: head, timeout: .seconds(60))
        }
        try judge.record(.drained(subscriber: ChaosTables.relay, position: head.rawValue))
      }
      try judge.record(.projected(try await ChaosTables.sample(store)))
    }
  }

  private func lookAtProjection(_ store: EventStore, _ judge: HistoryRecorder) async throws {
    do {
      while true {
        try judge.record(.projected(try await ChaosTables.sample(store)))
        try await Task.sleep(for: .milliseconds(5))
      }
    } catch is CancellationError {}
  }
}

import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import Chaos

/// `append_batch` is stopped at each of its steps by a transaction that holds what it needs; meanwhile others write and
/// read. Then the transaction ends in each way that it can end.
@Suite("Appends that are held up inside the function", .timeLimit(.minutes(3)))
struct HeldStepTests {
  enum Step: String, CaseIterable, Sendable {
    /// The head of the log: nobody gets beyond the first step.
    case head
    /// The row of a stream that is written: the log's lock is held while its writer waits.
    case streamRow
    /// The name of a new stream, which another transaction has taken and not yet committed.
    case streamName
    /// The id of an event, likewise.
    case eventID
  }

  enum Ending: String, CaseIterable, Sendable {
    case commit
    case rollback
    /// The session is ended from outside, as it is with one that sits idle in its transaction.
    case terminated
  }

  private static let cases: [(Step, Ending)] = Step.allCases.flatMap { step in
    // A name or an id that somebody else commits is no event of this log.
    Ending.allCases.filter { step == .head || step == .streamRow || $0 != .commit }.map { (step, $0) }
  }

  @Test("every answer is true, nothing is lost and nobody waits for ever", arguments: cases)
  func held(step: Step, ending: Ending) async throws {
    try await withTestDatabase(from: .chaos) { conninfo in
      try await withPool(conninfo) { pool in
        try await withPool(conninfo, size: 6) { other in
          let scene = Scene(
            step: step, ending: ending, pool: pool, store: EventStore(pool: pool, logger: .silent),
            second: EventStore(pool: other, logger: .silent))
          let report = try await scene.play()
          #expect(report.violations.map(\.description) == [])
          // Nothing was refused: what was held up went on.
          #expect(report.outcomes == ["committed": 8])
          #expect(report.events == 10)
        }
      }
    }
  }
}

/// One step held and one ending.
private struct Scene: Sendable {
  let step: HeldStepTests.Step
  let ending: HeldStepTests.Ending
  let pool: PostgresPool
  let store: EventStore
  let second: EventStore
  let recorder = HistoryRecorder(process: "p")
  /// Its id may be what is held.
  let held = ProposedEvent(value: 1)
  let isHeld = Shared(false)
  let isToEnd = Shared(false)

  private struct ChangedMyMind: Error {}

  func play() async throws -> HistoryChecker.Report {
    try await append([AppendPart("chaos-known", .none, [ProposedEvent(value: 1)])], store)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await hold() }
      try await until("it is held") { isHeld.value }
      // The one that meets what is held, then several that queue behind it, from both processes.
      let parts = [
        AppendPart("chaos-known", .version(1), [ProposedEvent(value: 2)]),
        AppendPart("chaos-new", .none, [held, ProposedEvent(value: 3)]),
      ]
      group.addTask { try await append(parts, second) }
      try await until("it waits") { try await waiting() >= 1 }
      for number in 0..<6 {
        let parts = [AppendPart("chaos-\(number % 3)", .any, [ProposedEvent(value: Int64(number))])]
        group.addTask { try await append(parts, number.isMultiple(of: 2) ? store : second) }
      }
      // Held or not, nobody sees half of it.
      try await read(store)
      try await read(second)
      isToEnd.update { $0 = true }
      try await group.waitForAll()
    }
    try await read(store)
    for entry in try await ChaosTables.finalLog(pool) { try recorder.record(entry) }
    return HistoryChecker.check(try recorder.records())
  }

  private func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
    _ = try await eventually(what, within: .seconds(60), read: isSo, until: { $0 })
  }

  private func hold() async throws {
    do {
      try await pool.transaction { connection in
        try await take(connection)
        isHeld.update { $0 = true }
        try await until("it may end") { isToEnd.value }
        switch ending {
        case .commit: break
        case .rollback: throw ChangedMyMind()
        case .terminated:
          let backend: Int32 = try #require(try await connection.query("select pg_backend_pid()").first)
            .decode(
              Int32.self)
          try await pool.query("select pg_terminate_backend(\(backend), 30000)")
          throw ChangedMyMind()
        }
      }
    } catch is ChangedMyMind {}
  }

  private func take(_ connection: PostgresConnection) async throws {
    switch step {
    case .head: try await connection.query("select from aisle.log_head where tenant = 1 for update")
    case .streamRow:
      try await connection.query(
        "select from aisle.streams where tenant = 1 and name = 'chaos-known' for update")
    case .streamName:
      try await connection.execute(
        "insert into aisle.streams (tenant, id, version, category, name) values (1, 999999, 1, 'chaos', 'chaos-new')"
      )
    case .eventID:
      // Where ids are kept in a table of their own, that is what an append meets.
      let ids: Bool = try #require(
        try await connection.query("select to_regclass('aisle.event_ids') is not null").first
      ).decode(Bool.self)
      if ids {
        try await connection.execute(
          "insert into aisle.event_ids (tenant, id, position) values (1, \(held.id), 999999)")
      } else {
        try await connection.execute(
          """
          insert into aisle.events (
            position, stream_id, version, recorded_at, tenant, schema_version, id, category, type, data)
          values (999999, 999999, 1, now(), 1, 1, \(held.id), 'chaos', 'happened', '{}')
          """)
      }
    }
  }

  /// Appends that wait for a lock.
  private func waiting() async throws -> Int64 {
    try #require(
      try await pool.query(
        """
        select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%append_batch%'
        """
      ).first
    ).decode(Int64.self)
  }

  private func append(_ parts: [AppendPart], _ store: EventStore) async throws {
    _ = try await ChaosWriter(
      store: store, recorder: recorder, workload: Workload(seed: 1), subject: "held"
    ).append(parts)
  }

  private func read(_ store: EventStore) async throws {
    let operation = recorder.nextOperation()
    try recorder.record(.readBegan(operation: operation, request: .log(after: 0, limit: 100)))
    let events = try await store.readAll(after: .start, limit: 100).map(LoggedEvent.init)
    try recorder.record(.readEnded(operation: operation, answer: .events(events)))
  }
}

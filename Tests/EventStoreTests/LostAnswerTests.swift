import EmbeddedPostgreSQL
import EventStore
import Migrations
import PostgreSQL
import TestSupport
import Testing

/// The connection dies when the events are stored already and the answer is not yet sent.
///
/// To stop the server just there, it is told to wait for a replica that does not exist: it then has flushed and
/// committed, and holds the answer back.
@Suite("Appends whose answer is lost", .timeLimit(.minutes(2)))
struct LostAnswerTests {
  @Test("sent again, they are recognised and told as committed, at the position where they were stored")
  func committed() async throws {
    try await withServer { server, store in
      let isOver = Shared(false)
      let appending = Task { try await appendOneByOne(to: store, until: isOver) }
      try await server.holdAnswersBack()
      // Given events that are stored, and their writer's connection dead
      let first = try await server.backendThatHoldsAnAnswer()
      let stored = try await server.store.head()
      try await server.pool.query("select pg_terminate_backend(\(first), 30000)")
      // When they were sent again
      let second = try await server.backendThatHoldsAnAnswer()
      #expect(first != second)
      isOver.update { $0 = true }
      try await server.releaseAnswers()
      // Then they are committed, and there once
      let outcomes = try await appending.value
      #expect(outcomes == (1...outcomes.count).map { "committed test-a \($0)@\($0)" })
      try await #expect(server.store.audit().count == outcomes.count)
      #expect(stored.rawValue == Int64(outcomes.count) || stored.rawValue == Int64(outcomes.count) - 1)
    }
  }

  @Test(
    "if they could not be sent again in time the answer is unknown, and a retry finds them where they were stored"
  )
  func unknown() async throws {
    try await withServer { server, store in
      let impatient = EventStore(pool: store.pool, retryAppendsFor: .zero, logger: .silent)
      try await server.holdAnswersBack()
      var stored: Int64 = 0
      var outcome = ""
      var events: [NewEvent] = []
      while outcome != "unknown" {
        events = .happened(1)
        let appending = Task { [stored, events] in
          await impatient.outcome(of: stream("a"), .version(stored), events)
        }
        // The server may need a moment until it begins to hold answers back.
        try await server.terminateHolder(of: appending)
        outcome = await appending.value
        stored += 1
        #expect(outcome == "unknown" || outcome == "committed test-a \(stored)@\(stored)")
      }
      try await server.releaseAnswers()
      #expect(
        await impatient.outcome(of: stream("a"), .version(stored - 1), events)
          == "duplicate test-a \(stored)@\(stored)")
      try await #expect(server.store.audit().count == Int(stored))
    }
  }

  private func appendOneByOne(to store: EventStore, until isOver: Shared<Bool>) async throws -> [String] {
    var outcomes: [String] = []
    repeat {
      outcomes.append(await store.outcome(of: stream("a"), .version(Int64(outcomes.count)), .happened(1)))
    } while !isOver.value
    return outcomes
  }

  /// A server of the test's own: the setting concerns all of a server's databases.
  private func withServer(_ body: (Server, EventStore) async throws -> Void) async throws {
    try await withTemporaryHome { home in
      let cluster = try await PostgresCluster.start(home: home, log: .silent)
      try await withPool(cluster.conninfo + " options='-c synchronous_commit=local'") { pool in
        _ = try await Migrator(pool).migrate()
        try await withPool(cluster.conninfo) { writers in
          try await body(Server(pool: pool), EventStore(pool: writers, logger: .silent))
        }
      }
      try await cluster.stop()
    }
  }
}

/// Through a pool that waits for no replica.
private struct Server: Sendable {
  let pool: PostgresPool
  var store: EventStore { EventStore(pool: pool, logger: .silent) }

  func holdAnswersBack() async throws {
    try await pool.execute("alter system set synchronous_standby_names = 'nobody'")
    try await pool.query("select pg_reload_conf()")
  }

  func releaseAnswers() async throws {
    try await pool.execute("alter system reset synchronous_standby_names")
    try await pool.query("select pg_reload_conf()")
  }

  func backendThatHoldsAnAnswer() async throws -> Int32 {
    let backends = try await eventually("an answer is held back", within: patience) {
      try await holders()
    } until: {
      $0.count == 1
    }
    return backends[0]
  }

  /// Ends the backend that holds an append's answer back, unless the answer comes.
  func terminateHolder(of append: Task<String, Never>) async throws {
    let isAnswered = Shared(false)
    Task {
      _ = await append.value
      isAnswered.update { $0 = true }
    }
    let backends = try await eventually("an answer comes or is held back", within: patience) {
      isAnswered.value ? nil : try await holders()
    } until: {
      $0?.isEmpty != true
    }
    try await pool.query("select pg_terminate_backend(pid, 30000) from unnest(\(backends ?? [])) pid")
  }

  private func holders() async throws -> [Int32] {
    try await pool.query(
      "select pid from pg_stat_activity where wait_event = 'SyncRep' and query like '%append_batch%'"
    )
    .map { try $0.decode(Int32.self) }
  }
}

import PostgreSQL
import TestSupport
import Testing

/// Runs `body` with one connection to an empty database of its own.
func withConnection<T: Sendable>(
  statementTimeout: Duration? = .seconds(600), _ body: (PostgresConnection) async throws -> T
) async throws -> T {
  try await withTestDatabase { conninfo in
    try await withConnections(1, to: conninfo, statementTimeout: statementTimeout) { try await body($0[0]) }
  }
}

/// Runs `body` with several connections on one poll thread, closed afterwards.
func withConnections<T: Sendable>(
  _ count: Int, to conninfo: String, statementTimeout: Duration? = .seconds(600),
  _ body: ([PostgresConnection]) async throws -> T
) async throws -> T {
  let thread = try PollThread()
  defer { thread.stop() }
  var connections: [PostgresConnection] = []
  do {
    for _ in 0..<count {
      connections.append(
        try await .connect(
          PostgresConfiguration(conninfo, statementTimeout: statementTimeout), on: thread))
    }
    let result = try await body(connections)
    for connection in connections { await connection.close() }
    return result
  } catch {
    for connection in connections { await connection.close() }
    throw error
  }
}

extension PostgresConnection {
  /// Process id of the server's side.
  nonisolated func backend() async throws -> Int {
    try await one("select pg_backend_pid()")
  }

  /// The first column of the first row.
  nonisolated func one<Value: PostgresValue>(_ statement: SQL, as _: Value.Type = Value.self) async throws
    -> Value
  {
    guard let row = try await query(statement).first else { throw NoRow() }
    return try row.decode(Value.self)
  }

  /// Fails the test if the connection is not in order: here and now it answers this statement and no other.
  nonisolated func mustAnswer(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let token = Int64.random(in: 0 ... .max)
    let answer: Int64 = try await one("select \(token)")
    #expect(answer == token, sourceLocation: sourceLocation)
  }
}

extension PostgresPool {
  func one<Value: PostgresValue>(_ statement: SQL, as _: Value.Type = Value.self) async throws -> Value {
    guard let row = try await query(statement).first else { throw NoRow() }
    return try row.decode(Value.self)
  }

  /// Waits until a backend runs a statement that waits in the way given, such as `PgSleep`.
  func wait(for backend: Int, toWaitFor event: String) async throws {
    _ = try await eventually("backend \(backend) waits for \(event)") {
      try await one(
        "select coalesce((select wait_event from pg_stat_activity where pid = \(Int32(backend))), '')",
        as: String.self)
    } until: {
      $0 == event
    }
  }

  /// Ends a backend and waits until it is gone.
  func terminate(_ backends: [Int]) async throws {
    let pids = backends.map { Int32($0) }
    try await query("select pg_terminate_backend(pid) from unnest(\(pids)) pid")
    _ = try await eventually("the backends are gone") {
      try await one("select count(*) from pg_stat_activity where pid = any(\(pids))", as: Int.self)
    } until: {
      $0 == 0
    }
  }
}

struct NoRow: Error {}

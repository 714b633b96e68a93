import Glibc
import TestSupport
import Testing

@testable import PostgreSQL

/// The network dies without a word: no reset, no end, and no connection on which to cancel anything.
@Suite("A dead network", .timeLimit(.minutes(1)))
struct DeadNetworkTests {
  private struct Enough: Error {}

  @Test("a statement with a time-out is given up, its outcome unknown, and so is its connection")
  func timeout() async throws {
    try await withRelay { relay, conninfo, _ in
      try await withConnections(1, to: conninfo) { connections in
        try await connections[0].mustAnswer()
        relay.vanish()
        let error = await #expect(throws: PostgresError.self) {
          try await connections[0].query("select 1", timeout: .milliseconds(20))
        }
        #expect(error?.kind == .connectionLost)
        try await connections[0].mustBeClosed()
      }
    }
  }

  @Test("a cancelled statement is given up, its outcome unknown, and so is its connection")
  func cancellation() async throws {
    try await withRelay { relay, conninfo, observer in
      try await withConnections(1, to: conninfo) { connections in
        let backend = try await connections[0].backend()
        let task = Task { try await connections[0].query("select pg_sleep(600)") }
        try await observer.wait(for: backend, toWaitFor: "PgSleep")
        relay.vanish()
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.kind == .connectionLost)
        try await connections[0].mustBeClosed()
      }
    }
  }

  @Test("a statement too large for the socket is given up while it is being sent")
  func sending() async throws {
    try await withRelay { relay, conninfo, observer in
      try await withConnections(1, to: conninfo) { connections in
        let backend = try await connections[0].backend()
        let large = [UInt8](repeating: 1, count: 64 << 20)
        // A server that reads nothing: the relay's buffers fill up, and then ours.
        kill(pid_t(backend), SIGSTOP)
        defer { kill(pid_t(backend), SIGCONT) }
        relay.ignoreNew()
        let error = await #expect(throws: PostgresError.self) {
          try await connections[0].query("select length(\(large))", timeout: .milliseconds(20))
        }
        #expect(error?.kind == .connectionLost)
        try await connections[0].mustBeClosed()
      }
    }
  }

  @Test("an answer that comes after all is kept, a connection whose cancel request is still under way is not")
  func unansweredCancelRequest() async throws {
    try await withRelay { relay, conninfo, observer in
      try await withConnections(1, to: conninfo) { connections in
        let connection = connections[0]
        let statement: SQL = "select 7::bigint from pg_advisory_xact_lock(1)"
        try await connection.query(statement)
        try await observer.withConnection { holder in
          try await holder.query("select pg_advisory_lock(1)")
          relay.ignoreNew()
          async let rows = connection.query(statement, timeout: .milliseconds(20))
          _ = try await eventually("a cancel request is sent") {
            relay.unanswered
          } until: {
            $0 > 0
          }
          try await holder.query("select pg_advisory_unlock(1)")
          try await #expect(rows.first?.decode(Int64.self) == 7)
        }
        try await connection.mustBeClosed()
      }
    }
  }

  @Test("a COPY that its consumer abandons is given up")
  func copy() async throws {
    try await withRelay { relay, conninfo, _ in
      try await withConnections(1, to: conninfo) { connections in
        await #expect(throws: Enough.self) {
          try await connections[0].copyOut("copy (select generate_series(1, 1000000)) to stdout") { _ in
            relay.vanish()
            throw Enough()
          }
        }
        try await connections[0].mustBeClosed()
      }
    }
  }

  @Test("a pool replaces an idle connection that does not answer its check")
  func healthCheck() async throws {
    try await withRelay { relay, conninfo, observer in
      try await withPool(conninfo, size: 1) { pool in
        let idle = try await pool.withConnection { connection in
          try await connection.listen(to: "news")
          return connection
        }
        try await observer.query("select pg_notify('news', '')")
        // Something unasked arrives, so the pool looks before it lends the connection.
        _ = try await eventually("the message has arrived") {
          await idle.hasUnreadInput
        } until: {
          $0
        }
        relay.loseEstablished()
        try await #expect(pool.one("select 7") == 7)
        try await idle.mustBeClosed()
      }
    }
  }

  @Test(
    "the kernel is told to notice it, unless the connection string says otherwise",
    arguments: [
      ("", [30, 10, 3, 30_000] as [Int32]),
      (
        " keepalives_idle=7 keepalives_interval=8 keepalives_count=9 tcp_user_timeout=1234",
        [7, 8, 9, 1234]
      ),
      (" keepalives_count=5", [30, 10, 5, 30_000]),
    ])
  func keepalive(_ options: String, _ expected: [Int32]) async throws {
    try await withRelay { _, conninfo, _ in
      try await withConnections(1, to: conninfo + options) { connections in
        let socket = await connections[0].socket
        let names = [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT]
        #expect(option(SO_KEEPALIVE, at: SOL_SOCKET, of: socket) == 1)
        #expect(names.map { option($0, at: Int32(IPPROTO_TCP), of: socket) } == expected)
      }
    }
  }

  private func option(_ name: Int32, at level: Int32, of socket: Int32) -> Int32? {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(socket, level, name, &value, &size) == 0 ? value : nil
  }
}

extension PostgresConnection {
  fileprivate nonisolated func mustBeClosed(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let error = await #expect(throws: PostgresError.self, sourceLocation: sourceLocation) {
      try await self.query("select 1")
    }
    #expect(error?.kind == .closed, sourceLocation: sourceLocation)
  }
}

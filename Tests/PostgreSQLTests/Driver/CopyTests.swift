import PostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite("COPY … TO STDOUT", .timeLimit(.minutes(1)))
struct CopyTests {
  private struct Enough: Error {}
  private static let million = "copy (select i, repeat('x', 30) from generate_series(1, 1000000) i) to stdout"

  @Test("while the consumer works the server waits, so that memory stays bounded over a million rows")
  func backPressure() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { observer in
        try await withConnections(1, to: conninfo) { connections in
          let backend = try await connections[0].backend()
          let seen = Mutex((rows: 0, sum: 0, largest: 0))
          try await connections[0].copyOut(Self.million) { chunk in
            let isFirst = seen.withLock { $0.rows == 0 }
            if isFirst {
              try await observer.wait(for: backend, toWaitFor: "ClientWrite")
              let sent: Int = try await observer.one(
                "select bytes_processed from pg_stat_progress_copy where pid = \(Int32(backend))")
              #expect(sent < 4 << 20, "the server has sent \(sent) bytes to a consumer that stands still")
            }
            var sum = 0
            chunk.forEachRow { row in
              sum += row.prefix { $0 != 9 }.reduce(0) { $0 * 10 + Int($1) - 48 }
            }
            seen.withLock {
              $0 = ($0.rows + chunk.rowCount, $0.sum + sum, max($0.largest, chunk.bytes.count))
            }
          }
          let (rows, sum, largest) = seen.withLock(\.self)
          #expect(rows == 1_000_000)
          #expect(sum == 1_000_000 * 1_000_001 / 2)
          #expect(largest < 257 * 1024)
        }
      }
    }
  }

  @Test("any number of rows arrives complete and the connection goes on", arguments: [0, 1, 2, 1000, 20_000])
  func complete(_ count: Int) async throws {
    try await withConnection { connection in
      let rows = Mutex(0)
      try await connection.copyOut("copy (select generate_series(1, \(count))) to stdout", chunkBytes: 1000) {
        chunk in
        #expect(!chunk.isEmpty)
        rows.withLock { $0 += chunk.rowCount }
      }
      #expect(rows.withLock(\.self) == count)
      try await connection.mustAnswer()
    }
  }

  @Test("a consumer that gives up, early or at the very end, leaves a connection that goes on")
  func abandoned() async throws {
    try await withConnection { connection in
      let backend = try await connection.backend()
      await #expect(throws: Enough.self) {
        try await connection.copyOut(Self.million) { _ in throw Enough() }
      }
      try await #expect(connection.backend() == backend)
      for last in 1...30 {
        let chunks = Mutex(0)
        await #expect(throws: Enough.self) {
          try await connection.copyOut("copy (select generate_series(1, 3000)) to stdout", chunkBytes: 400) {
            _ in
            if chunks.withLock({
              $0 += 1
              return $0
            }) == last {
              throw Enough()
            }
          }
        }
        try await #expect(connection.query("select \(last), pg_sleep(0.001)").first?.decode(Int.self) == last)
      }
      try await #expect(connection.backend() == backend)
    }
  }

  @Test("cancelling the task ends a COPY, while it waits for rows and while the consumer works")
  func cancelled() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { observer in
        try await withConnections(1, to: conninfo) { connections in
          let connection = connections[0]
          let backend = try await connection.backend()
          let waiting = Task {
            try await connection.copyOut("copy (select pg_sleep(600)) to stdout") { _ in }
          }
          try await observer.wait(for: backend, toWaitFor: "PgSleep")
          waiting.cancel()
          await #expect(throws: CancellationError.self) { try await waiting.value }
          try await #expect(connection.backend() == backend)

          let working = Task {
            try await connection.copyOut(Self.million) { _ in withUnsafeCurrentTask { $0?.cancel() } }
          }
          await #expect(throws: CancellationError.self) { try await working.value }
          try await #expect(connection.backend() == backend)
        }
      }
    }
  }

  @Test("an error of the server in the middle of a COPY is thrown, and the connection goes on")
  func failingMidway() async throws {
    try await withConnection { connection in
      let rows = Mutex(0)
      let error = await #expect(throws: PostgresError.self) {
        try await connection.copyOut(
          "copy (select 1 / (50000 - i) from generate_series(1, 90000) i) to stdout"
        ) {
          chunk in rows.withLock { $0 += chunk.rowCount }
        }
      }
      #expect(error?.sqlState == "22012")
      #expect(rows.withLock(\.self) < 50_000)
      try await connection.mustAnswer()
    }
  }

  @Test("a statement that is not a COPY is refused, and the connection goes on")
  func notACopy() async throws {
    try await withConnection { connection in
      for statement in ["select 1", "copi", ""] {
        await #expect(throws: PostgresError.self) { try await connection.copyOut(statement) { _ in } }
        try await connection.mustAnswer()
      }
    }
  }

  @Test("a connection lost in the middle of a COPY says so")
  func lost() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { observer in
        try await withConnections(1, to: conninfo) { connections in
          let backend = try await connections[0].backend()
          let error = await #expect(throws: PostgresError.self) {
            try await connections[0].copyOut(Self.million) { _ in
              _ = try await observer.query("select pg_terminate_backend(\(Int32(backend)))")
            }
          }
          #expect(error?.isConnectionLost == true)
        }
      }
    }
  }
}

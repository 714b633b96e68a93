import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Transactions")
struct TransactionTests {
  private struct ChangedMyMind: Error {}

  @Test("what a transaction wrote is there after it, and only after it")
  func commit() async throws {
    try await withMarks { pool in
      try await pool.transaction { connection in
        try await connection.execute("insert into marks values (1)")
        try await #expect(pool.one("select count(*) from marks") == 0)
      }
      try await #expect(pool.one("select count(*) from marks") == 1)
    }
  }

  @Test("a transaction whose body throws leaves nothing, and throws that error")
  func rollback() async throws {
    try await withMarks { pool in
      await #expect(throws: ChangedMyMind.self) {
        try await pool.transaction { connection in
          try await connection.execute("insert into marks values (1)")
          throw ChangedMyMind()
        }
      }
      try await #expect(pool.one("select count(*) from marks") == 0)
    }
  }

  @Test(
    "a transaction that hides a failed statement is an error, although the server answers its commit with success"
  )
  func hiddenFailure() async throws {
    try await withMarks { pool in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.transaction { connection in
          try await connection.execute("insert into marks values (1)")
          _ = try? await connection.query("select 1 / 0")
        }
      }
      #expect(error?.sqlState == "25P02")
      try await #expect(pool.one("select count(*) from marks") == 0)
    }
  }

  @Test("a constraint that fails only at the commit fails the transaction")
  func deferredConstraint() async throws {
    try await withMarks { pool in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.transaction { connection in
          try await connection.execute("insert into marks values (1), (1)")
        }
      }
      #expect(error?.sqlState == .uniqueViolation)
      try await #expect(pool.one("select count(*) from marks") == 0)
    }
  }

  @Test("a transaction inside a transaction is refused, and nothing of either is kept")
  func nested() async throws {
    try await withMarks { pool in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.transaction { connection in
          try await connection.execute("insert into marks values (1)")
          _ = try await connection.transaction {
            try await connection.execute("insert into marks values (2)")
          }
        }
      }
      #expect(error?.kind == .client)
      try await #expect(pool.one("select count(*) from marks") == 0)
    }
  }

  @Test("a transaction that is cancelled before its commit is rolled back, and its connection is clean")
  func cancelledBeforeCommit() async throws {
    try await withMarks { pool in
      try await pool.withConnection { connection in
        let task = Task {
          try await connection.transaction {
            try await connection.execute("insert into marks values (1)")
            withUnsafeCurrentTask { $0?.cancel() }
          }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(await !connection.isInTransaction)
        try await #expect(connection.one("select count(*) from marks") == 0)
      }
    }
  }

  @Test(
    "a transaction that is cancelled in the middle is rolled back, and its connection is clean",
    .timeLimit(.minutes(1)))
  func cancelledInside() async throws {
    try await withMarks { pool in
      try await pool.withConnection { connection in
        let backend = try await connection.backend()
        let task = Task {
          try await connection.transaction {
            try await connection.execute("insert into marks values (1)")
            try await connection.query("select pg_sleep(600)")
          }
        }
        try await pool.wait(for: backend, toWaitFor: "PgSleep")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(await !connection.isInTransaction)
        try await #expect(connection.backend() == backend)
        try await #expect(connection.one("select count(*) from marks") == 0)
      }
    }
  }

  @Test("a connection lost inside a transaction says that it was lost")
  func lost() async throws {
    try await withMarks { pool in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.transaction { connection in
          try await connection.execute("insert into marks values (1)")
          try await pool.terminate([try await connection.backend()])
        }
      }
      #expect(error?.isConnectionLost == true)
      try await #expect(pool.one("select count(*) from marks") == 0)
    }
  }

  private func withMarks(_ body: (PostgresPool) async throws -> Void) async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 2) { pool in
        try await pool.execute("create table marks (i integer unique deferrable initially deferred)")
        try await body(pool)
      }
    }
  }
}

import PostgreSQL
import TestSupport
import Testing

@Suite("Statements")
struct StatementTests {
  @Test("a statement is prepared once a connection, whatever its values")
  func prepared() async throws {
    try await withConnection { connection in
      for number in 0..<20 { try await #expect(connection.one("select \(number) + 1") == number + 1) }
      let text = "select $1 + 1"
      try await #expect(
        connection.one("select count(*) from pg_prepared_statements where statement = \(text)") == 1)
    }
  }

  @Test("the same text with values of other types is another statement")
  func types() async throws {
    try await withConnection { connection in
      for _ in 0..<2 {
        try await #expect(connection.one("select \(7 as Int64)") == 7 as Int64)
        try await #expect(connection.one("select \("seven")") == "seven")
        try await #expect(connection.one("select \(7 as Int16)") == 7 as Int16)
        try await #expect(connection.one("select \(true)") == true)
      }
      try await #expect(
        connection.one("select count(*) from pg_prepared_statements where statement = 'select $1'") == 4)
    }
  }

  @Test("no value, however hostile, becomes SQL")
  func injection() async throws {
    let hostile = [
      "'; drop table guests; --", "\\'; drop table guests; --", "$1", "$$; drop table guests; $$",
      "x' or '1'='1",
      "\u{FF07}; drop table guests", "/*", "%s", "\");drop table guests;", "E'\\x27'", "?", ":name",
    ]
    try await withConnection { connection in
      try await connection.executeScript("create table guests (name text not null)")
      for text in hostile {
        try await #expect(connection.execute("insert into guests values (\(text))") == 1)
        try await #expect(connection.one("select count(*) from guests where name = \(text)") == 1)
      }
      let rows = try await connection.query("select name from guests order by ctid")
      #expect(try rows.map { try $0.decode(String.self) } == hostile)
    }
  }

  @Test("a NUL character in a text is refused by the server, not cut off")
  func nul() async throws {
    try await withConnection { connection in
      let error = await #expect(throws: PostgresError.self) { try await connection.query("select \("a\0b")") }
      #expect(error?.sqlState == "22021")
    }
  }

  @Test("an error of the server has its SQLSTATE, and the connection goes on")
  func errors() async throws {
    try await withConnection { connection in
      let backend = try await connection.backend()
      try await connection.executeScript("create table seats (id integer primary key)")
      try await connection.execute("insert into seats values (1)")
      let failing: [(SQL, SQLState)] = [
        ("insert into seats values (1)", .uniqueViolation), ("select * from nowhere", .undefinedTable),
        ("selec 1", "42601"), ("select 1 / \(0)", "22012"), ("select \("x")::text::integer", "22P02"),
      ]
      for (statement, state) in failing {
        let error = await #expect(throws: PostgresError.self) { try await connection.query(statement) }
        #expect(error?.kind == .server)
        #expect(error?.sqlState == state)
        #expect(error?.isConnectionLost == false)
        try await #expect(connection.backend() == backend)
      }
      let duplicate = await #expect(throws: PostgresError.self) {
        try await connection.execute("insert into seats values (1)")
      }
      #expect(duplicate?.detail?.contains("(id)=(1)") == true)
      #expect(duplicate?.description.contains("23505") == true)
    }
  }

  @Test("execute tells how many rows it changed")
  func affected() async throws {
    try await withConnection { connection in
      try await connection.executeScript("create table t as select generate_series(1, 10) i")
      try await #expect(connection.execute("update t set i = i + 1 where i > \(4)") == 6)
      try await #expect(connection.execute("delete from t where false") == 0)
      try await #expect(connection.execute("create table u ()") == 0)
    }
  }

  @Test("a script runs all its statements or none")
  func script() async throws {
    try await withConnection { connection in
      await #expect(throws: PostgresError.self) {
        try await connection.executeScript(
          "create table a (); create table b (); select 1 / 0; create table c ()")
      }
      try await #expect(connection.one("select count(*) from pg_tables where schemaname = 'public'") == 0)
      try await connection.executeScript("create table a (); create table b ();")
      try await #expect(connection.one("select count(*) from pg_tables where schemaname = 'public'") == 2)
    }
  }

  @Test(
    "COPY where it cannot work is an error, and the connection goes on",
    .timeLimit(.minutes(1)), arguments: ["copy t from stdin", "copy t to stdout"])
  func misplacedCopy(_ statement: String) async throws {
    try await withConnection { connection in
      try await connection.executeScript("create table t as select generate_series(1, 100000) i")
      let backend = try await connection.backend()
      await #expect(throws: PostgresError.self) { try await connection.query(SQL(statement, [])) }
      try await #expect(connection.backend() == backend)
      await #expect(throws: PostgresError.self) { try await connection.executeScript(statement) }
      try await #expect(connection.backend() == backend)
      if statement.contains("from") {
        await #expect(throws: PostgresError.self) { try await connection.copyOut(statement) { _ in } }
        try await #expect(connection.backend() == backend)
      }
    }
  }

  @Test("many callers of one connection take turns and get their own answers")
  func turns() async throws {
    try await withConnection { connection in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<64 {
          group.addTask {
            for round in 0..<5 {
              let sent = "\(number)/\(round)"
              try await #expect(connection.one("select \(sent)") == sent)
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("a closed connection says so")
  func closed() async throws {
    try await withConnection { connection in
      await connection.close()
      await connection.close()
      let error = await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
      #expect(error?.kind == .closed)
    }
  }

  @Test("closing under a running statement fails that statement and those in line", .timeLimit(.minutes(1)))
  func closedMeanwhile() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { observer in
        try await withConnections(1, to: conninfo) { connections in
          let connection = connections[0]
          let backend = try await connection.backend()
          let running = Task { try await connection.query("select pg_sleep(600)") }
          try await observer.wait(for: backend, toWaitFor: "PgSleep")
          let inLine = Task { try await connection.query("select 1") }
          await connection.close()
          for task in [running, inLine] {
            let error = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(error?.kind == .closed)
          }
        }
      }
    }
  }
}

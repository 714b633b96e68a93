import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Cancellation and time-outs", .timeLimit(.minutes(1)))
struct CancellationTests {
  @Test("cancelling the task ends its statement on the server, and the connection goes on")
  func cancel() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { observer in
        try await withConnections(1, to: conninfo) { connections in
          let backend = try await connections[0].backend()
          let task = Task { try await connections[0].query("select pg_sleep(600)") }
          try await observer.wait(for: backend, toWaitFor: "PgSleep")
          task.cancel()
          await #expect(throws: CancellationError.self) { try await task.value }
          try await #expect(
            observer.one("select state from pg_stat_activity where pid = \(Int32(backend))") == "idle")
          try await #expect(connections[0].backend() == backend)
        }
      }
    }
  }

  @Test("a task that is cancelled already sends nothing")
  func cancelledBefore() async throws {
    try await withConnection { connection in
      try await connection.executeScript("create table marks ()")
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await connection.query("insert into marks default values")
      }
      await #expect(throws: CancellationError.self) { try await task.value }
      try await #expect(connection.one("select count(*) from marks") == 0)
    }
  }

  @Test("a cancellation at any moment hits its own statement or nothing, never the next")
  func neverTheNext() async throws {
    try await withConnection { connection in
      var random = SeededRandom(for: "a cancellation never hits the next statement")
      var cancelled = 0
      for round in 0..<300 {
        let task = Task { try await connection.query("select pg_sleep(0.002)") }
        try await Task.sleep(for: .microseconds(Int.random(in: 0..<4000, using: &random)))
        task.cancel()
        // Sent before the cancelled one is awaited: it is in line behind it.
        async let next = connection.query("select \(round), pg_sleep(0.001)")
        do {
          _ = try await task.value
        } catch is CancellationError {
          cancelled += 1
        }
        try await #expect(next.first?.decode(Int.self) == round)
      }
      print("\(cancelled) of 300 were cancelled in time")
    }
  }

  @Test("a cancellation that overtakes its statement on the way to the server is not lost")
  func overtaking() async throws {
    try await withConnection { connection in
      try await connection.query("select pg_sleep(\(0)::integer)")
      for _ in 0..<200 {
        let task = Task { try await connection.query("select pg_sleep(\(600)::integer)") }
        await Task.yield()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
      }
      try await connection.mustAnswer()
    }
  }

  @Test("the statement time-out ends a statement with its SQLSTATE, and the connection goes on")
  func statementTimeout() async throws {
    try await withConnection(statementTimeout: .milliseconds(50)) { connection in
      let error = await #expect(throws: PostgresError.self) {
        try await connection.query("select pg_sleep(600)")
      }
      #expect(error?.sqlState == .queryCanceled)
      #expect(error?.kind == .server)
      try await connection.mustAnswer()
    }
  }

  @Test("a caller's own time-out ends the statement on the server, and the connection goes on")
  func clientTimeout() async throws {
    try await withConnection { connection in
      let backend = try await connection.backend()
      let error = await #expect(throws: PostgresError.self) {
        try await connection.query("select pg_sleep(600)", timeout: .milliseconds(50))
      }
      #expect(error?.kind == .timedOut)
      try await #expect(connection.backend() == backend)
    }
  }

  @Test("a caller's own time-out holds for preparing the statement, too")
  func clientTimeoutOfPrepare() async throws {
    try await withTestDatabase { conninfo in
      try await withConnections(2, to: conninfo) { connections in
        let (holder, connection) = (connections[0], connections[1])
        try await holder.executeScript("create table seats (id integer)")
        try await holder.executeScript("begin; lock table seats in access exclusive mode")
        let error = await #expect(throws: PostgresError.self) {
          try await connection.query("select id from seats", timeout: .milliseconds(50))
        }
        #expect(error?.kind == .timedOut)
        try await holder.executeScript("rollback")
        try await #expect(connection.query("select id from seats", timeout: .seconds(30)).isEmpty)
      }
    }
  }

  @Test("a cancelled script ends on the server and says that it was cancelled, before it is sent and after")
  func cancelledScript() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { observer in
        try await withConnections(1, to: conninfo) { connections in
          let backend = try await connections[0].backend()
          let task = Task { try await connections[0].executeScript("select 1; select pg_sleep(600)") }
          try await observer.wait(for: backend, toWaitFor: "PgSleep")
          task.cancel()
          await #expect(throws: CancellationError.self) { try await task.value }
          let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await connections[0].listen(to: "news")
          }
          await #expect(throws: CancellationError.self) { try await late.value }
          try await #expect(connections[0].backend() == backend)
        }
      }
    }
  }

  @Test("a time-out at any moment hits its own statement or nothing, never the next")
  func timeoutNeverTheNext() async throws {
    try await withConnection { connection in
      var timedOut = 0
      for round in 0..<150 {
        do {
          _ = try await connection.query("select pg_sleep(0.003)", timeout: .milliseconds(3))
        } catch let error as PostgresError {
          #expect(error.kind == .timedOut)
          timedOut += 1
        }
        try await #expect(
          connection.query("select \(round), pg_sleep(0.001)").first?.decode(Int.self) == round)
      }
      print("\(timedOut) of 150 timed out")
    }
  }

  @Test("a wake-up that comes too late disturbs neither the next statement nor a listener")
  func lateWakeUp() async throws {
    try await withTestDatabase { conninfo in
      try await withConnections(2, to: conninfo) { connections in
        let (holder, connection) = (connections[0], connections[1])
        let socket = await connection.socket
        let backend = Int32(try await connection.backend())
        try await holder.query("select pg_advisory_lock(1)")
        async let locked = connection.query("select pg_advisory_lock(1)")
        _ = try await eventually("it waits for the lock") {
          try await holder.one(
            "select count(*) from pg_locks where pid = \(backend) and not granted", as: Int.self)
        } until: {
          $0 == 1
        }
        connection.thread.interrupt(socket)
        try await holder.query("select pg_advisory_unlock(1)")
        try await #expect(locked.count == 1)

        try await connection.listen(to: "news")
        async let message = connection.nextNotification(within: .seconds(30))
        for _ in 0..<100 {
          connection.thread.interrupt(socket)
          await Task.yield()
        }
        try await holder.query("select pg_notify('news', 'now')")
        try await #expect(message?.payload == "now")
      }
    }
  }

  @Test("waiting for a notification ends as soon as its task is cancelled, at whatever moment")
  func notificationWait() async throws {
    try await withConnection { connection in
      var random = SeededRandom(for: "waiting for a notification ends when cancelled")
      for _ in 0..<300 {
        let task = Task { try await connection.nextNotification(within: .seconds(600)) }
        let pause = Int.random(in: 0..<200, using: &random)
        if pause > 20 { try await Task.sleep(for: .microseconds(pause)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
      }
      try await connection.mustAnswer()
    }
  }
}

import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite("The connection pool", .timeLimit(.minutes(1)))
struct PoolTests {
  @Test("many callers get the right answers over few connections, never more than the pool's size")
  func concurrency() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 4) { pool in
        let busy = Shared((now: 0, most: 0))
        let backends = try await withThrowingTaskGroup(of: Int.self) { group in
          for number in 0..<64 {
            group.addTask {
              try await pool.withConnection { connection in
                busy.update { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                defer { busy.update { $0.now -= 1 } }
                let answer = try await connection.query("select \(number), pg_sleep(0.002)")
                #expect(try answer.first?.decode(Int.self) == number)
                return try await connection.backend()
              }
            }
          }
          return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(busy.value.most == 4)
        #expect(backends.count == 4)
      }
    }
  }

  @Test("Swift's threads stay free while more statements than there are threads wait for the server")
  func cooperativePool() async throws {
    let waiting = ProcessInfo.processInfo.activeProcessorCount + 8
    try await withTestDatabase { conninfo in
      // If a waiting statement kept its thread, nobody could run what lets go of the lock that they all wait for,
      // and the statements would time out.
      try await withPool(conninfo, size: waiting + 1, statementTimeout: .seconds(20)) { pool in
        try await pool.withConnection { holder in
          try await holder.query("select pg_advisory_lock(1)")
          try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<waiting {
              group.addTask { try await pool.query("select pg_advisory_lock_shared(1)") }
            }
            _ = try await eventually("every statement waits for the lock") {
              try await holder.query(
                "select count(*) from pg_locks where locktype = 'advisory' and not granted"
              )
              .first?.decode(Int.self)
            } until: {
              $0 == waiting
            }
            try await holder.query("select pg_advisory_unlock(1)")
            try await group.waitForAll()
          }
        }
      }
    }
  }

  @Test("a caller who waits too long gets an error that says so, and the pool goes on")
  func acquireTimeout() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1, acquireTimeout: .milliseconds(50)) { pool in
        try await pool.withConnection { _ in
          let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
          #expect(error?.kind == .poolExhausted)
        }
        try await #expect(pool.one("select 1") == 1)
      }
    }
  }

  @Test("a caller in line who is cancelled leaves at once, at whatever moment, and takes no connection along")
  func cancelledWaiter() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1, acquireTimeout: .seconds(600)) { pool in
        var random = SeededRandom(for: "a cancelled waiter leaves at once")
        for _ in 0..<100 {
          let waiter = try await pool.withConnection { _ in
            let waiter = Task { try await pool.query("select 1") }
            let pause = Int.random(in: 0..<100, using: &random)
            if pause > 20 { try await Task.sleep(for: .microseconds(pause)) }
            waiter.cancel()
            // Every other time it gives up while the connection comes back.
            if pause.isMultiple(of: 2) {
              await #expect(throws: CancellationError.self) { try await waiter.value }
            }
            return waiter
          }
          await #expect(throws: CancellationError.self) { try await waiter.value }
          try await #expect(pool.one("select 1") == 1)
        }
      }
    }
  }

  @Test("connections that the server has ended are replaced before anyone notices")
  func replaced() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { admin in
        try await withPool(conninfo, size: 4) { pool in
          let before = try await backends(of: pool, count: 4)
          #expect(before.count == 4)
          try await admin.terminate(Array(before))
          let after = try await backends(of: pool, count: 4)
          #expect(after.count == 4)
          #expect(before.isDisjoint(with: after))
        }
      }
    }
  }

  @Test("a connection that comes back inside a transaction is not lent again")
  func openTransaction() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { pool in
        try await pool.withConnection { connection in
          try await connection.query("begin")
          try await connection.query("create table half_done ()")
        }
        try await #expect(pool.one("select count(*) from pg_tables where tablename = 'half_done'") == 0)
      }
    }
  }

  @Test("closing refuses callers, those in line too, and ends every connection")
  func closing() async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, size: 1) { admin in
        let pool = try PostgresPool(
          PostgresConfiguration(conninfo, applicationName: "closing"), size: 2, logger: .silent)
        _ = try await backends(of: pool, count: 2)
        let entered = AsyncStream.makeStream(of: Void.self)
        let release = AsyncStream.makeStream(of: Void.self)
        let held = (0..<2).map { _ in
          Task {
            try await pool.withConnection { _ in
              entered.continuation.yield()
              for await _ in release.stream { break }
            }
          }
        }
        var entries = entered.stream.makeAsyncIterator()
        for _ in held { await entries.next() }
        let inLine = Task { try await pool.query("select 1") }
        await pool.close()
        let errors = [
          await #expect(throws: PostgresError.self) { try await inLine.value },
          await #expect(throws: PostgresError.self) { try await pool.query("select 1") },
        ]
        #expect(errors.allSatisfy { $0?.kind == .closed })
        release.continuation.finish()
        for task in held { try await task.value }
        _ = try await eventually("no connection is left") {
          try await admin.one(
            "select count(*) from pg_stat_activity where application_name = 'closing'", as: Int.self)
        } until: {
          $0 == 0
        }
      }
    }
  }

  @Test("a server that is not there is an error for every caller in line")
  func nobodyThere() async throws {
    let nowhere = [
      "host=/nonexistent dbname=x", "host=127.0.0.1 port=1 dbname=x", "postgresql://127.0.0.1:1/x",
      "no such option",
    ]
    for conninfo in nowhere {
      try await withPool(conninfo, size: 1) { pool in
        let kinds = await withTaskGroup(of: PostgresError.Kind?.self) { group in
          for _ in 0..<5 {
            group.addTask {
              do {
                try await pool.query("select 1")
                return nil
              } catch {
                return (error as? PostgresError)?.kind
              }
            }
          }
          return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(kinds == Array(repeating: .connectFailed, count: 5), "\(conninfo)")
      }
    }
  }

  @Test("a host that accepts and never answers is given up within the time-out")
  func silentHost() async throws {
    let silent = try SilentHost()
    let pool = try PostgresPool(
      PostgresConfiguration("host=127.0.0.1 port=\(silent.port) dbname=x", connectTimeout: .seconds(2)),
      size: 1,
      logger: .silent)
    let start = ContinuousClock.now
    let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
    #expect(error?.kind == .connectFailed)
    #expect(start.duration(to: .now) < .seconds(20))
    await pool.close()
  }

  /// Holds `count` connections at once, so that the pool has to have as many, and tells their backends.
  private func backends(of pool: PostgresPool, count: Int) async throws -> Set<Int> {
    let arrived = Shared(0)
    return try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<count {
        group.addTask {
          try await pool.withConnection { connection in
            let backend = try await connection.backend()
            arrived.update { $0 += 1 }
            _ = try await eventually("all \(count) hold a connection") {
              arrived.value
            } until: {
              $0 == count
            }
            return backend
          }
        }
      }
      return try await group.reduce(into: []) { $0.insert($1) }
    }
  }
}

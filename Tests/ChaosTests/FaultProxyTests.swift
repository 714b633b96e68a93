import EmbeddedPostgreSQL
import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import Chaos

@Suite("The fault proxy", .timeLimit(.minutes(2)))
struct FaultProxyTests {
  /// A table `t`, a pool through a proxy and one past it.
  private func withProxy(
    _ body: (_ proxy: FaultProxy, _ through: PostgresPool, _ past: PostgresPool) async throws -> Void
  ) async throws {
    try await withTestDatabase { conninfo in
      let proxy = try await FaultProxy.start(to: try await TestCluster.shared().socketPath, seed: 1)
      let database = conninfo.split(separator: " ").first { $0.hasPrefix("dbname=") } ?? ""
      do {
        try await withPool(conninfo) { past in
          try await past.execute("create table t (number integer)")
          try await withPool("\(proxy.conninfo) \(database) user=aisle") { through in
            try await body(proxy, through, past)
          }
        }
      } catch {
        await proxy.stop()
        throw error
      }
      await proxy.stop()
    }
  }

  private func count(_ pool: PostgresPool) async throws -> Int64 {
    try #require(try await pool.query("select count(*) from t").first).decode(Int64.self)
  }

  private func insert(_ pool: PostgresPool, timeout: Duration? = nil) async throws {
    try await pool.query("insert into t values (1)", timeout: timeout)
  }

  /// So that a statement is prepared and a connection is open before the fault.
  private func warmUp(_ pool: PostgresPool) async throws { try await insert(pool) }

  @Test("without a fault everything passes, large answers and requests too")
  func transparent() async throws {
    try await withProxy { _, through, _ in
      let size: Int = try #require(
        try await through.query(
          "select length(repeat('x', 5000000) || \(String(repeating: "y", count: 2_000_000)))"
        )
        .first
      ).decode(Int.self)
      #expect(size == 7_000_000)
      let text: String = try #require(try await through.query("select repeat('x', 3000000)").first).decode(
        String.self)
      #expect(text.utf8.count == 3_000_000)
    }
  }

  @Test("cut before the answer: the server has done it, and the client cannot know")
  func cutBeforeAnswer() async throws {
    try await withProxy { proxy, through, past in
      try await warmUp(through)
      await proxy.begin(.cutBeforeAnswer, percent: 100)
      let error = await #expect(throws: PostgresError.self) { try await insert(through) }
      #expect(error?.isConnectionLost == true)
      _ = try await eventually("the row is there") {
        try await count(past)
      } until: {
        $0 == 2
      }
      #expect(proxy.struck["cut-before-answer"] ?? 0 >= 1)
      await proxy.heal()
      try await insert(through)
      let rows1 = try await count(past)
      #expect(rows1 == 3)
    }
  }

  @Test("a statement without a time-out of its own does not wait for ever for an answer that is swallowed")
  func swallowed() async throws {
    try await withProxy { proxy, _, past in
      let configuration = PostgresConfiguration(
        "\(proxy.conninfo) \(try await Self.database(of: past)) user=aisle", statementTimeout: .seconds(1))
      try await withPool(configuration) { through in
        try await warmUp(through)
        await proxy.begin(.swallowAnswers, percent: 100)
        let error = await #expect(throws: PostgresError.self) { try await insert(through) }
        #expect(error?.isConnectionLost == true || error?.kind == .timedOut)
        await proxy.heal()
        // In a transaction without a limit, the same time is not too long.
        try await through.transaction { connection in
          try await connection.liftStatementTimeout()
          try await connection.query("select pg_sleep(2.5)")
        }
        await #expect(throws: PostgresError.self) { try await through.query("select pg_sleep(2.5)") }
        // And for who has less patience, less is too long.
        await #expect(throws: PostgresError.self) {
          try await StatementLimit.$current.withValue(.milliseconds(100)) {
            try await through.query("select pg_sleep(0.8)")
          }
        }
        try await insert(through)
      }
    }
  }

  private static func database(of pool: PostgresPool) async throws -> String {
    let name = try await pool.query("select current_database()").first?.decode(String.self) ?? ""
    return "dbname=\(name)"
  }

  @Test("cut in the middle of a message: the server has not done it")
  func cutMidMessage() async throws {
    try await withProxy { proxy, through, past in
      try await warmUp(through)
      await proxy.begin(.cutMidMessage, percent: 100)
      let error = await #expect(throws: PostgresError.self) { try await insert(through) }
      #expect(error?.isConnectionLost == true)
      let rows2 = try await count(past)
      #expect(rows2 == 1)
    }
  }

  @Test("half open: answers are swallowed although the server has done it; healing ends the connection")
  func swallowAnswers() async throws {
    try await withProxy { proxy, through, past in
      try await warmUp(through)
      await proxy.begin(.swallowAnswers, percent: 100)
      let lost = Task { try await insert(through) }
      _ = try await eventually("the row is there") {
        try await count(past)
      } until: {
        $0 == 2
      }
      await proxy.heal()
      await #expect(throws: PostgresError.self) { try await lost.value }
      try await insert(through)
    }
  }

  @Test("half open the other way: requests never arrive")
  func swallowRequests() async throws {
    try await withProxy { proxy, through, past in
      try await warmUp(through)
      await proxy.begin(.swallowRequests, percent: 100)
      await #expect(throws: PostgresError.self) { try await insert(through, timeout: .milliseconds(200)) }
      let rows3 = try await count(past)
      #expect(rows3 == 1)
    }
  }

  @Test("frozen connections neither answer nor end")
  func freeze() async throws {
    try await withProxy { proxy, through, past in
      try await warmUp(through)
      await proxy.begin(.freeze, percent: 100)
      await #expect(throws: PostgresError.self) { try await insert(through, timeout: .milliseconds(200)) }
      let rows4 = try await count(past)
      #expect(rows4 == 1)
    }
  }

  @Test("refused connections fail at once, and old ones end")
  func refuse() async throws {
    try await withProxy { proxy, through, past in
      try await warmUp(through)
      await proxy.begin(.refuse, percent: 100)
      await #expect(throws: PostgresError.self) { try await insert(through) }
      await #expect(throws: PostgresError.self) { try await insert(through) }
      await proxy.heal()
      try await insert(through)
      let rows5 = try await count(past)
      #expect(rows5 == 2)
    }
  }

  @Test(
    "slow connections are late and right",
    arguments: [
      ProxyFault.delay(milliseconds: 80), .trickle(bytes: 3, milliseconds: 1),
    ])
  func slow(fault: ProxyFault) async throws {
    try await withProxy { proxy, through, _ in
      try await warmUp(through)
      await proxy.begin(fault, percent: 100)
      let start = ContinuousClock.now
      let text: String = try #require(try await through.query("select repeat('x', 500)").first).decode(
        String.self)
      #expect(text.utf8.count == 500)
      #expect(start.duration(to: .now) > .milliseconds(80))
    }
  }

  @Test("an Execute is found however the bytes are cut, and nothing else is taken for one")
  func messages() {
    func message(_ type: Character?, _ body: [UInt8]) -> [UInt8] {
      let length = body.count + 4
      return (type.map { Array("\($0)".utf8) } ?? []) + [0, 0, UInt8(length >> 8), UInt8(length & 255)] + body
    }
    let ssl = message(nil, [4, 210, 22, 47])
    let startup = message(nil, Array("\0\u{3}\0\0user\0E\0\0".utf8))
    let bind = message("B", Array("EEEE".utf8))
    let sync = message("S", [])
    let execute = message("E", [0, 0, 0, 0, 0])
    let stream = ssl + startup + bind + sync + execute + sync
    let end = stream.count - sync.count
    for size in 1...stream.count {
      var messages = FrontendMessages()
      var sent = 0
      for piece in stride(from: 0, to: stream.count, by: size) {
        let bytes = stream[piece..<min(piece + size, stream.count)]
        let found = messages.take(bytes)
        #expect(found == (sent < end && sent + bytes.count >= end), "pieces of \(size)")
        sent += bytes.count
      }
      #expect(messages.isAtBoundary)
    }
  }
}

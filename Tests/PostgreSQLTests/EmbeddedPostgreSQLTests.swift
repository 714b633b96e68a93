import Foundation
import TestSupport
import Testing

@testable import EmbeddedPostgreSQL

@Suite("An embedded cluster")
struct EmbeddedPostgreSQLTests {
  @Test("the first start makes a durable server that listens on a Unix socket only")
  func firstStart() async throws {
    try await withTemporaryHome { home in
      let cluster = try await start(
        home, settings: ["fsync": "off", "listen_addresses": "*", "work_mem": "7MB"])
      #expect(cluster.wasStarted)
      #expect(try await cluster.show("fsync") == "on")
      #expect(try await cluster.show("synchronous_commit") == "on")
      #expect(try await cluster.show("listen_addresses") == "")
      #expect(try await cluster.show("work_mem") == "7MB")
      #expect(try await cluster.query("select current_database()") == ["aisle"])
      #expect(try #require(FileFacts(path: "/proc/\(cluster.processID)")).owner != 0)
      #expect(try await cluster.stop())
    }
  }

  @Test("what was committed is there after a stop and a start, at the same address")
  func restart() async throws {
    try await withClusterHome { home in
      let first = try await start(home)
      _ = try await first.query("create table kept as select 42 as answer")
      try await first.stop()
      let second = try await start(home)
      #expect(second.wasStarted)
      #expect(second.conninfo == first.conninfo)
      #expect(try await second.query("select answer from kept") == ["42"])
      try await second.stop()
    }
  }

  @Test("a second user attaches to the running server, which goes on until the last one leaves")
  func secondUser() async throws {
    try await withClusterHome { home in
      let first = try await start(home)
      let second = try await start(home)
      #expect(!second.wasStarted)
      #expect(second.processID == first.processID)
      #expect(try await first.stop() == false)
      #expect(try await second.query("select 1") == ["1"])
      #expect(try await second.stop() == true)
      #expect(await PostgresCluster.status(home: home).state == .stopped)
    }
  }

  @Test("of many users who start at once, one starts the server and all use it")
  func race() async throws {
    try await withTemporaryHome { home in
      let clusters = try await withThrowingTaskGroup(of: PostgresCluster.self) { group in
        for _ in 0..<8 { group.addTask { try await start(home) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(clusters.map(\.processID)).count == 1)
      #expect(clusters.count { $0.wasStarted } == 1)
      let stopped = try await withThrowingTaskGroup(of: Bool.self) { group in
        for cluster in clusters { group.addTask { try await cluster.stop() } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(stopped.count { $0 } == 1)
    }
  }

  @Test("a server left behind by a killed process is taken over, and stopped by the next user")
  func takeOver() async throws {
    try await withClusterHome { home in
      let killed = try await start(home)
      killed.abandon()
      let heir = try await start(home)
      #expect(!heir.wasStarted)
      #expect(heir.processID == killed.processID)
      #expect(try await heir.stop())
    }
  }

  @Test("after the server was killed, the next start recovers every committed row")
  func killedServer() async throws {
    try await withClusterHome { home in
      let first = try await start(home)
      _ = try await first.query("create table kept as select generate_series(1, 1000)")
      kill(first.processID, SIGKILL)
      let second = try await start(home)
      #expect(second.wasStarted)
      #expect(second.processID != first.processID)
      #expect(try await second.query("select count(*) from kept") == ["1000"])
      // The first user never noticed, and still counts.
      #expect(try await second.stop() == false)
      #expect(try await first.stop() == true)
    }
  }

  @Test("a pid file that names a stranger, as after a reboot, does not keep the server from starting")
  func stalePidFile() async throws {
    try await withClusterHome { home in
      let data = home.appending(path: "postgres").path
      let stranger = try sleepingProcess(as: ServerAccount.forData(at: data))
      defer {
        kill(stranger.processID, SIGKILL)
        _ = stranger.waitForEnding()
      }
      let file = "\(data)/postmaster.pid"
      let text = "\(stranger.processID)\n\(data)\n1700000000\n5432\n/tmp\n\n  5432001    0\nready   \n"
      try Data(text.utf8).write(to: URL(filePath: file))

      let cluster = try await start(home)
      #expect(cluster.wasStarted)
      #expect(try await cluster.query("select 1") == ["1"])
      try await cluster.stop()
      #expect(kill(stranger.processID, 0) == 0)
    }
  }

  @Test("a copy of a home whose server runs gets a server of its own, and leaves the original's alone")
  func copiedHome() async throws {
    try await withClusterHome { home in
      let original = try await start(home)
      _ = try await original.query("create table kept as select 42 as answer")
      _ = try await original.query("checkpoint")
      try await withTemporaryHome { copiedHome in
        let copying = try await onDedicatedThread { () throws(PostgresClusterError) in
          try Program.run(
            ["cp", "-a", "\(home.path)/.", copiedHome.path], patience: Patience(seconds: 60))
        }
        try #require(copying.ending == .exited(0), "\(copying.text)")
        #expect(await PostgresCluster.status(home: copiedHome).state == .stopped)

        let copy = try await start(copiedHome)
        #expect(copy.wasStarted)
        #expect(copy.processID != original.processID)
        _ = try await copy.query("update kept set answer = 43")
        #expect(try await copy.stop())
      }
      #expect(try await original.query("select answer from kept") == ["42"])
      #expect(try await original.stop())
    }
  }

  @Test("a home that was moved while its server ran is attached to, and its server stopped")
  func movedHome() async throws {
    try await withClusterHome { home in
      let (old, new) = (home.appending(path: "old"), home.appending(path: "new"))
      try FileManager.default.createDirectory(at: old, withIntermediateDirectories: true)
      try FileManager.default.moveItem(
        at: home.appending(path: "postgres"), to: old.appending(path: "postgres"))
      let first = try await start(old)
      first.abandon()
      try FileManager.default.moveItem(at: old, to: new)
      let second = try await start(new)
      #expect(second.processID == first.processID)
      #expect(try await second.stop())
      #expect(await PostgresCluster.status(home: new).state == .stopped)
    }
  }

  @Test("a half-finished initdb is thrown away and done again")
  func halfFinishedInitialisation() async throws {
    try await withTemporaryHome { home in
      let half = home.appending(path: "postgres.new-1234/base")
      try FileManager.default.createDirectory(at: half, withIntermediateDirectories: true)
      try Data("15\n".utf8).write(to: home.appending(path: "postgres.new-1234/PG_VERSION"))
      let cluster = try await start(home)
      #expect(cluster.wasStarted)
      #expect(try names(in: home).filter { $0.hasPrefix("postgres.new-") } == [])
      try await cluster.stop()
    }
  }

  @Test("a database that somebody dropped is made again")
  func missingDatabase() async throws {
    try await withClusterHome { home in
      let first = try await start(home)
      let maintenance = try MaintenanceConnection(first.conninfo(database: "postgres"))
      try maintenance.execute("drop database aisle")
      let second = try await start(home)
      #expect(try await second.query("select current_database()") == ["aisle"])
      try await second.stop()
      try await first.stop()
    }
  }

  @Test("the server is out of reach of the terminal's Ctrl-C and of the caller's sockets")
  func isolation() async throws {
    try await withClusterHome { home in
      let listening = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(listening) }
      let cluster = try await start(home)
      #expect(getsid(cluster.processID) == cluster.processID)
      let inherited = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(cluster.processID)/fd")
        .compactMap {
          try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(cluster.processID)/fd/\($0)")
        }
      let ours = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(listening)")
      #expect(!inherited.contains(ours))
      #expect(!inherited.contains { $0.hasSuffix("postgres.users.lock") })
      #expect(inherited.contains { $0.hasSuffix("postgres.server.lock") })
      try await cluster.stop()
    }
  }

  @Test("a home with a very long path works, because the socket lies elsewhere")
  func longPath() async throws {
    try await withTemporaryHome { home in
      let long = home.appending(path: String(repeating: "long/", count: 30))
      let cluster = try await start(long)
      #expect(try await cluster.query("select 1") == ["1"])
      try await cluster.stop()
    }
  }

  @Test("the status tells what a start would find")
  func status() async throws {
    try await withTemporaryHome { home in
      #expect(await PostgresCluster.status(home: home).state == .absent)
      let cluster = try await start(home)
      let running = await PostgresCluster.status(home: home)
      #expect(running.state == .running(processID: cluster.processID, conninfo: cluster.conninfo))
      #expect(running.dataVersion == cluster.serverVersion / 10_000)
      try await cluster.stop()
      #expect(await PostgresCluster.status(home: home).state == .stopped)
    }
  }

  @Test("cancelling a start ends it, and leaves a home that can be started")
  func cancellation() async throws {
    try await withTemporaryHome { home in
      let starting = Task { try await start(home) }
      starting.cancel()
      await #expect(throws: PostgresClusterError.cancelled) { try await starting.value }
      #expect(try names(in: home).filter { $0.hasPrefix("postgres.new-") } == [])
      try await start(home).stop()
    }
  }

  @Test("a log that has grown too large is put aside when the server starts")
  func logRotation() async throws {
    try await withClusterHome { home in
      let log = home.appending(path: "postgres.log")
      try Data(repeating: 0x2e, count: ServerLog.rotationSize + 1).write(to: log)
      let cluster = try await start(home)
      #expect(try #require(FileFacts(path: log.path)).size < 100_000)
      #expect(try #require(FileFacts(path: log.path + ".1")).size == ServerLog.rotationSize + 1)
      try await cluster.stop()
    }
  }
}

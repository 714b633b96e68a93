import Foundation
import TestSupport
import Testing

@testable import EmbeddedPostgreSQL

@Suite("Errors of an embedded cluster")
struct EmbeddedPostgreSQLErrorTests {
  @Test("missing binaries are named with the command that installs them")
  func missingBinaries() async throws {
    try await withTemporaryHome { home in
      let expected = PostgresClusterError.binariesMissing(searched: ["/nowhere/bin"])
      await #expect(throws: expected) {
        try await start(home) { $0.searchedDirectories = ["/nowhere/bin"] }
      }
      #expect(expected.description.contains("apt-get install postgresql"))
    }
  }

  @Test("a home behind a closed door is refused, with the door's name")
  func closedDirectory() async throws {
    try await withTemporaryHome { home in
      let door = home.appending(path: "door")
      let inner = door.appending(path: "home")
      try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
      // Root may enter, but its server may not; an ordinary user is the server's user.
      chmod(door.path, geteuid() == 0 ? 0o700 : 0o000)
      defer { chmod(door.path, 0o700) }
      let error = await #expect(throws: PostgresClusterError.self) { try await start(inner) }
      if geteuid() == 0 {
        #expect(
          error == .homeNotEnterable(home: inner.path, directory: door.path, account: "postgres"))
      }
      #expect(try #require(error).description.contains("AISLE_HOME"))
    }
  }

  @Test("a home that is a file is refused")
  func homeIsFile() async throws {
    try await withTemporaryHome { home in
      let file = home.appending(path: "file")
      try Data().write(to: file)
      await #expect(
        throws: PostgresClusterError.homeUnusable(path: file.path, reason: "it is not a directory")
      ) {
        try await start(file)
      }
    }
  }

  @Test("data of a version that is not installed is refused, and not touched")
  func otherVersion() async throws {
    try await withClusterHome { home in
      let version = home.appending(path: "postgres/PG_VERSION")
      try Data("9\n".utf8).write(to: version)
      let error = await #expect(throws: PostgresClusterError.self) { try await start(home) }
      guard case .dataDirectoryVersion(_, madeBy: 9, let installed) = error else {
        Issue.record("unexpected: \(String(describing: error))")
        return
      }
      #expect(!installed.isEmpty)
      #expect(try String(contentsOf: version, encoding: .utf8) == "9\n")
    }
  }

  @Test("a data directory with other files in it is refused, and not touched")
  func foreignFiles() async throws {
    try await withTemporaryHome { home in
      let data = home.appending(path: "postgres")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      try Data("mine".utf8).write(to: data.appending(path: "letter.txt"))
      await #expect(throws: PostgresClusterError.dataDirectoryUnrecognised(path: data.path)) {
        try await start(home)
      }
      #expect(try names(in: data) == ["letter.txt"])
    }
  }

  @Test("something else in the socket directory's place is refused")
  func socketDirectoryTaken() async throws {
    try await withClusterHome { home in
      let cluster = try await start(home) { $0.socketParent = home.path }
      let directory = try #require(PostmasterFile(in: home.path + "/postgres")).socketDirectory
      try await cluster.stop()
      try Data().write(to: URL(filePath: directory))
      await #expect(
        throws: PostgresClusterError.socketDirectoryUnusable(path: directory, reason: "it is not a directory")
      ) {
        try await start(home) { $0.socketParent = home.path }
      }
    }
  }

  @Test("a socket directory that others may enter is closed before the server listens in it")
  func socketDirectoryOpen() async throws {
    try await withClusterHome { home in
      let cluster = try await start(home)
      let directory = try #require(PostmasterFile(in: home.path + "/postgres")).socketDirectory
      #expect(try #require(FileFacts(path: directory)).mode & 0o777 == 0o700)
      try await cluster.stop()
      #expect(FileFacts(path: directory) == nil)
    }
  }

  @Test("a server that does not start is reported with its own last words")
  func failedStart() async throws {
    try await withClusterHome { home in
      let error = await #expect(throws: PostgresClusterError.self) {
        try await start(home, settings: ["shared_buffers": "nonsense"])
      }
      guard case .startFailed(_, let logPath, let logTail) = error else {
        Issue.record("unexpected: \(String(describing: error))")
        return
      }
      #expect(logPath == home.path + "/postgres.log")
      #expect(logTail.contains("nonsense"))
    }
  }

  @Test("a server whose database cannot be checked is stopped again, because nobody uses it")
  func failedCheck() async throws {
    try await withClusterHome { home in
      let cluster = try await start(home)
      let directory = try #require(PostmasterFile(in: home.path + "/postgres")).socketDirectory
      _ = try await cluster.query("drop database postgres")
      try await cluster.stop()
      let error = await #expect(throws: PostgresClusterError.self) { try await start(home) }
      guard case .notResponding = error else {
        Issue.record("unexpected: \(String(describing: error))")
        return
      }
      #expect(await PostgresCluster.status(home: home).state == .stopped)
      #expect(FileFacts(path: directory) == nil)
    }
  }
}

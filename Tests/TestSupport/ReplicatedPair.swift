import EmbeddedPostgreSQL
import Foundation
import Logging
import PostgreSQL

/// Two real servers: a primary, and a standby to which every commit is replicated before it is answered.
///
/// Both live in temporary homes. The standby was made by `pg_basebackup` and follows by streaming replication.
public actor ReplicatedPair {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  public nonisolated let primaryHome: URL
  public nonisolated let standbyHome: URL
  public private(set) var primary: PostgresCluster
  public private(set) var standby: PostgresCluster

  private static let settings = [
    "shared_buffers": "32MB", "max_connections": "60",
    // pg_rewind reads the old primary's WAL from the last checkpoint before the two parted.
    "wal_keep_size": "512MB",
  ]

  /// - Parameter prepare: fills the primary before the standby is made.
  public static func start(
    primaryHome: URL, standbyHome: URL, prepare: (_ conninfo: String) async throws -> Void
  ) async throws -> ReplicatedPair {
    let primary = try await PostgresCluster.start(home: primaryHome, settings: settings, log: .silent)
    try await prepare(primary.conninfo)
    try await backUp(primary, to: standbyHome)
    let standby = try await PostgresCluster.start(home: standbyHome, settings: settings, log: .silent)
    let pair = ReplicatedPair(primaryHome, standbyHome, primary, standby)
    try await pair.synchronise()
    return pair
  }

  private init(_ primaryHome: URL, _ standbyHome: URL, _ primary: PostgresCluster, _ standby: PostgresCluster)
  {
    self.primaryHome = primaryHome
    self.standbyHome = standbyHome
    self.primary = primary
    self.standby = standby
  }

  /// Both servers, the old primary first, and only the one that takes writes.
  public var conninfo: String {
    let hosts = [primary, standby].map { URL(filePath: $0.socketPath).deletingLastPathComponent().path }
    return "host=\(hosts.joined(separator: ",")) port=5432,5432 dbname=aisle user=aisle "
      + "target_session_attrs=read-write"
  }

  /// From here on a commit is answered when it is on the standby's disk.
  private func synchronise() async throws {
    try await withPool(primary.conninfo, size: 1) { pool in
      try await pool.execute("alter system set synchronous_standby_names = '*'")
      try await pool.query("select pg_reload_conf()")
      _ = try await eventually("the standby is synchronous", within: .seconds(60)) {
        try await pool.query("select sync_state from pg_stat_replication").first?.decode(String.self)
      } until: {
        $0 == "sync"
      }
    }
  }

  /// The primary is killed, the standby becomes the primary.
  public func failOver() async throws {
    kill(primary.processID, SIGKILL)
    primary.abandon()
    try await withPool(standby.conninfo, size: 1) { pool in
      try await pool.query("select pg_promote(true, 60)")
      // There is nobody to wait for until another standby is made.
      try await pool.execute("alter system reset synchronous_standby_names")
      try await pool.query("select pg_reload_conf()")
    }
  }

  /// The old primary is started again as it was, without anybody having told it what has happened.
  ///
  /// - Parameter isFenced: with `default_transaction_read_only`, as it has to be started.
  public func startStalePrimary(isFenced: Bool) async throws {
    var settings = Self.settings
    if isFenced { settings["default_transaction_read_only"] = "on" }
    primary = try await PostgresCluster.start(home: primaryHome, settings: settings, log: .silent)
  }

  /// The stopped old primary forgets what the new one never had, and follows it.
  public func rewind() async throws {
    try await primary.stop()
    let tools = try Self.tools()
    // pg_rewind looks for the new timeline in the control file, where the first checkpoint after the promotion puts
    // it; without, it finds that nothing is to be done, and the old primary never follows.
    try await withPool(standby.conninfo, size: 1) { try await $0.executeCheckpoint() }
    let source = "\(standby.conninfo) application_name=rewind"
    try await Self.run(
      [
        "\(tools)/pg_rewind", "--target-pgdata=\(primaryHome.path)/postgres", "--source-server=\(source)",
        "--write-recovery-conf", "--config-file=\(primaryHome.path)/postgres.conf",
      ])
    primary = try await PostgresCluster.start(home: primaryHome, settings: Self.settings, log: .silent)
  }

  public func stop() async throws {
    try primary.stopImmediately()
    try standby.stopImmediately()
  }

  private static func backUp(_ primary: PostgresCluster, to home: URL) async throws {
    // The server's user writes there.
    try await run(["/bin/chmod", "0777", home.path], asRoot: true)
    try await run([
      "\(try tools())/pg_basebackup", "--dbname=\(primary.conninfo)", "--pgdata=\(home.path)/postgres",
      "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream",
    ])
  }

  private static func tools() throws -> String {
    guard
      let installation = PostgresInstallation.searchedDirectories().first(where: {
        access("\($0)/pg_rewind", X_OK) == 0 && access("\($0)/postgres", X_OK) == 0
      })
    else { throw Failure(description: "pg_basebackup and pg_rewind are not installed; run bin/setup") }
    return installation
  }

  /// Runs a program to its end as the user that the server runs as.
  private static func run(_ command: [String], asRoot: Bool = false) async throws {
    let isRoot = geteuid() == 0
    let prefix =
      isRoot && !asRoot
      ? ["/usr/bin/env", "-C", "/", "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
      : []
    let all = prefix + command
    let (status, output) = try await onDedicatedThread { () throws -> (Int32, String) in
      let process = Process()
      let pipe = Pipe()
      process.executableURL = URL(filePath: all[0])
      process.arguments = Array(all.dropFirst())
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = pipe
      process.standardError = pipe
      try process.run()
      let output = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
    guard status == 0 else {
      throw Failure(description: "\(command[0]) ended with status \(status): \(output)")
    }
  }
}

extension PostgresPool {
  fileprivate func executeCheckpoint() async throws {
    try await withConnection { try await $0.executeScript("checkpoint") }
  }
}

/// Runs `body` with a pair of its own, which is gone afterwards.
public func withReplicatedPair(
  prepare: (_ conninfo: String) async throws -> Void, _ body: (ReplicatedPair) async throws -> Void
) async throws {
  try await withTemporaryHome { primary in
    try await withTemporaryHome { standby in
      let pair = try await ReplicatedPair.start(primaryHome: primary, standbyHome: standby, prepare: prepare)
      do {
        try await body(pair)
      } catch {
        try? await pair.stop()
        throw error
      }
      try await pair.stop()
    }
  }
}

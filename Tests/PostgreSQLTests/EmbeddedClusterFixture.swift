import Foundation
import Logging
import TestSupport
import Testing

@testable import EmbeddedPostgreSQL

func start(
  _ home: URL, settings: [String: String] = [:],
  with change: @escaping @Sendable (inout ServerControl) -> Void = { _ in }
) async throws -> PostgresCluster {
  var log = Logger(label: "EmbeddedPostgreSQLTests")
  log.logLevel = .critical
  let quiet = log
  return try await PostgresCluster.start(home: home) { home in
    var control = ServerControl(home: home, settings: settings, log: quiet)
    change(&control)
    return control
  }
}

extension PostgresCluster {
  func query(_ statement: String) async throws -> [String] {
    let conninfo = conninfo
    return try await onDedicatedThread { () throws(MaintenanceConnection.Failure) in
      let connection = try MaintenanceConnection(conninfo)
      return try connection.execute(statement)
    }
  }

  func show(_ setting: String) async throws -> String {
    try await query("show \(setting)").joined()
  }
}

/// A home with a stopped cluster in it: a copy, because `initdb` takes most of a test's time.
func withClusterHome(_ body: (URL) async throws -> Void) async throws {
  let original = try await StoppedCluster.shared.value
  try await withTemporaryHome { home in
    let copy = try await onDedicatedThread { () throws(PostgresClusterError) in
      try Program.run(
        ["cp", "-a", original.url.appending(path: "postgres").path, home.path],
        patience: Patience(seconds: 60))
    }
    try #require(copy.ending == .exited(0), "\(copy.text)")
    try await body(home)
  }
}

private enum StoppedCluster {
  static let shared = Task {
    let home = try TemporaryHome()
    try await start(home.url).stop()
    return home
  }
}

func names(in directory: URL) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: directory.path)
}

func sleepingProcess(as account: ServerAccount) throws -> ChildProcess {
  let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
  defer { close(null) }
  return try ChildProcess.spawn(account.launcher + ["sleep", "600"], output: null)
}

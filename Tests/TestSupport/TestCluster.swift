import EmbeddedPostgreSQL
import Foundation
import Logging
import Synchronization

/// The one PostgreSQL server of this test process: real, private, started at the first use and
/// stopped at the exit.
public enum TestCluster {
  /// Starts the server if this is the first use.
  public static func shared() async throws -> PostgresCluster {
    try await starting.value
  }

  private struct Running: Sendable {
    let cluster: PostgresCluster
    let home: TemporaryHome
  }

  private static let running = Mutex<Running?>(nil)

  private static let starting = Task {
    let home = try TemporaryHome()
    var log = Logger(label: "TestCluster")
    log.logLevel = .warning
    let cluster = try await PostgresCluster.start(
      home: home.url,
      settings: [
        // Every parallel test has a pool or two of its own.
        "max_connections": "800", "shared_buffers": "64MB",
      ], log: log)
    running.withLock { $0 = Running(cluster: cluster, home: home) }
    atexit { TestCluster.stopAtExit() }
    return cluster
  }

  private static func stopAtExit() {
    guard let running = running.withLock({ $0 }) else { return }
    do {
      try running.cluster.stopImmediately()
      running.home.remove()
    } catch {
      // The watcher tries once more when this process is gone.
      FileHandle.standardError.write(Data("\(error)\n".utf8))
    }
  }
}

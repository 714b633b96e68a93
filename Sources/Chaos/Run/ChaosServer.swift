import EmbeddedPostgreSQL
import Foundation
import Logging
import Migrations
import PostgreSQL

/// The private server of a run, which can be killed and comes back.
actor ChaosServer {
  private static let template = "chaos_template"

  let home: URL
  private let settings: [String: String]
  private var cluster: PostgresCluster
  private let logger: Logger

  private init(home: URL, settings: [String: String], cluster: PostgresCluster, logger: Logger) {
    self.home = home
    self.settings = settings
    self.cluster = cluster
    self.logger = logger
  }

  /// Starts it, with a template that has every table and no events.
  static func start(home: URL, settings: [String: String], logger: Logger) async throws -> ChaosServer {
    let cluster = try await PostgresCluster.start(home: home, settings: settings, log: logger)
    let server = ChaosServer(home: home, settings: settings, cluster: cluster, logger: logger)
    do {
      try await server.makeTemplate()
      return server
    } catch {
      await server.stop()
      throw error
    }
  }

  var socketPath: String { cluster.socketPath }

  func conninfo(database: String) -> String { cluster.conninfo(database: database) }

  private func makeTemplate() async throws {
    try await administer("create database \(Self.template)")
    let pool = try PostgresPool(
      PostgresConfiguration(cluster.conninfo(database: Self.template)), size: 1, logger: logger)
    do {
      try await Migrator(pool).migrate()
      try await ChaosTables.make(on: pool)
      await pool.close()
    } catch {
      await pool.close()
      throw error
    }
  }

  func makeDatabase(_ name: String) async throws {
    try await administer("create database \(name) template \(Self.template)")
  }

  func dropDatabase(_ name: String) async throws {
    try await administer("drop database if exists \(name) with (force)")
  }

  /// Statements about whole databases; `name` never comes from outside.
  private func administer(_ statement: String) async throws {
    let conninfo = cluster.conninfo(database: "postgres")
    try await onDedicatedThread { () throws(MaintenanceConnection.Failure) in
      let connection = try MaintenanceConnection(conninfo)
      _ = try connection.execute(statement)
    }
  }

  /// Sends the main process a signal that ends it, and starts the server again.
  func crash(signal: Int32) async throws {
    kill(cluster.processID, signal)
    cluster.abandon()
    try await revive()
  }

  /// Makes sure that a server is running and takes connections; one that has ended by itself is started.
  func heal() async throws {
    cluster.abandon()
    try await revive()
  }

  private func revive() async throws {
    for _ in 0..<50 {
      if let started = try await startIfPossible() {
        cluster = started
        return
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    cluster = try await PostgresCluster.start(home: home, settings: settings, log: logger)
  }

  /// nil: the server answered, and was thrown into recovery by a fault before it could be used.
  private func startIfPossible() async throws -> PostgresCluster? {
    do {
      return try await PostgresCluster.start(home: home, settings: settings, log: logger)
    } catch {
      if case .notResponding = error { return nil }
      throw error
    }
  }

  func stop() async {
    do { try await cluster.stop() } catch {
      logger.warning("the server of the run was not stopped", metadata: ["error": "\(error)"])
    }
  }
}

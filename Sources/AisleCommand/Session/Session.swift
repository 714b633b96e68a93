import ArgumentParser
import EmbeddedPostgreSQL
import Foundation
import Logging
import Migrations
import PostgreSQL
import ServiceLifecycle
import Synchronization
import Vocabulary

/// A database that is ready to be used by one command: the external one, or the embedded server started for it.
struct Session: Sendable {
  /// What to do about a schema that is not this program's.
  enum Schema: Sendable {
    /// Bring the embedded database up to date; demand that of an external one.
    case upToDate
    /// Take it as it is.
    case asIs
  }

  /// Whose rights a command needs.
  enum Role: Sendable {
    /// Reads and appends; cannot change the log or the schema.
    case services
    /// Owns the schema: migrates, makes databases for runs.
    case owner
  }

  let settings: Settings
  let conninfo: String
  let pool: PostgresPool
  let logger: Logger

  /// Runs `body` with a database, and puts everything away afterwards, also after SIGINT and SIGTERM, which cancel
  /// it (or, in a server, begin a graceful shutdown inside `body`).
  static func run(
    schema: Schema = .upToDate, as role: Role = .services, logLevel: Logger.Level = .warning,
    handlesSignals: Bool = true,
    _ body: @escaping @Sendable (Session) async throws -> Void
  ) async throws {
    let settings = try Settings()
    let level = settings.logLevel ?? logLevel
    LoggingSystem.bootstrap { JSONLogHandler(label: $0, level: level) }
    let logger = Logger(label: "aisle")
    guard handlesSignals else {
      try await open(settings, schema, role, logger, body)
      return
    }
    try await interruptible { try await open(settings, schema, role, logger, body) }
  }

  /// Runs `body`; SIGINT and SIGTERM cancel it, or, in a server, begin a graceful shutdown inside it.
  static func interruptible(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let outcome = Outcome()
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(
            service: BodyService { await outcome.record(body) },
            successTerminationBehavior: .gracefullyShutdownGroup)
        ],
        cancellationSignals: [.sigint, .sigterm],
        logger: Logger(label: "aisle.lifecycle") { _ in SwiftLogNoOpLogHandler() }))
    try await group.run()
    try outcome.result()
  }

  private static func open(
    _ settings: Settings, _ schema: Schema, _ role: Role, _ logger: Logger,
    _ body: @Sendable (Session) async throws -> Void
  ) async throws {
    guard let url = settings.databaseURL else {
      let cluster = try await PostgresCluster.start(home: settings.home, log: logger)
      do {
        let owner = cluster.conninfo(database: settings.databaseName)
        if schema == .upToDate { try await prepare(owner, logger) }
        let services = cluster.conninfo(database: settings.databaseName, user: ServiceRole.embedded)
        try await use(role == .owner ? owner : services, settings, schema, logger, body)
      } catch {
        do { try await cluster.stop() } catch {
          logger.warning("the embedded server was not stopped: \(error)")
        }
        throw error
      }
      try await cluster.stop()
      return
    }
    try await use(role == .owner ? settings.ownerDatabaseURL ?? url : url, settings, schema, logger, body)
  }

  /// Brings the embedded database up to date, and makes the role that everything else is done as. A home that an
  /// earlier release has made gets both here.
  private static func prepare(_ owner: String, _ logger: Logger) async throws {
    let pool = try PostgresPool(PostgresConfiguration(owner), size: 1, logger: logger)
    do {
      try await Migrator(pool).migrate()
      try await ServiceRole.admit(ServiceRole.embedded, to: TenantID.main.rawValue, pool)
    } catch {
      await pool.close()
      throw error
    }
    await pool.close()
  }

  private static func use(
    _ conninfo: String, _ settings: Settings, _ schema: Schema, _ logger: Logger,
    _ body: @Sendable (Session) async throws -> Void
  ) async throws {
    let pool = try PostgresPool(
      PostgresConfiguration(conninfo).working(for: TenantID.main.rawValue), size: settings.poolSize,
      logger: logger)
    do {
      let migrator = Migrator(pool)
      if schema == .upToDate {
        let status = try await migrator.check()
        guard status.isCurrent else { throw CommandFailure(status.explanation) }
        try await requireDurability(pool)
      }
      try await body(Session(settings: settings, conninfo: conninfo, pool: pool, logger: logger))
    } catch {
      await pool.close()
      throw error
    }
    await pool.close()
  }

  /// Runs `body` with connections for reports, whose statements are ended early.
  func withReportPool(_ body: @Sendable (PostgresPool) async throws -> Void) async throws {
    var configuration = pool.configuration
    configuration.applicationName = "aisle-reports"
    configuration.statementTimeout = settings.reportLimit
    let pool = try PostgresPool(
      configuration, size: settings.reportPoolSize, acquireTimeout: .seconds(5), logger: logger)
    do {
      try await body(pool)
    } catch {
      await pool.close()
      throw error
    }
    await pool.close()
  }

  /// A committed append is promised to be on disk.
  private static func requireDurability(_ pool: PostgresPool) async throws {
    let careless = try await pool.query(
      """
      select name || '=' || setting
      from pg_settings
      where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'
      order by name
      """
    ).map { try $0.decode(String.self) }
    guard careless.isEmpty else {
      throw CommandFailure(
        "the database has \(careless.joined(separator: ", ")), so a crash could lose committed bookings. Set what is "
          + "off to on, for the server and for this role and database")
    }
  }
}

extension Migrator.Status {
  var explanation: String {
    if !unknown.isEmpty { return Migrator.Failure.newerSchema(unknown).description }
    if !altered.isEmpty { return Migrator.Failure.altered(altered).description }
    if !pending.isEmpty {
      return "the database lacks \(pending.map(\.fileName).joined(separator: ", ")). Run: aisle migrate"
    }
    return "the schema is current (migration \(applied.last ?? 0))"
  }
}

private struct BodyService: Service {
  let body: @Sendable () async throws -> Void
  func run() async throws { try await body() }
}

/// Keeps how the body ended, because a service group only tells that it has ended.
private final class Outcome: Sendable {
  private let error = Mutex<(any Error)?>(nil)

  func record(_ body: () async throws -> Void) async {
    do {
      try await body()
    } catch {
      self.error.withLock { $0 = error }
    }
  }

  /// Interrupted commands end as shells expect it: 128 + SIGINT.
  func result() throws {
    guard let error = error.withLock({ $0 }) else { return }
    throw error is CancellationError ? ExitCode(130) : error
  }
}

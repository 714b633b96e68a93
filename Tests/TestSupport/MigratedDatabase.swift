import EventStore
import Logging
import Migrations
import PostgreSQL

extension TestTemplate {
  /// Every migration applied, the log empty.
  public static let migrated = TestTemplate { conninfo in
    try await withPool(conninfo, size: 1) { pool in
      _ = try await Migrator(pool).migrate()
      try await ServiceRole.admit(ServiceRole.embedded, to: 1, pool)
    }
  }
}

/// Runs `body` with a pool on a migrated database of its own.
public func withMigratedDatabase<T: Sendable>(
  poolSize: Int = 4, _ body: (PostgresPool) async throws -> T
) async throws -> T {
  try await withTestDatabase(from: .migrated) { conninfo in
    try await withPool(conninfo, size: poolSize, body)
  }
}

/// A test database as the services use it: with few rights, for tenant 1.
public func servicesConfiguration(_ conninfo: String) -> PostgresConfiguration {
  // Later settings win.
  PostgresConfiguration("\(conninfo) user=\(ServiceRole.embedded)", applicationName: "aisle-test").working(
    for: 1)
}

/// Runs `body` with a pool, which is closed afterwards. It logs nothing: tests break connections on purpose.
public func withPool<T: Sendable>(
  _ conninfo: String, size: Int = 4, acquireTimeout: Duration = .seconds(15),
  statementTimeout: Duration? = .seconds(60), _ body: (PostgresPool) async throws -> T
) async throws -> T {
  try await withPool(
    PostgresConfiguration(conninfo, applicationName: "aisle-test", statementTimeout: statementTimeout),
    size: size, acquireTimeout: acquireTimeout, body)
}

/// The same as somebody else, for example as ``servicesConfiguration(_:)``.
public func withPool<T: Sendable>(
  _ configuration: PostgresConfiguration, size: Int = 4, acquireTimeout: Duration = .seconds(15),
  _ body: (PostgresPool) async throws -> T
) async throws -> T {
  let pool = try PostgresPool(configuration, size: size, acquireTimeout: acquireTimeout, logger: .silent)
  do {
    let result = try await body(pool)
    await pool.close()
    return result
  } catch {
    await pool.close()
    throw error
  }
}

extension Logger {
  public static let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
}

/// Waits for a condition; fails loudly, with what it saw last, when the deadline has passed.
public func eventually<Value: Sendable>(
  _ expectation: String, within limit: Duration = .seconds(15), read: () async throws -> Value,
  until isMet: (Value) -> Bool
) async throws -> Value {
  let deadline = ContinuousClock.now + limit
  while true {
    let value = try await read()
    if isMet(value) { return value }
    guard ContinuousClock.now < deadline else {
      throw NeverHappened(description: "\(expectation): not within \(limit); last seen: \(value)")
    }
    try await Task.sleep(for: .milliseconds(5))
  }
}

public struct NeverHappened: Error, CustomStringConvertible {
  public let description: String
  public init(description: String) { self.description = description }
}

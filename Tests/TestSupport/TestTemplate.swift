import EmbeddedPostgreSQL
import Synchronization

/// What a fresh test database looks like: prepared once, then copied for each test.
///
/// ```swift
/// extension TestTemplate {
///   static let migrated = TestTemplate { conninfo in try await migrate(conninfo) }
/// }
/// ```
public final class TestTemplate: Sendable {
  /// No tables at all.
  public static let empty = TestTemplate { _ in }

  private let prepare: @Sendable (_ conninfo: String) async throws -> Void
  private let building = Mutex<Task<String, any Error>?>(nil)

  /// - Parameter prepare: fills an empty database, and closes its connections before it returns. Runs
  ///   once in the process, when the first database is wanted.
  public init(prepare: @escaping @Sendable (_ conninfo: String) async throws -> Void) {
    self.prepare = prepare
  }

  /// The template's name on the ``TestCluster``.
  func name() async throws -> String {
    let task = building.withLock { building in
      let task = building ?? Task { try await self.build() }
      building = task
      return task
    }
    return try await task.value
  }

  private func build() async throws -> String {
    let name = TestDatabase.freshName("template")
    let cluster = try await TestCluster.shared()
    try await cluster.administer("create database \(name)")
    try await prepare(cluster.conninfo(database: name))
    // Copying needs a source without sessions; from here on nobody can open one.
    try await cluster.administer("alter database \(name) with allow_connections false is_template true")
    return name
  }
}

extension PostgresCluster {
  /// Runs one statement that concerns whole databases.
  func administer(_ statement: String) async throws {
    let conninfo = conninfo(database: "postgres")
    try await onDedicatedThread { () throws(MaintenanceConnection.Failure) in
      let connection = try MaintenanceConnection(conninfo)
      _ = try connection.execute(statement)
    }
  }
}

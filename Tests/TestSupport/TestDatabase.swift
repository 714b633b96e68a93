import EmbeddedPostgreSQL
import Synchronization

/// A database that belongs to one test.
public struct TestDatabase: Sendable {
  public let name: String
  /// How libpq reaches it.
  public let conninfo: String
  private let cluster: PostgresCluster

  /// Makes a fresh copy of the template. The test must ``drop()`` it; see ``withTestDatabase(from:_:)``.
  public static func make(from template: TestTemplate = .empty) async throws -> TestDatabase {
    let cluster = try await TestCluster.shared()
    let source = try await template.name()
    let name = freshName("test")
    try await cluster.administer("create database \(name) template \(source)")
    return TestDatabase(name: name, conninfo: cluster.conninfo(database: name), cluster: cluster)
  }

  /// Deletes the database, ending the sessions that are still open.
  public func drop() async throws {
    try await cluster.administer("drop database if exists \(name) with (force)")
  }

  private static let count = Atomic(0)

  static func freshName(_ prefix: String) -> String {
    "\(prefix)_\(count.add(1, ordering: .relaxed).newValue)"
  }
}

/// Runs `body` with the connection string of a database of its own, which is dropped afterwards.
public func withTestDatabase<T>(
  from template: TestTemplate = .empty, isolation: isolated (any Actor)? = #isolation,
  _ body: (_ conninfo: String) async throws -> T
) async throws -> T {
  let database = try await TestDatabase.make(from: template)
  do {
    let result = try await body(database.conninfo)
    try await database.drop()
    return result
  } catch {
    // What the test found out matters more than whether the database could be dropped.
    try? await database.drop()
    throw error
  }
}

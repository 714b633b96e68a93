import Foundation
import Logging
import Migrations
import PostgreSQL

/// A database that exists for one run.
///
/// Not a tenant in the user's database: events are never deleted, so a run would stay in the log for ever, and a run
/// is judged by its whole log, which nobody else may write to meanwhile. A database costs a fraction of a second, runs
/// cannot disturb each other, and dropping it leaves nothing.
public struct ScenarioDatabase: Sendable {
  public let name: String
  /// How libpq reaches it.
  public let conninfo: String
  private let server: String

  /// Makes an empty database with the schema of this program.
  ///
  /// - Parameter server: a connection string of any database on the server, for a role that may create databases.
  public static func create(
    on server: String, logger: Logger = Logger(label: "aisle.scenario")
  ) async throws -> ScenarioDatabase {
    let name = "aisle_scenario_" + UUID().uuidString.lowercased().replacing("-", with: "").prefix(12)
    let database = ScenarioDatabase(
      name: name, conninfo: ConnectionString(server).with(database: name), server: server)
    // Neither what the administrator put into template1 nor the server's locale may change what a run does.
    try await database.administer("create database \(name) template template0 encoding 'UTF8' locale 'C'")
    do {
      let pool = try PostgresPool(PostgresConfiguration(database.conninfo), size: 1, logger: logger)
      let migrated = await Task { try await Migrator(pool).migrate() }.result
      await pool.close()
      _ = try migrated.get()
      return database
    } catch {
      await database.dropIfPossible(logger)
      throw error
    }
  }

  /// Deletes the database, ending the sessions that are still open.
  public func drop() async throws {
    try await administer("drop database if exists \(name) with (force)")
  }

  /// For when something else went wrong already, which matters more. Not stopped by cancellation.
  func dropIfPossible(_ logger: Logger) async {
    let dropped = await Task { try await drop() }.result
    if case .failure(let error) = dropped {
      logger.warning("the database \(name) of the run was not dropped", metadata: ["error": "\(error)"])
    }
  }

  /// The only text from outside of the statement is ``name``, which is made above of letters and digits.
  private func administer(_ statement: String) async throws {
    let pool = try PostgresPool(PostgresConfiguration(server), size: 1)
    let done = await Task { try await pool.withConnection { try await $0.executeScript(statement) } }.result
    let role = try? await pool.query("select current_user").first?.decode(String.self)
    await pool.close()
    do {
      try done.get()
    } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {
      throw ScenarioRunError(
        "a scenario runs in a database of its own, so that it never touches yours, and the role "
          + "\(role ?? "of this connection") may not create one (\(error.message)). Run: alter role "
          + "\(role ?? "…") createdb, or unset AISLE_DATABASE_URL to use the private server")
    }
  }
}

/// A libpq connection string or URI.
struct ConnectionString {
  private let text: String

  init(_ text: String) { self.text = text }

  /// The same for another database of the server. Later settings win, in both forms.
  func with(database: String) -> String {
    if text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") {
      return text + (text.contains("?") ? "&" : "?") + "dbname=" + database
    }
    // Without an equals sign libpq takes the whole text for a database's name.
    return text.contains("=") ? text + " dbname=" + database : "dbname=" + database
  }
}

/// A run that could not be carried out or judged, as opposed to one that broke its promises.
public struct ScenarioRunError: Error, CustomStringConvertible, Sendable {
  public let description: String
  public init(_ description: String) { self.description = description }
}

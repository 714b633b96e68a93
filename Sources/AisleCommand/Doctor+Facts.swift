import EmbeddedPostgreSQL
import Foundation
import Logging
import Migrations
import PostgreSQL
import Vocabulary

extension Doctor {
  /// What ``Doctor`` judges.
  struct Facts: Sendable {
    var isDatabaseExternal: Bool
    /// Newest first.
    var installations: [PostgresInstallation]
    var searched: [String]
    var isRoot: Bool
    var hasUnprivilegedUser: Bool
    var home: String
    /// Why the home cannot be used.
    var homeProblem: PostgresClusterError?
    var freeBytes: UInt64?
    var cluster: ClusterStatus
    /// As in 150018 for version 15.18.
    var libpqVersion: Int
    /// Seconds since 1970, as the clock says.
    var now: Int64
    /// When the data was last written to, as the file system says.
    var lastWritten: Int64?
    var openFileLimit: UInt64
    /// How the external database sees us; nil for the embedded one.
    var databaseRole: DatabaseRole?

    enum DatabaseRole: Sendable {
      /// - Parameter mayChangeLog: an owner or a superuser.
      case connected(name: String, mayChangeLog: Bool, tenants: Int)
      /// The schema is not there, or is of an earlier release.
      case notMigrated(name: String)
      case unreachable(reason: String)
    }

    /// Looks at this machine, without changing anything.
    static func gather(home: URL, databaseURL: String?) async -> Facts {
      let searched = PostgresInstallation.searchedDirectories()
      let cluster = await PostgresCluster.status(home: home)
      let databaseRole: DatabaseRole? = if let databaseURL { await role(in: databaseURL) } else { nil }
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      return Facts(
        isDatabaseExternal: databaseURL != nil,
        installations: await PostgresInstallation.found(in: searched),
        searched: searched,
        isRoot: geteuid() == 0,
        hasUnprivilegedUser: ServerAccount.named(ServerAccount.unprivilegedName) != nil,
        home: home.standardizedFileURL.path,
        homeProblem: await PostgresCluster.problem(withHome: home),
        freeBytes: freeSpace(near: home),
        cluster: cluster,
        libpqVersion: PostgresCluster.clientVersion,
        now: Int64(Date().timeIntervalSince1970),
        lastWritten: modified("\(cluster.dataDirectory)/global/pg_control"),
        openFileLimit: UInt64(limit.rlim_cur),
        databaseRole: databaseRole)
    }

    private static func role(in url: String) async -> DatabaseRole {
      do {
        let pool = try PostgresPool(
          PostgresConfiguration(url).working(for: TenantID.main.rawValue), size: 1,
          logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() })
        let result = await Task { try await role(in: pool) }.result
        await pool.close()
        return try result.get()
      } catch {
        return .unreachable(reason: "\(error)")
      }
    }

    private static func role(in pool: PostgresPool) async throws -> DatabaseRole {
      let rows = try await pool.query(
        "select session_user::text, to_regproc('aisle.is_operator') is not null", timeout: .seconds(10))
      guard let row = rows.first else { throw PostgresError(.decoding, "the database answered nothing") }
      let (name, isMigrated) = try row.decode(String.self, Bool.self)
      guard isMigrated else { return .notMigrated(name: name) }
      let facts = try await pool.query(
        "select aisle.is_operator(), (aisle.current_tenant() is not null)::integer", timeout: .seconds(10))
      guard let row = facts.first else { throw PostgresError(.decoding, "the database answered nothing") }
      return .connected(name: name, mayChangeLog: try row.column(0), tenants: try row.column(1, as: Int.self))
    }

    private static func freeSpace(near home: URL) -> UInt64? {
      var place = home.standardizedFileURL
      while place.path != "/" {
        if let free = fileSystemFreeSpace(at: place.path) { return free }
        place.deleteLastPathComponent()
      }
      return fileSystemFreeSpace(at: "/")
    }

    private static func modified(_ path: String) -> Int64? {
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return (attributes?[.modificationDate] as? Date).map { Int64($0.timeIntervalSince1970) }
    }
  }
}

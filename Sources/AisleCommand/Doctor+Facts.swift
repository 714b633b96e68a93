import EmbeddedPostgreSQL
import Foundation

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

    /// Looks at this machine, without changing anything.
    static func gather(home: URL, isDatabaseExternal: Bool) async -> Facts {
      let searched = PostgresInstallation.searchedDirectories()
      let cluster = await PostgresCluster.status(home: home)
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      return Facts(
        isDatabaseExternal: isDatabaseExternal,
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
        openFileLimit: UInt64(limit.rlim_cur))
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

import Foundation

/// What is known about the cluster of a home without touching it.
public struct ClusterStatus: Equatable, Sendable {
  public enum State: Equatable, Sendable {
    /// There is no cluster yet; the first start makes it.
    case absent
    case stopped
    /// Takes connections.
    case running(processID: Int32, conninfo: String)
    /// Is starting, recovering or stopping.
    case changing
    /// The data directory cannot be read, or holds something else.
    case unusable(reason: String)
  }

  public let state: State
  /// The major version that made the data.
  public let dataVersion: Int?
  /// PostgreSQL's data directory.
  public let dataDirectory: String
  /// The file with the server's messages.
  public let logFile: String

  public init(state: State, dataVersion: Int?, dataDirectory: String, logFile: String) {
    self.state = state
    self.dataVersion = dataVersion
    self.dataDirectory = dataDirectory
    self.logFile = logFile
  }
}

extension PostgresCluster {
  /// Looks at the cluster under `home`. Makes and changes nothing.
  public static func status(home: URL) async -> ClusterStatus {
    await onDedicatedThread {
      guard let home = ClusterHome(existing: home) else {
        return ClusterStatus(
          state: .absent, dataVersion: nil, dataDirectory: home.appending(path: "postgres").path,
          logFile: home.appending(path: "postgres.log").path)
      }
      return ClusterStatus(
        state: state(of: home), dataVersion: home.contents.version, dataDirectory: home.data,
        logFile: home.log)
    }
  }

  private static func state(of home: ClusterHome) -> ClusterStatus.State {
    switch home.contents {
    case .nothing: return .absent
    case .somethingElse: return .unusable(reason: "\(home.data) is not a PostgreSQL data directory")
    case .unreadable(let reason): return .unusable(reason: reason)
    case .cluster: break
    }
    // A shared lock is refused only while a server's processes hold theirs. It is gone again before
    // anybody could mind: starters look again for a while.
    let isLocked = (try? FileLock.openExisting(home.serverLock)?.tryLock(.shared)) == false
    let postmaster = PostmasterFile(in: home.data)
    guard isLocked || postmaster?.isAlive == true else { return .stopped }
    guard let postmaster, postmaster.isReady else { return .changing }
    let conninfo = postmaster.conninfo(database: ServerControl.database)
    return MaintenanceConnection.answers(conninfo)
      ? .running(processID: postmaster.processID, conninfo: conninfo) : .changing
  }
}

extension ClusterHome.Contents {
  fileprivate var version: Int? {
    if case .cluster(let version) = self { version } else { nil }
  }
}

import Foundation
import Logging

/// Starts, attaches to and stops the server of one home. Everything here blocks its thread.
///
/// Who may do what is decided by three kernel locks, never by a file that a killed process could
/// leave behind:
/// - *transition*: exclusive while a process makes, starts, attaches to or stops the cluster;
/// - *users*: shared by every process that uses the server, for as long as it does;
/// - *server*: exclusive, inherited by the server and its children. Free means that no process of
///   any server is left on this data, whatever `postmaster.pid` says.
struct ServerControl: Sendable {
  /// Superuser and owner of everything. The same name as on an external server, so that dumps fit.
  static let role = "aisle"
  static let database = "aisle"

  let home: ClusterHome
  var settings: [String: String] = [:]
  var searchedDirectories = PostgresInstallation.searchedDirectories()
  /// Where the directory of the Unix socket is made. The whole path must fit in 107 bytes.
  var socketParent = "/tmp"
  let log: Logger

  var serverLog: ServerLog { ServerLog(path: home.log) }

  /// A server that this process uses from now on.
  struct Attachment: Sendable {
    let postmaster: PostmasterFile
    /// As in 150018 for version 15.18.
    let serverVersion: Int
    /// The server's process if we started it.
    let child: ChildProcess?
    /// Held for as long as the server is used.
    let users: FileLock
  }

  func attachOrStart(patience: Patience) throws(PostgresClusterError) -> Attachment {
    let transition = try lockTransition(patience: patience)
    defer { transition.unlock() }
    let users = try FileLock.open(home.usersLock)
    try take(users, .shared, patience: patience)

    switch try presence(patience: patience) {
    case .running(let postmaster):
      let version = try checkDatabase(of: postmaster)
      return Attachment(postmaster: postmaster, serverVersion: version, child: nil, users: users)
    case .none(let serverLock):
      let (postmaster, child) = try start(holding: serverLock, patience: patience)
      do {
        let version = try checkDatabase(of: postmaster)
        return Attachment(postmaster: postmaster, serverVersion: version, child: child, users: users)
      } catch {
        // Nobody uses it, so nobody would stop it.
        stop(child, postmaster)
        throw error
      }
    }
  }

  enum Presence {
    case running(PostmasterFile)
    /// No server process exists; the lock keeps it so.
    case none(FileLock)
  }

  /// Waits until a server answers, or until it is certain that there is none.
  func presence(patience: Patience) throws(PostgresClusterError) -> Presence {
    let presence = try patience.wait(everyMilliseconds: 5) { () throws(PostgresClusterError) -> Presence? in
      let lock = try FileLock.open(home.serverLock)
      let isLocked = try !lock.tryLock(.exclusive)
      let postmaster = PostmasterFile(in: home.data)
      // Without the lock it may still be a server that somebody started by hand.
      guard isLocked || postmaster?.isAlive == true else { return .none(lock) }
      // Starting, recovering and stopping servers are not ready; they will be, or will be gone.
      guard let postmaster, postmaster.isReady,
        MaintenanceConnection.answers(postmaster.conninfo(database: "postgres"))
      else { return nil }
      return .running(postmaster)
    }
    if let presence { return presence }
    if patience.end == .cancelled { throw .cancelled }
    let who = PostmasterFile(in: home.data).map { "process \($0.processID)" } ?? "a process of it"
    throw .notResponding(
      reason: "\(who) is alive but did not take connections within \(patience.seconds) seconds",
      logPath: home.log, logTail: serverLog.tail())
  }

  func lockTransition(patience: Patience) throws(PostgresClusterError) -> FileLock {
    let lock = try FileLock.open(home.transitionLock)
    try take(lock, .exclusive, patience: patience)
    return lock
  }

  /// Makes the database if it is missing, and learns the server's version.
  private func checkDatabase(of postmaster: PostmasterFile) throws(PostgresClusterError) -> Int {
    do {
      let connection = try MaintenanceConnection(postmaster.conninfo(database: "postgres"))
      let known = "select 1 from pg_database where datname = '\(Self.database)'"
      if try connection.execute(known).isEmpty {
        try connection.execute("create database \(Self.database)")
      }
      return connection.serverVersion
    } catch {
      throw .notResponding(reason: error.description, logPath: home.log, logTail: serverLog.tail())
    }
  }

  private func take(
    _ lock: FileLock, _ mode: FileLock.Mode, patience: Patience
  ) throws(PostgresClusterError) {
    let taken = try patience.wait { () throws(PostgresClusterError) -> Bool? in
      try lock.tryLock(mode) ? true : nil
    }
    if taken == true { return }
    throw patience.end == .cancelled ? .cancelled : .busy(lockPath: lock.path, seconds: patience.seconds)
  }
}

import Foundation
import Logging
import Synchronization

/// A private PostgreSQL server under a home directory, used by this process.
///
/// ```swift
/// let cluster = try await PostgresCluster.start(home: URL(filePath: ".aisle"), log: logger)
/// let pool = PostgresPool(PostgresConfiguration(cluster.conninfo), logger: logger)
/// …
/// try await cluster.stop()
/// ```
///
/// Any number of processes may use one home at the same time. The first starts the server, the last
/// one that stops using it stops it; a process that is killed counts as having left.
public final class PostgresCluster: Sendable {
  /// The home's absolute path.
  public let home: String
  /// How libpq reaches the database `aisle`. It stays the same from start to start.
  public let conninfo: String
  /// The server's main process.
  public let processID: Int32
  /// As in 150018 for version 15.18.
  public let serverVersion: Int
  /// Whether this call started the server, or found it running.
  public let wasStarted: Bool

  private let postmaster: PostmasterFile
  private let control: ServerControl
  private let isLeaving = Atomic(false)
  private let users: Mutex<FileLock?>

  /// Makes the cluster if there is none, starts its server or attaches to the running one, and
  /// returns when it takes connections.
  ///
  /// - Parameters:
  ///   - home: is made if necessary. The cluster lies in `postgres` under it.
  ///   - settings: go to the server's configuration, over the defaults. They have no effect on a
  ///     server that runs already. `fsync`, `full_page_writes` and where the server listens are fixed.
  ///   - timeout: in seconds, for the whole of it, recovery after a crash included.
  ///   - log: hears what is done and, later, if the server ends although it is in use.
  /// - Throws: ``PostgresClusterError``; `.cancelled` when the task is cancelled meanwhile.
  public static func start(
    home: URL, settings: [String: String] = [:], timeout: Int = 120, log: Logger
  ) async throws(PostgresClusterError) -> PostgresCluster {
    try await start(home: home, timeout: timeout) { home in
      ServerControl(home: home, settings: settings, log: log)
    }
  }

  /// As above, with everything that a test wants to vary.
  static func start(
    home: URL, timeout: Int = 120, control: @escaping @Sendable (ClusterHome) -> ServerControl
  ) async throws(PostgresClusterError) -> PostgresCluster {
    let cancellation = CancellationFlag()
    let result = await withTaskCancellationHandler {
      await onDedicatedThread { () -> Result<PostgresCluster, PostgresClusterError> in
        Result { () throws(PostgresClusterError) in
          let patience = Patience(seconds: timeout, cancellation: cancellation)
          let control = control(try ClusterHome(preparing: home))
          return PostgresCluster(try control.attachOrStart(patience: patience), control: control)
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
    return try result.get()
  }

  private init(_ attachment: ServerControl.Attachment, control: ServerControl) {
    home = control.home.path
    postmaster = attachment.postmaster
    conninfo = attachment.postmaster.conninfo(database: ServerControl.database)
    processID = attachment.postmaster.processID
    serverVersion = attachment.serverVersion
    wasStarted = attachment.child != nil
    users = Mutex(attachment.users)
    self.control = control
    control.log.info(
      wasStarted ? "PostgreSQL is running" : "Attached to the running PostgreSQL",
      metadata: ["process": "\(processID)", "home": "\(home)"])
    if let child = attachment.child { watch(child) }
  }

  /// Stops using the server, and stops it if nobody else uses it.
  ///
  /// The server finishes what it does and writes everything to its files (a "fast" shutdown), which
  /// may take some seconds. Cancelling the task does not cut it short. Only the first call acts.
  /// - Returns: false if the server goes on for others.
  @discardableResult
  public func stop() async throws(PostgresClusterError) -> Bool {
    try await onDedicatedThread { () throws(PostgresClusterError) in try self.stopBlocking(.fast) }
  }

  /// How libpq reaches another database of the same server.
  package func conninfo(database: String) -> String { postmaster.conninfo(database: database) }

  /// The path of the server's Unix socket, for a proxy in front of it.
  package var socketPath: String { postmaster.socketPath }

  /// The same for another role of the server, which is trusted as much as the socket's directory: see
  /// `ServerControl.makeSocketDirectory(account:)`.
  package func conninfo(database: String, user: String) -> String {
    postmaster.conninfo(database: database, user: user)
  }

  /// Like ``stop()`` on the calling thread, without any regard for what the server is doing: for exit
  /// handlers of tests.
  @discardableResult
  package func stopImmediately() throws(PostgresClusterError) -> Bool {
    try stopBlocking(.immediate)
  }

  /// Stops using the server without stopping it, as if this process had been killed.
  package func abandon() {
    users.withLock { $0 = nil }
  }

  private func stopBlocking(_ mode: ServerControl.ShutdownMode) throws(PostgresClusterError) -> Bool {
    let held = users.withLock { lock in
      defer { lock = nil }
      return lock
    }
    guard let lock = held else { return false }
    isLeaving.store(true, ordering: .relaxed)
    let isStopped = try control.leave(users: lock, mode: mode, patience: Patience(seconds: 60))
    control.log.info(
      isStopped ? "PostgreSQL has stopped" : "PostgreSQL goes on for other processes",
      metadata: ["process": "\(processID)", "home": "\(home)"])
    return isStopped
  }

  /// Collects the server's exit status, without which it would stay behind as a zombie that looks
  /// alive to a later start, and tells when it ends although we use it.
  private func watch(_ child: ChildProcess) {
    let control = control
    Thread.detachNewThread { [weak self] in
      let ending = child.waitForEnding()
      guard let self, !self.isLeaving.load(ordering: .relaxed) else { return }
      control.log.error(
        "The PostgreSQL server ended while it was in use; start again to recover",
        metadata: [
          "process": "\(child.processID)", "ending": "\(ending)", "log": "\(control.home.log)",
          "log_tail": "\(control.serverLog.tail())",
        ])
    }
  }
}

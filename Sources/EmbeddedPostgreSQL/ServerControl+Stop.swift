import Foundation

extension ServerControl {
  enum ShutdownMode: Sendable {
    /// Ends the sessions, writes everything to the data files and exits.
    case fast
    /// Exits at once; the next start recovers from the log. For throw-away clusters and for a server
    /// that does not stop otherwise.
    case immediate
  }

  /// Gives up our use of the server, and stops it if nobody else uses it.
  /// - Returns: whether the server is stopped now.
  func leave(
    users: FileLock, mode: ShutdownMode = .fast, patience: Patience
  ) throws(PostgresClusterError) -> Bool {
    let transition = try lockTransition(patience: patience)
    defer { transition.unlock() }
    // Everybody takes the users lock under the transition lock, so nobody can come in between.
    guard try users.tryLock(.exclusive) else { return false }
    defer { users.unlock() }
    try stop(mode: mode, patience: patience)
    serverLog.rotateIfLarge()
    return true
  }

  /// Stops the server, if there is one. The caller holds the transition lock.
  private func stop(mode: ShutdownMode, patience: Patience) throws(PostgresClusterError) {
    guard try !isGone(), let postmaster = PostmasterFile(in: home.data), postmaster.isAlive else { return }
    kill(postmaster.processID, mode == .fast ? SIGINT : SIGQUIT)
    if try patience.wait(until: isGoneOrNil) == nil {
      log.warning(
        "The PostgreSQL server takes too long to stop; it will recover from its log at the next start",
        metadata: ["process": "\(postmaster.processID)", "seconds": "\(patience.seconds)"])
      kill(postmaster.processID, SIGQUIT)
      // A server's own limit for its children is 5 seconds; then it kills them.
      guard try Patience(seconds: 15).wait(until: isGoneOrNil) != nil else {
        throw .stopFailed(
          processID: postmaster.processID, reason: "it ignored a fast and an immediate shutdown")
      }
    }
    removeSocketDirectory(postmaster)
  }

  /// Stops a server that we have just started and nobody uses.
  func stop(_ child: ChildProcess, _ postmaster: PostmasterFile) {
    kill(child.processID, SIGINT)
    if Patience(seconds: 10).wait(until: { child.ending() }) == nil {
      child.killGroup()
      _ = child.waitForEnding()
    }
    removeSocketDirectory(postmaster)
  }

  private func isGoneOrNil() throws(PostgresClusterError) -> Bool? { try isGone() ? true : nil }

  /// Whether no process of a server is left.
  private func isGone() throws(PostgresClusterError) -> Bool {
    guard try FileLock.open(home.serverLock).tryLock(.exclusive) else { return false }
    return PostmasterFile(in: home.data)?.isAlive != true
  }

  private func removeSocketDirectory(_ postmaster: PostmasterFile) {
    guard postmaster.socketDirectory.hasPrefix("\(socketParent)/aisle-") else { return }
    // An immediate shutdown leaves these two.
    let socket = "\(postmaster.socketDirectory)/.s.PGSQL.\(postmaster.port)"
    unlink(socket)
    unlink("\(socket).lock")
    rmdir(postmaster.socketDirectory)
  }
}

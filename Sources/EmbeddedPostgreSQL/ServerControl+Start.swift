import Foundation

extension ServerControl {
  /// Starts a server, which inherits `serverLock`. The caller holds the transition lock.
  func start(
    holding serverLock: FileLock, patience: Patience
  ) throws(PostgresClusterError) -> (PostmasterFile, ChildProcess) {
    let account = try ServerAccount.forData(at: home.data)
    let installation = try prepareData(account: account, holding: serverLock, patience: patience)
    let socketDirectory = try makeSocketDirectory(account: account)
    // Does nothing while a server's socket is in it.
    defer { rmdir(socketDirectory) }
    try writeConfiguration()
    let command = launchCommand(installation, account: account, socketDirectory: socketDirectory)
    serverLog.rotateIfLarge()
    while true {
      switch try launch(command, holding: serverLock, patience: patience) {
      case .ready(let postmaster, let child):
        return (postmaster, child)
      case .failed(let ending, let output):
        // Children of a killed server take a moment to notice that it is gone.
        if output.contains("pre-existing shared memory block"), patience.end == nil {
          usleep(50_000)
          continue
        }
        throw failure("\(ending)", output: output)
      }
    }
  }

  /// Makes sure that there is a cluster, and finds the programs that fit it.
  private func prepareData(
    account: ServerAccount, holding serverLock: FileLock, patience: Patience
  ) throws(PostgresClusterError) -> PostgresInstallation {
    removeUnfinished()
    let contents = home.contents
    var version: Int?
    switch contents {
    case .nothing: break
    case .cluster(let found): version = found
    case .somethingElse: throw .dataDirectoryUnrecognised(path: home.data)
    case .unreadable(let reason): throw .homeUnusable(path: home.path, reason: reason)
    }
    let installation = try PostgresInstallation.choose(
      forDataOf: version, at: home.data, searching: searchedDirectories)
    try home.checkEnterable(by: account)
    if contents == .nothing {
      log.info("Making a new PostgreSQL cluster", metadata: ["path": "\(home.data)"])
      try makeCluster(with: installation, account: account, holding: serverLock, patience: patience)
    }
    return installation
  }

  private func launchCommand(
    _ installation: PostgresInstallation, account: ServerAccount, socketDirectory: String
  ) -> [String] {
    var command = account.launcher + [installation.program("postgres"), "-D", home.data]
    command += ["-c", "config_file=\(home.configuration)"]
    for setting in ServerSettings.fixed(socketDirectory: socketDirectory) {
      command += ["-c", "\(setting.name)=\(setting.value)"]
    }
    return command
  }

  private enum Launch {
    case ready(PostmasterFile, ChildProcess)
    case failed(ChildProcess.Ending, output: String)
  }

  private func launch(
    _ command: [String], holding serverLock: FileLock, patience: Patience
  ) throws(PostgresClusterError) -> Launch {
    let offset = serverLog.size
    let output = try serverLog.openForAppending()
    defer { close(output) }
    // `postmaster.pid` may name a process that has nothing to do with us: after a reboot, and in
    // containers all the time, numbers come again. We hold the server lock and saw that it is no
    // server of ours, and PostgreSQL believes that about its "grandparent". It still refuses to
    // start while anyone is attached to the old server's shared memory.
    let stale = PostmasterFile(in: home.data).map { ["PG_GRANDPARENT_PID": "\($0.processID)"] }
    let child: ChildProcess
    do {
      child = try ChildProcess.spawn(command, environment: stale ?? [:], output: output, lock: serverLock)
    } catch {
      throw failure("\(command[0]) could not be run: \(error.description)", output: "")
    }
    let launch: Launch? = patience.wait(everyMilliseconds: 5) {
      if let ending = child.ending() { return .failed(ending, output: serverLog.tail(since: offset)) }
      guard let postmaster = PostmasterFile(in: home.data), postmaster.processID == child.processID,
        postmaster.isReady
      else { return nil }
      return .ready(postmaster, child)
    }
    if let launch { return launch }
    kill(child.processID, SIGQUIT)
    if Patience(seconds: 10).wait(until: { child.ending() }) == nil {
      child.killGroup()
      _ = child.waitForEnding()
    }
    if patience.end == .cancelled { throw .cancelled }
    throw failure(
      "it was not ready within \(patience.seconds) seconds", output: serverLog.tail(since: offset))
  }

  private func failure(_ reason: String, output: String) -> PostgresClusterError {
    if output.contains("No space left on device") {
      return .diskFull(path: home.path, detail: "the server could not start for lack of space")
    }
    return .startFailed(reason: reason, logPath: home.log, logTail: output)
  }

  /// The socket lies outside the home, because its path may have at most 107 bytes.
  ///
  /// The directory is open to the server's user (and to root, who may go everywhere) alone. That is
  /// why the cluster trusts whoever connects: both could read the data files just as well. The name
  /// is made from the home's path and the cluster's own number, so that it stays the same from start
  /// to start, and differs for a copy of the home and for a home that was deleted and made again.
  private func makeSocketDirectory(account: ServerAccount) throws(PostgresClusterError) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in "\(home.systemIdentifier ?? 0) \(home.path)".utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    let digits = String(hash, radix: 16)
    let path = "\(socketParent)/aisle-" + String(repeating: "0", count: 16 - digits.count) + digits
    guard "\(path)/.s.PGSQL.\(ServerSettings.port)".utf8.count <= 107 else {
      throw .socketDirectoryUnusable(path: path, reason: "its path is too long for a Unix socket")
    }
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw .socketDirectoryUnusable(path: path, reason: errnoText())
    }
    // /tmp is everyone's: the directory may be somebody else's trap.
    guard let facts = FileFacts(path: path), facts.isDirectory else {
      throw .socketDirectoryUnusable(path: path, reason: "it is not a directory")
    }
    guard facts.owner == account.user || facts.owner == geteuid() else {
      throw .socketDirectoryUnusable(path: path, reason: "it belongs to another user")
    }
    let isOurs = facts.owner == account.user || chown(path, account.user, account.group) == 0
    guard isOurs, facts.mode & 0o7777 == 0o700 || chmod(path, 0o700) == 0 else {
      throw .socketDirectoryUnusable(path: path, reason: errnoText())
    }
    return path
  }

  private func writeConfiguration() throws(PostgresClusterError) {
    let text = ServerSettings.file(dataDirectory: home.data, extra: settings)
    let draft = "\(home.configuration).new"
    let file = try openForWriting(draft, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
    // Whatever our umask is, the server's user has to read it.
    let isWritten = writeAll(Array(text.utf8), to: file) && fchmod(file, 0o644) == 0
    let code = errno
    close(file)
    guard isWritten, rename(draft, home.configuration) == 0 else {
      throw .diskFull(path: draft, detail: errnoText(isWritten ? errno : code))
    }
  }
}

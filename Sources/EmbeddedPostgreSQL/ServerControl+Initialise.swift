import Foundation

extension ServerControl {
  /// Less than this is not worth starting with: a fresh cluster has 40 MB, and its log grows.
  private static var leastFreeSpace: UInt64 { 256 << 20 }

  /// Makes a new cluster in a directory of its own and renames it when it is whole, so that a data
  /// directory is never half made. The caller holds the transition lock.
  ///
  /// initdb inherits the server lock: if we are killed, the next process waits until it has ended,
  /// too, and does not remove files under its hands.
  func makeCluster(
    with installation: PostgresInstallation, account: ServerAccount, holding serverLock: FileLock,
    patience: Patience
  ) throws(PostgresClusterError) {
    if let free = home.freeSpace(), free < Self.leastFreeSpace {
      throw .diskFull(
        path: home.path,
        detail: "\(free >> 20) MB are free, and a new cluster needs \(Self.leastFreeSpace >> 20) MB")
    }
    let fresh = "\(home.path)/\(home.unfinishedPrefix)\(UInt32.random(in: 0 ... .max))"
    guard mkdir(fresh, 0o700) == 0, chown(fresh, account.user, account.group) == 0 else {
      throw .homeUnusable(path: home.path, reason: errnoText())
    }
    let result: Program.Output
    do {
      result = try Program.run(
        account.launcher + [
          installation.program("initdb"), "--pgdata=\(fresh)", "--username=\(Self.role)",
          // Safe because of who can reach the socket: see makeSocketDirectory(account:).
          "--auth=trust", "--encoding=UTF8",
          // Byte order never changes; the order of a language's locale changes with the C library,
          // which silently breaks indexes. Upper and lower case still follow Unicode.
          "--lc-collate=C", "--lc-ctype=C.UTF-8", "--lc-messages=C", "--lc-monetary=C",
          "--lc-numeric=C", "--lc-time=C", "--data-checksums", "--no-instructions",
        ], lock: serverLock, patience: patience)
    } catch {
      removeUnfinished()
      throw error
    }
    guard result.ending == .exited(0) else {
      removeUnfinished()
      if result.text.contains("No space left on device") {
        throw .diskFull(path: home.path, detail: "initdb ran out of space")
      }
      throw .initialisationFailed(output: result.text)
    }
    // Replaces an empty directory, and nothing else.
    guard rename(fresh, home.data) == 0 else {
      throw .homeUnusable(path: home.data, reason: errnoText())
    }
    let directory = open(home.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }

  /// What an initdb left behind that was cut off. The caller holds the transition and server locks.
  func removeUnfinished() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: home.path)) ?? []
    for name in names where name.hasPrefix(home.unfinishedPrefix) {
      do {
        try FileManager.default.removeItem(atPath: "\(home.path)/\(name)")
      } catch {
        log.warning(
          "A half-made cluster could not be removed",
          metadata: ["path": "\(home.path)/\(name)", "reason": "\(reason(of: error))"])
      }
    }
  }
}

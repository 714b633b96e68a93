import Foundation

/// The directory that holds one cluster and what belongs to it.
struct ClusterHome: Sendable {
  /// Absolute, without symbolic links, so that every process calls it by the same name.
  let path: String

  /// PostgreSQL's data directory. It appears by a rename, so it is never half made.
  var data: String { "\(path)/postgres" }
  var log: String { "\(path)/postgres.log" }
  var configuration: String { "\(path)/postgres.conf" }
  /// Held while the cluster is made, started or stopped: one process at a time.
  var transitionLock: String { "\(path)/postgres.transition.lock" }
  /// Held shared by everyone who uses the server. Whoever can take it alone was the last.
  var usersLock: String { "\(path)/postgres.users.lock" }
  /// Held by the server's own processes from birth to death. See <doc:EmbeddedPostgreSQL>.
  var serverLock: String { "\(path)/postgres.server.lock" }
  /// New clusters are made under this prefix.
  var unfinishedPrefix: String { "postgres.new-" }

  /// The home at `url`, which must exist.
  init?(existing url: URL) {
    guard let resolved = realpath(url.path, nil) else { return nil }
    defer { free(resolved) }
    path = String(cString: resolved)
  }

  /// The home at `url`, made if necessary.
  init(preparing url: URL) throws(PostgresClusterError) {
    if let reason = Self.makeDirectory(url.standardizedFileURL.path) {
      throw .homeUnusable(path: url.path, reason: "it could not be made: \(reason)")
    }
    guard let home = ClusterHome(existing: url) else {
      throw .homeUnusable(path: url.path, reason: errnoText())
    }
    try home.checkWritable()
    self = home
  }

  /// Checks that this process can make files in the home.
  func checkWritable() throws(PostgresClusterError) {
    guard FileFacts(path: path)?.isDirectory == true else {
      throw .homeUnusable(path: path, reason: "it is not a directory")
    }
    guard access(path, W_OK | X_OK) == 0 else {
      let reason = errnoText()
      let owner = FileFacts(path: path).map { ServerAccount.owner(of: $0).name } ?? "somebody else"
      throw .homeUnusable(path: path, reason: "\(reason), it belongs to user '\(owner)'")
    }
  }

  /// Makes the directory and those above it, and returns why it could not.
  private static func makeDirectory(_ path: String) -> String? {
    if mkdir(path, 0o755) == 0 {
      // Whatever root's umask is, the server's user has to get through to its data.
      if geteuid() == 0 { chmod(path, 0o755) }
      return nil
    }
    switch errno {
    case EEXIST: return nil
    case ENOENT:
      let parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
      // Only a place like /proc has a root in which nothing can be made.
      if parent.isEmpty || FileFacts(path: String(parent)) != nil { return errnoText(ENOENT) }
      return makeDirectory(String(parent)) ?? makeDirectory(path)
    default: return errnoText()
    }
  }

  /// What the data directory holds.
  enum Contents: Equatable, Sendable {
    case nothing
    case cluster(version: Int)
    case somethingElse
    case unreadable(String)
  }

  var contents: Contents {
    guard let facts = FileFacts(path: data) else { return .nothing }
    guard facts.isDirectory else { return .somethingElse }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: data)
    } catch {
      return .unreadable("\(data) belongs to another user: \(reason(of: error))")
    }
    if names.isEmpty { return .nothing }
    guard systemIdentifier != nil, let text = readFile("\(data)/PG_VERSION") else { return .somethingElse }
    let version = String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    return Int(version).map { .cluster(version: $0) } ?? .somethingElse
  }

  /// The number that initdb gave the cluster: the first eight bytes of its control file.
  var systemIdentifier: UInt64? {
    guard let control = readFile("\(data)/global/pg_control"), control.count >= 8 else { return nil }
    return control[..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Checks that the server's user can reach the home.
  func checkEnterable(by account: ServerAccount) throws(PostgresClusterError) {
    guard account.user != geteuid() else { return }
    // Asking as that user is the truth (think of access control lists); the mode bits only explain it.
    let question = account.launcher + ["test", "-x", path]
    guard try Program.run(question, patience: Patience(seconds: 10)).ending != .exited(0) else { return }
    throw .homeNotEnterable(
      home: path, directory: firstClosedDirectory(for: account) ?? path, account: account.name)
  }

  private func firstClosedDirectory(for account: ServerAccount) -> String? {
    var directory = ""
    for part in path.split(separator: "/") {
      directory += "/\(part)"
      guard let facts = FileFacts(path: directory) else { return directory }
      let bit: mode_t =
        facts.owner == account.user ? 0o100 : facts.group == account.group ? 0o010 : 0o001
      if facts.mode & bit == 0 { return directory }
    }
    return nil
  }

  /// Bytes that an unprivileged program may still write here.
  func freeSpace() -> UInt64? { fileSystemFreeSpace(at: path) }
}

/// Bytes that an unprivileged program may still write to that file system.
public func fileSystemFreeSpace(at path: String) -> UInt64? {
  var facts = statvfs()
  guard statvfs(path, &facts) == 0 else { return nil }
  return UInt64(facts.f_bavail) * UInt64(facts.f_frsize)
}

/// The system's reason inside a Foundation error.
func reason(of error: any Error) -> String {
  let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
  if let underlying, underlying.domain == NSPOSIXErrorDomain { return errnoText(Int32(underlying.code)) }
  return error.localizedDescription
}

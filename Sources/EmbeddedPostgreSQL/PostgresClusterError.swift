/// Why an embedded cluster could not be started, attached to or stopped. Every message says what
/// happened, to what, and what to do next.
public enum PostgresClusterError: Error, Equatable, Sendable {
  /// No `initdb` and `postgres` were found.
  case binariesMissing(searched: [String])
  /// Only servers older than ``PostgresInstallation/oldestSupportedVersion`` were found.
  case binariesTooOld(path: String, version: Int)
  /// The process runs as root, and there is no unprivileged user to run the server as.
  case accountMissing(name: String)
  /// The home directory cannot be made or written to.
  case homeUnusable(path: String, reason: String)
  /// The server's user may not pass through `directory`, which the home lies in.
  case homeNotEnterable(home: String, directory: String, account: String)
  /// The file system is full.
  case diskFull(path: String, detail: String)
  /// The directory of the Unix socket cannot be made, or somebody else made it.
  case socketDirectoryUnusable(path: String, reason: String)
  /// The data directory was made by a major version that is not installed.
  case dataDirectoryVersion(path: String, madeBy: Int, installed: [Int])
  /// The data directory holds files, but is no PostgreSQL data directory.
  case dataDirectoryUnrecognised(path: String)
  /// `initdb` failed.
  case initialisationFailed(output: String)
  /// The server ended before it was ready.
  case startFailed(reason: String, logPath: String, logTail: String)
  /// A server is there, but does not answer.
  case notResponding(reason: String, logPath: String, logTail: String)
  /// The server did not stop.
  case stopFailed(processID: Int32, reason: String)
  /// Another process has been starting or stopping this cluster for too long.
  case busy(lockPath: String, seconds: Int)
  /// The caller's task was cancelled.
  case cancelled
}

extension PostgresClusterError: CustomStringConvertible {
  public var description: String { "\(problem). \(remedy)" }

  /// What happened, and to what.
  public var problem: String { explanation.problem }

  /// What to do next.
  public var remedy: String { explanation.remedy }

  private var explanation: (problem: String, remedy: String) {
    switch self {
    case .binariesMissing(let searched):
      (
        "PostgreSQL's server programs (initdb, postgres) were not found in \(list(searched))",
        "Install them with: apt-get install postgresql"
      )
    case .binariesTooOld(let path, let version):
      (
        "The PostgreSQL in \(path) is version \(version); version "
          + "\(PostgresInstallation.oldestSupportedVersion) or later is needed",
        "Install it with: apt-get install postgresql"
      )
    case .accountMissing(let name):
      (
        "PostgreSQL refuses to run as root and there is no user '\(name)' to run it as",
        "Install the Debian package, which makes the user: apt-get install postgresql; "
          + "or run: useradd --system \(name)"
      )
    case .homeUnusable(let path, let reason):
      (
        "The home directory \(path) cannot be used: \(reason)",
        "Mend that, or set AISLE_HOME to a directory on a writable local disk."
      )
    case .homeNotEnterable(let home, let directory, let account):
      (
        "The server runs as user '\(account)', who may not enter \(directory), so it cannot reach \(home)",
        "Either set AISLE_HOME to a directory that it can reach (for example /var/lib/aisle), "
          + "or run: chmod o+x '\(directory)'"
      )
    case .diskFull(let path, let detail):
      (
        "There is not enough disk space at \(path): \(detail)",
        "Free some, or set AISLE_HOME to a directory on another disk."
      )
    case .socketDirectoryUnusable(let path, let reason):
      (
        "The directory for the server's Unix socket, \(path), cannot be used: \(reason)",
        "Remove it if it is a left-over, and make sure that its parent is writable."
      )
    case .dataDirectoryVersion(let path, let madeBy, let installed):
      (
        "The data in \(path) was made by PostgreSQL \(madeBy), but the installed server is version "
          + list(installed.map(String.init)),
        "Install the old one (apt-get install postgresql-\(madeBy)), or convert the data with pg_upgrade."
      )
    case .dataDirectoryUnrecognised(let path):
      (
        "\(path) holds files but is not a PostgreSQL data directory; nothing in it was touched",
        "Move it away, or set AISLE_HOME to another directory."
      )
    case .initialisationFailed(let output):
      ("initdb could not make a new cluster", "Its own words say why:\n\(indented(output))")
    case .startFailed(let reason, let logPath, let logTail):
      (
        "The PostgreSQL server did not start: \(reason)",
        "Its own words, at the end of \(logPath), say why:\n\(indented(logTail))"
      )
    case .notResponding(let reason, let logPath, let logTail):
      (
        "A PostgreSQL server is running on this home but cannot be used: \(reason)",
        "Its own words, at the end of \(logPath), may say why:\n\(indented(logTail))"
      )
    case .stopFailed(let processID, let reason):
      (
        "The PostgreSQL server (process \(processID)) did not stop: \(reason)",
        "Its data is safe; stop it with: kill -QUIT \(processID)"
      )
    case .busy(let lockPath, let seconds):
      (
        "Another process has been starting or stopping this cluster for \(seconds) seconds",
        "See who holds the lock with: fuser \(lockPath)"
      )
    case .cancelled:
      ("The work on the PostgreSQL cluster was cancelled before it was done", "Nothing has to be mended.")
    }
  }

  private func list(_ items: [String]) -> String {
    items.isEmpty ? "(nothing)" : items.joined(separator: ", ")
  }

  private func indented(_ text: String) -> String {
    text.isEmpty ? "  (nothing)" : text.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
  }
}

import Foundation

/// The operating-system user that the server runs as.
///
/// PostgreSQL refuses to run as root. Run by an ordinary user, the server is that user's own
/// process. Run by root, it is started as the owner of the existing data directory, or as the
/// user `postgres` when there is none yet.
public struct ServerAccount: Equatable, Sendable {
  /// The user that Debian's package makes.
  public static let unprivilegedName = "postgres"

  public let name: String
  let user: uid_t
  let group: gid_t
  /// False for an owner of files that the user database does not know.
  let isNamed: Bool

  static func forData(at path: String) throws(PostgresClusterError) -> ServerAccount {
    let own = geteuid()
    if own != 0 { return owner(user: own, group: getegid()) }
    if let facts = FileFacts(path: path), facts.owner != 0 { return owner(of: facts) }
    guard let account = named(unprivilegedName) else { throw .accountMissing(name: unprivilegedName) }
    return account
  }

  /// The user of that name, if there is one.
  public static func named(_ name: String) -> ServerAccount? {
    entry { getpwnam_r(name, $0, $1, $2, $3) }
  }

  static func owner(of file: FileFacts) -> ServerAccount { owner(user: file.owner, group: file.group) }

  private static func owner(user: uid_t, group: gid_t) -> ServerAccount {
    entry { getpwuid_r(user, $0, $1, $2, $3) }
      ?? ServerAccount(name: "\(user)", user: user, group: group, isNamed: false)
  }

  private static func entry(
    _ lookUp: (
      UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
      UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32
  ) -> ServerAccount? {
    var found = passwd()
    var result: UnsafeMutablePointer<passwd>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16 * 1024) { buffer in
      guard let base = buffer.baseAddress, lookUp(&found, base, buffer.count, &result) == 0, result != nil
      else { return nil }
      return ServerAccount(
        name: String(cString: found.pw_name), user: found.pw_uid, group: found.pw_gid, isNamed: true)
    }
  }

  /// What to put before a command line so that it runs as this user, from a directory that it may
  /// be in. Each program replaces itself by the next, so the process id stays the same.
  var launcher: [String] {
    let fromRoot = ["/usr/bin/env", "-C", "/"]
    if geteuid() == user { return fromRoot }
    let groups = isNamed ? "--init-groups" : "--clear-groups"
    return fromRoot + ["setpriv", "--reuid=\(user)", "--regid=\(group)", groups, "--"]
  }
}

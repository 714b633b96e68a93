import EmbeddedPostgreSQL

/// Judges what is known about the machine. Nothing here looks at the machine: see ``Facts``.
struct Doctor {
  enum Status: String, Encodable, Sendable { case ok, warning, failed }

  /// One thing that was looked at.
  struct Check: Encodable, Equatable, Sendable {
    let name: String
    let status: Status
    /// What was found.
    let detail: String
    /// What to do about it; nil when all is well.
    let remedy: String?

    static func ok(_ name: String, _ detail: String) -> Check {
      Check(name: name, status: .ok, detail: detail, remedy: nil)
    }

    static func warning(_ name: String, _ detail: String, remedy: String) -> Check {
      Check(name: name, status: .warning, detail: detail, remedy: remedy)
    }

    static func failed(_ name: String, _ detail: String, remedy: String) -> Check {
      Check(name: name, status: .failed, detail: detail, remedy: remedy)
    }
  }

  let facts: Facts

  /// Every check, in the order in which things would go wrong.
  func checks() -> [Check] {
    let everywhere = [libpq, clock, openFiles]
    // An external server is somebody else's to install and to run.
    return facts.isDatabaseExternal
      ? [databaseRole] + everywhere : [server, account, home, diskSpace, cluster] + everywhere
  }

  private var server: Check {
    let name = "PostgreSQL server"
    let oldest = PostgresInstallation.oldestSupportedVersion
    guard let newest = facts.installations.first else {
      return .failed(
        name, "initdb and postgres are in none of \(facts.searched.joined(separator: ", "))",
        remedy: "apt-get install postgresql")
    }
    guard newest.version >= oldest else {
      return .failed(
        name, "version \(newest.version) in \(newest.directory); \(oldest) or later is needed",
        remedy: "apt-get install postgresql")
    }
    return .ok(name, "version \(newest.version) in \(newest.directory)")
  }

  private var account: Check {
    let name = "Server's user"
    guard facts.isRoot else { return .ok(name, "the server runs as you") }
    let user = ServerAccount.unprivilegedName
    guard facts.hasUnprivilegedUser else {
      return .failed(
        name, "you are root, PostgreSQL refuses to run as root, and there is no user '\(user)'",
        remedy: "apt-get install postgresql, or: useradd --system \(user)")
    }
    return .ok(name, "the server runs as '\(user)', because you are root")
  }

  private var home: Check {
    let name = "Home directory"
    if let problem = facts.homeProblem {
      return .failed(name, problem.problem, remedy: problem.remedy)
    }
    return .ok(name, facts.home)
  }

  private var diskSpace: Check {
    let name = "Disk space"
    guard let free = facts.freeBytes else {
      return .warning(
        name, "unknown for \(facts.home)", remedy: "look with: df -h '\(facts.home)'")
    }
    let megabytes = free >> 20
    let remedy = "free some, or set AISLE_HOME to a directory on another disk"
    if megabytes < 256 { return .failed(name, "\(megabytes) MB are free", remedy: remedy) }
    if megabytes < 2048 { return .warning(name, "only \(megabytes) MB are free", remedy: remedy) }
    return .ok(name, "\(megabytes >> 10) GB are free")
  }

  private var cluster: Check {
    let name = "Embedded cluster"
    let status = facts.cluster
    if let version = status.dataVersion, !facts.installations.contains(where: { $0.version == version }) {
      return .failed(
        name, "\(status.dataDirectory) was made by PostgreSQL \(version), which is not installed",
        remedy: "apt-get install postgresql-\(version), or convert it with pg_upgrade")
    }
    switch status.state {
    case .absent: return .ok(name, "none yet; the first command makes it")
    case .stopped: return .ok(name, "stopped; the next command starts it")
    case .running(let processID, _): return .ok(name, "running as process \(processID)")
    case .changing:
      return .warning(
        name, "starting, recovering or stopping",
        remedy: "wait a moment; if it stays so, read \(status.logFile)")
    case .unusable(let reason):
      return .failed(
        name, reason, remedy: "move \(status.dataDirectory) away, or set AISLE_HOME to another directory")
    }
  }

  private var databaseRole: Check {
    let name = "Database role"
    switch facts.databaseRole {
    case .connected(let role, mayChangeLog: true, _):
      return .warning(
        name, "'\(role)' owns the schema or is a superuser: a mistake in a service could change the log",
        remedy: "create role shop login password '…' in role aisle_service; "
          + "insert into aisle.tenant_roles (tenant, role) values (1, 'shop'); put 'shop' into AISLE_DATABASE_URL, "
          + "and '\(role)' into AISLE_OWNER_DATABASE_URL")
    case .connected(let role, mayChangeLog: false, 0):
      return .failed(
        name, "'\(role)' may not work for tenant 1, and sees nothing",
        remedy: "as the owner: insert into aisle.tenant_roles (tenant, role) values (1, '\(role)')")
    case .connected(let role, mayChangeLog: false, _):
      return .ok(name, "'\(role)' can read and append, and cannot change the log")
    case .notMigrated(let role):
      return .warning(
        name, "'\(role)' finds no schema of this release", remedy: "as the owner: aisle migrate")
    case .unreachable(let reason):
      return .failed(name, reason, remedy: "look at AISLE_DATABASE_URL, and whether the server runs")
    case nil: return .ok(name, "the embedded server's own")
    }
  }

  private var libpq: Check {
    let name = "libpq"
    let version = "\(facts.libpqVersion / 10_000).\(facts.libpqVersion % 10_000)"
    guard facts.libpqVersion >= 140_000 else {
      return .failed(
        name, "version \(version); 14 or later is needed", remedy: "apt-get install libpq5")
    }
    return .ok(name, "version \(version)")
  }

  private var clock: Check {
    let name = "Clock"
    let remedy = "set the clock, and keep it right: apt-get install systemd-timesyncd"
    // Times are recorded in events for good: better none than wrong ones.
    guard (Self.earliestSaneTime...Self.latestSaneTime).contains(facts.now) else {
      return .failed(name, "it says \(facts.now) seconds since 1970, which cannot be", remedy: remedy)
    }
    if let written = facts.lastWritten, written > facts.now + 60 {
      return .warning(
        name, "it is \(written - facts.now) s behind the last write to the data", remedy: remedy)
    }
    return .ok(name, "plausible")
  }

  private static let earliestSaneTime: Int64 = 1_735_689_600  // 2025-01-01
  private static let latestSaneTime: Int64 = 4_102_444_800  // 2100-01-01

  private var openFiles: Check {
    let name = "Open files"
    guard facts.openFileLimit >= 1024 else {
      return .warning(
        name, "at most \(facts.openFileLimit), and every client of the API takes one",
        remedy: "ulimit -n 65536")
    }
    return .ok(name, "at most \(facts.openFileLimit)")
  }
}

import PostgreSQL

/// Brings a database's schema to this program's state, or tells how far it is from it.
public struct Migrator: Sendable {
  /// How a database's schema compares with the program.
  public struct Status: Sendable {
    public let applied: [Int]
    /// Known to the program, not yet applied.
    public let pending: [Migration]
    /// Applied with another content than the program's.
    public let altered: [Migration]
    /// Applied, but unknown to the program: the database is newer.
    public let unknown: [Int]

    public var isCurrent: Bool { pending.isEmpty && altered.isEmpty && unknown.isEmpty }
  }

  public enum Failure: Error, Sendable, CustomStringConvertible {
    case newerSchema([Int])
    case altered([Migration])
    case failed(Migration, PostgresError)

    public var description: String {
      switch self {
      case .newerSchema(let numbers):
        "the database has migration \(numbers.map(String.init).joined(separator: ", ")), which this program does "
          + "not know; it was made by a newer release. Upgrade aisle"
      case .altered(let migrations):
        "\(migrations.map(\.fileName).joined(separator: ", ")) was applied with other content than this program "
          + "has. Restore the file or use the release that applied it; migrations only go forward"
      case .failed(let migration, let error):
        "\(migration.fileName) failed, nothing of it was kept: \(error)"
      }
    }
  }

  private let pool: PostgresPool
  private let migrations: [Migration]

  public init(_ pool: PostgresPool, migrations: [Migration] = Migration.all) {
    self.pool = pool
    self.migrations = migrations
  }

  /// Compares only; changes nothing.
  public func check() async throws -> Status {
    let rows = try await pool.query("select to_regclass('public.aisle_migrations') is not null")
    guard try rows.first?.decode(Bool.self) == true else { return status([]) }
    return status(try await applied(on: pool))
  }

  /// Applies what is pending, in order, in one transaction under a lock, so that processes that start together
  /// do not collide. Returns what it applied.
  @discardableResult
  public func migrate() async throws -> [Migration] {
    if let before = try? await check(), before.isCurrent { return [] }
    return try await pool.transaction { connection in
      // A step on a long log may take minutes, and so may waiting for another process that is at it.
      try await connection.liftStatementTimeout()
      // Two processes may create the table at once; the loser of that race finds it there on its second try.
      try await connection.query("select pg_advisory_xact_lock(4712, 0)")
      try await connection.executeScript(
        """
        create table if not exists public.aisle_migrations (
          number     integer     not null primary key,
          name       text        not null,
          checksum   text        not null,
          applied_at timestamptz not null default now()
        )
        """)
      try await connection.executeScript("lock table public.aisle_migrations in exclusive mode")
      let status = status(
        try await connection.query("select number, checksum from public.aisle_migrations order by number").map
        {
          try $0.decode(Int.self, String.self)
        })
      if !status.unknown.isEmpty { throw Failure.newerSchema(status.unknown) }
      if !status.altered.isEmpty { throw Failure.altered(status.altered) }
      for migration in status.pending {
        do {
          try await connection.executeScript(migration.sql)
        } catch let error as PostgresError {
          throw Failure.failed(migration, error)
        }
        try await connection.execute(
          """
          insert into public.aisle_migrations (number, name, checksum)
          values (\(migration.number), \(migration.name), \(migration.checksum))
          """)
      }
      return status.pending
    }
  }

  private func applied(on pool: PostgresPool) async throws -> [(Int, String)] {
    try await pool.query("select number, checksum from public.aisle_migrations order by number").map {
      try $0.decode(Int.self, String.self)
    }
  }

  private func status(_ applied: [(number: Int, checksum: String)]) -> Status {
    let checksums = Dictionary(
      applied.map { ($0.number, $0.checksum) }, uniquingKeysWith: { first, _ in first })
    let known = Set(migrations.map(\.number))
    return Status(
      applied: applied.map(\.number),
      pending: migrations.filter { checksums[$0.number] == nil },
      altered: migrations.filter { checksums[$0.number] != nil && checksums[$0.number] != $0.checksum },
      unknown: applied.map(\.number).filter { !known.contains($0) })
  }
}

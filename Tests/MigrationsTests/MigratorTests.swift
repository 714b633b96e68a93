import PostgreSQL
import TestSupport
import Testing

@testable import Migrations

@Suite("Migrating a database")
struct MigratorTests {
  private static let plays = Migration(1, "plays", "create table plays (name text)")
  private static let acts = Migration(2, "acts", "create table acts (name text)")

  private func withEmptyDatabase(
    statementTimeout: Duration? = .seconds(60), _ body: (PostgresPool) async throws -> Void
  ) async throws {
    try await withTestDatabase { conninfo in
      try await withPool(conninfo, statementTimeout: statementTimeout, body)
    }
  }

  private func tables(_ pool: PostgresPool) async throws -> [String] {
    try await pool.query(
      "select table_name::text from information_schema.tables where table_schema = 'public' order by 1"
    ).map { try $0.decode(String.self) }
  }

  @Test("an empty database is behind by everything, and current afterwards")
  func empty() async throws {
    try await withEmptyDatabase { pool in
      let migrator = Migrator(pool)
      #expect(try await migrator.check().pending == Migration.all)
      #expect(try await tables(pool).isEmpty, "a check changes nothing")

      let applied = try await migrator.migrate()

      #expect(applied == Migration.all)
      #expect(try await migrator.check().isCurrent)
      #expect(try await migrator.migrate().isEmpty)
    }
  }

  @Test("a later release applies only what is new, in order")
  func onlyWhatIsNew() async throws {
    try await withEmptyDatabase { pool in
      try await Migrator(pool, migrations: [Self.plays]).migrate()

      let applied = try await Migrator(pool, migrations: [Self.plays, Self.acts]).migrate()

      #expect(applied == [Self.acts])
      #expect(try await Migrator(pool, migrations: [Self.plays, Self.acts]).check().applied == [1, 2])
    }
  }

  @Test("eight processes that start together apply every step once")
  func together() async throws {
    try await withTestDatabase { conninfo in
      let applied = try await withThrowingTaskGroup(of: [Migration].self) { group in
        for _ in 1...8 {
          group.addTask { try await withPool(conninfo, size: 1) { try await Migrator($0).migrate() } }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(applied == Migration.all)
    }
  }

  @Test("a step that fails is named, and nothing of it or of the steps before it is kept")
  func failing() async throws {
    try await withEmptyDatabase { pool in
      let broken = Migration(2, "acts", "create table acts (name text); select 1 / 0")

      let failure = await #expect(throws: Migrator.Failure.self) {
        try await Migrator(pool, migrations: [Self.plays, broken]).migrate()
      }

      #expect(failure?.description.hasPrefix("0002_acts.sql failed, nothing of it was kept") == true)
      #expect(try await tables(pool).isEmpty)
      let mended = try await Migrator(pool, migrations: [Self.plays, Self.acts]).migrate()
      #expect(mended == [Self.plays, Self.acts])
    }
  }

  @Test("a step whose file was changed after it was applied stops everything")
  func altered() async throws {
    try await withEmptyDatabase { pool in
      try await Migrator(pool, migrations: [Self.plays]).migrate()
      let changed = Migration(1, "plays", "create table plays (name text, year integer)")
      let migrator = Migrator(pool, migrations: [changed, Self.acts])

      #expect(try await migrator.check().altered == [changed])
      let failure = await #expect(throws: Migrator.Failure.self) { try await migrator.migrate() }

      #expect(failure?.description.contains("0001_plays.sql was applied with other content") == true)
      #expect(try await tables(pool) == ["aisle_migrations", "plays"])
    }
  }

  @Test("a database of a newer release is left alone")
  func newer() async throws {
    try await withEmptyDatabase { pool in
      try await Migrator(pool, migrations: [Self.plays, Self.acts]).migrate()
      let older = Migrator(pool, migrations: [Self.plays])

      #expect(try await older.check().unknown == [2])
      let failure = await #expect(throws: Migrator.Failure.self) { try await older.migrate() }

      #expect(failure?.description.contains("migration 2, which this program does not know") == true)
    }
  }

  @Test("a step may take longer than the statement time-out of the services")
  func slowStep() async throws {
    try await withEmptyDatabase(statementTimeout: .milliseconds(200)) { pool in
      let slow = Migration(1, "slow", "select pg_sleep(0.6)")

      let applied = try await Migrator(pool, migrations: [slow]).migrate()

      #expect(applied == [slow])
      let error = await #expect(throws: PostgresError.self) { try await pool.query("select pg_sleep(0.6)") }
      #expect(error?.sqlState == .queryCanceled, "the time-out is back for everything else")
    }
  }
}

extension Migration {
  fileprivate init(_ number: Int, _ name: String, _ sql: String) { self.init(number, name, Array(sql.utf8)) }
}

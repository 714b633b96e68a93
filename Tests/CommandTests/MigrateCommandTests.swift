import Foundation
import Migrations
import PostgreSQL
import TestSupport
import Testing

@Suite("aisle migrate")
struct MigrateCommandTests {
  @Test("a fresh database is behind, then migrated, then current")
  func fresh() async throws {
    try await withTestDatabase { conninfo in
      let aisle = AisleProgram(database: conninfo)
      let behind = try await aisle.run("migrate", "--check")
      #expect(behind.status == 1)
      #expect(behind.errors.contains("Run: aisle migrate"))
      #expect(try await aisle.run("migrate").status == 0)
      let current = try await aisle.run("migrate", "--check")
      #expect(current.status == 0)
      #expect(current.output.contains("current"))
      #expect(try await aisle.run("migrate").status == 0)
    }
  }

  @Test("an altered migration is found, and nothing runs on it")
  func altered() async throws {
    try await withMigratedDatabase { pool in
      try await pool.execute("update public.aisle_migrations set checksum = 'x' where number = 2")
      let aisle = AisleProgram(database: pool.configuration.connectionString)
      for result in [
        try await aisle.run("migrate", "--check"), try await aisle.run("migrate"),
        try await aisle.run("events", "read"),
      ] {
        #expect(result.status == 1)
        #expect(result.errors.contains("0002_subscriptions.sql"))
      }
    }
  }

  @Test("a schema newer than the program is refused")
  func newer() async throws {
    try await withMigratedDatabase { pool in
      try await pool.execute(
        "insert into public.aisle_migrations (number, name, checksum) values (9999, 'future', 'x')")
      let aisle = AisleProgram(database: pool.configuration.connectionString)
      for result in [try await aisle.run("migrate"), try await aisle.run("projections", "list")] {
        #expect(result.status == 1)
        #expect(result.errors.contains("9999"))
        #expect(result.errors.contains("Upgrade aisle"))
      }
    }
  }
}

import Foundation
import PostgreSQL

/// A table with the columns and indexes of one partition of `aisle.events`, for those who write without order,
/// versions or duplicate checks: `pgbench` and `COPY`.
struct YardstickTable: Sendable {
  private static let columns =
    "position, stream_id, version, recorded_at, tenant, schema_version, id, category, type, data, stream"

  let conninfo: String
  let psql: String

  func create(on pool: PostgresPool) async throws {
    try await pool.withConnection { connection in
      try await connection.executeScript(
        """
        create schema if not exists aisle_bench;
        drop table if exists aisle_bench.events;
        create table aisle_bench.events (like aisle.events_1 including all);
        create sequence if not exists aisle_bench.event_position;
        """)
    }
  }

  func drop(on pool: PostgresPool) async throws {
    try await pool.withConnection { try await $0.executeScript("drop schema aisle_bench cascade") }
  }

  /// One row, for `pgbench`.
  var insertScript: String {
    """
    insert into aisle_bench.events (\(Self.columns))
    select p, p, 1, clock_timestamp(), 1, 1, gen_random_uuid(), 'bench', 'bench-happened', '\(AppendLoad.payload)',
           'bench-' || p
    from nextval('aisle_bench.event_position') p;

    """
  }

  /// Rows a second of one `COPY` from a file into the empty table.
  func copyRate(rows: Int, on pool: PostgresPool) async throws -> Double {
    let file = FileManager.default.temporaryDirectory.appending(path: "aisle-copy-\(UUID()).csv")
    defer { try? FileManager.default.removeItem(at: file) }
    _ = try await Shell.run(
      psql,
      [
        conninfo, "-q", "-c",
        """
        \\copy (select i, i, 1, clock_timestamp(), 1, 1, gen_random_uuid(), 'bench', 'bench-happened', \
        '\(AppendLoad.payload)'::jsonb, 'bench-' || gen_random_uuid() from generate_series(1, \(rows)) i) \
        to '\(file.path)'
        """,
      ])
    try await pool.withConnection { try await $0.executeScript("truncate aisle_bench.events") }
    let start = ContinuousClock.now
    _ = try await Shell.run(
      psql, [conninfo, "-q", "-c", "\\copy aisle_bench.events (\(Self.columns)) from '\(file.path)'"])
    return Double(rows) / start.duration(to: .now).secondsAsDouble
  }
}

import EventStore
import Foundation
import PostgreSQL

/// Durable single-event appends beside `pgbench` inserting single rows without any ordering, and beside `COPY`
/// of the same rows into a table of the same shape; all on one server in one run.
struct AppendBenchmark: Sendable {
  struct Row: Sendable, Codable {
    let inFlight: Int
    let appends: Double
    let p50Microseconds: Int
    let p99Microseconds: Int
    let p999Microseconds: Int
    /// Rate of single-row inserts without ordering, with as many clients as the server allows up to `inFlight`.
    let pgbenchClients: Int
    let pgbenchInserts: Double
  }

  struct Result: Sendable, Codable {
    let rows: [Row]
    let copyRowsPerSecond: Double
    let payloadBytes: Int
  }

  private static let payload =
    #"{"account_id":"acc-77","amount":4500,"currency":"EUR","hold_id":"h-1234567890","note":"a typical payload of about two hundred bytes","occurred_at":"2026-11-24T19:30:00Z","order_id":"o-1234567890"}"#

  let conninfo: String
  let pgbench: Pgbench
  let psql: String
  let seconds: Int
  let inFlight: [Int]

  func run(progress: @Sendable (String) -> Void) async throws -> Result {
    let pool = try PostgresPool(PostgresConfiguration(conninfo), size: 4)
    try await pool.withConnection { connection in
      try await connection.executeScript(
        """
        create schema if not exists aisle_bench;
        drop table if exists aisle_bench.events;
        create table aisle_bench.events (like aisle.events including all);
        create sequence if not exists aisle_bench.event_position;
        """)
    }
    var rows: [Row] = []
    for count in inFlight {
      let clients = min(count, 64)
      progress("pgbench, \(clients) clients")
      let inserts = try await pgbench.run(Self.insertScript, clients: clients, seconds: seconds)
      progress("append, \(count) in flight")
      rows.append(try await measure(count, on: pool, pgbenchClients: clients, inserts))
    }
    progress("COPY")
    let copied = try await copyRate(pool)
    try await pool.withConnection { try await $0.executeScript("drop schema aisle_bench cascade") }
    await pool.close()
    return Result(rows: rows, copyRowsPerSecond: copied, payloadBytes: Self.payload.utf8.count)
  }

  /// The same columns and indexes as `aisle.events`, a sequence for the position, no order, no version check.
  private static let insertScript = """
    insert into aisle_bench.events (
      position, stream_id, version, recorded_at, tenant, schema_version, id, category, type, data)
    select p, p, 1, clock_timestamp(), 1, 1, gen_random_uuid(), 'bench', 'bench-happened', '\(payload)'
    from nextval('aisle_bench.event_position') p;

    """

  private func measure(
    _ count: Int, on pool: PostgresPool, pgbenchClients: Int, _ inserts: Double
  ) async throws -> Row {
    let store = EventStore(pool: pool)
    let data = Array(Self.payload.utf8)
    let start = ContinuousClock.now
    let end = start + .seconds(seconds)
    let samples = try await withThrowingTaskGroup(of: [Int].self) { group in
      for _ in 0..<count {
        group.addTask {
          var samples: [Int] = []
          while true {
            let begun = ContinuousClock.now
            guard begun < end else { return samples }
            let id = UUID.timeOrdered()
            let outcome = try await store.append(
              to: StreamName(category: "bench", id: id.uuidString), expecting: .noStream,
              [NewEvent(id: id, type: "bench-happened", data: data)])
            guard case .committed = outcome else {
              throw PostgresError(.client, "a benchmark append ended as \(outcome)")
            }
            samples.append(Int(begun.duration(to: .now).secondsAsDouble * 1e6))
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    let elapsed = start.duration(to: .now)
    let sorted = samples.sorted()
    func percentile(_ share: Double) -> Int {
      sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
    return Row(
      inFlight: count, appends: Double(sorted.count) / elapsed.secondsAsDouble,
      p50Microseconds: percentile(0.5), p99Microseconds: percentile(0.99),
      p999Microseconds: percentile(0.999),
      pgbenchClients: pgbenchClients, pgbenchInserts: inserts)
  }

  /// Rows a second of one COPY of 200,000 rows like those above, from a file.
  private func copyRate(_ pool: PostgresPool) async throws -> Double {
    let count = 200_000
    let file = FileManager.default.temporaryDirectory.appending(path: "aisle-copy-\(UUID()).csv")
    defer { try? FileManager.default.removeItem(at: file) }
    let columns =
      "position, stream_id, version, recorded_at, tenant, schema_version, id, category, type, data"
    _ = try await Shell.run(
      psql,
      [
        conninfo, "-q", "-c",
        """
        \\copy (select i, i, 1, clock_timestamp(), 1, 1, gen_random_uuid(), 'bench', 'bench-happened', \
        '\(Self.payload)'::jsonb from generate_series(1, \(count)) i) to '\(file.path)'
        """,
      ])
    try await pool.withConnection { try await $0.executeScript("truncate aisle_bench.events") }
    let start = ContinuousClock.now
    _ = try await Shell.run(
      psql, [conninfo, "-q", "-c", "\\copy aisle_bench.events (\(columns)) from '\(file.path)'"])
    return Double(count) / start.duration(to: .now).secondsAsDouble
  }
}

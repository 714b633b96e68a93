import EventStore
import Foundation
import PostgreSQL
import Vocabulary

/// Reads the log in order from its beginning, every event decoded, beside `COPY … TO` of the same rows by `psql`; and
/// a subscription that counts events in a table of its own, whose checkpoint moves in the same transaction.
struct ReadBenchmark: Sendable {
  struct Result: Sendable, Codable {
    let events: Int
    let copyRowsPerSecond: Double
    let exportedPerSecond: Double
    let readPerSecond: Double
    /// Into nearly as many rows as there are events.
    let projectedPerSecond: Double
    /// Into one row.
    let countedPerSecond: Double
  }

  let conninfo: String
  let psql: String
  let events: Int

  func run(progress: @Sendable (String) -> Void) async throws -> Result {
    let pool = try PostgresPool(PostgresConfiguration(conninfo), size: 4)
    let store = EventStore(pool: pool)
    _ = try await SyntheticLog(pool: pool).grow(to: events, progress: progress)
    let last = try await store.head()
    let count = Int(last.rawValue)

    progress("COPY TO, twice, the second counts")
    let copy = """
      \\copy (select position, version, recorded_at, schema_version, id, correlation_id, causation_id, type, actor, \
      traceparent, data, stream, tags from aisle.events where tenant = 1 order by position) \
      to '/dev/null' (format binary)
      """
    _ = try await Shell.run(psql, [conninfo, "-q", "-c", copy])
    let copied = try await rate(of: count) { _ = try await Shell.run(psql, [conninfo, "-q", "-c", copy]) }

    progress("export")
    let exported = try await rate(of: count) {
      try await store.export(after: .start, through: last) { _ in }
    }
    progress("reading, 5,000 events at a time")
    let read = try await rate(of: count) {
      var position = Position.start
      while position < last {
        let events = try await store.readAll(after: position, limit: 5_000)
        guard let next = events.last?.position else {
          throw PostgresError(.client, "the log ends at \(position), not at \(last)")
        }
        position = next
      }
    }
    progress("projection, a row a stream")
    let projected = try await rate(of: count) { try await project(store, by: { $0.stream.description }) }
    progress("projection, a row a type")
    let counted = try await rate(of: count) { try await project(store, by: { $0.type }) }
    await pool.close()
    return Result(
      events: count, copyRowsPerSecond: copied, exportedPerSecond: exported, readPerSecond: read,
      projectedPerSecond: projected, countedPerSecond: counted)
  }

  private func rate(of count: Int, _ body: () async throws -> Void) async throws -> Double {
    let start = ContinuousClock.now
    try await body()
    return Double(count) / start.duration(to: .now).secondsAsDouble
  }

  /// Counts the events by something, in batches as large as a rebuild has them.
  private func project(
    _ store: EventStore, by name: @escaping @Sendable (RecordedEvent) -> String
  ) async throws {
    try await store.pool.withConnection { connection in
      try await connection.executeScript(
        """
        create schema if not exists aisle_bench;
        create table if not exists aisle_bench.counts (name text primary key, events bigint not null);
        truncate aisle_bench.counts;
        delete from aisle.checkpoints where subscription = 'bench';
        """)
    }
    let subscription = Subscription("bench", categories: ["bench"], batchSize: 10_000) { events, connection in
      var counts: [String: Int64] = [:]
      for event in events { counts[name(event), default: 0] += 1 }
      let (names, added) = (Array(counts.keys), Array(counts.values))
      try await connection.execute(
        """
        insert into aisle_bench.counts as c (name, events)
        select n.name, n.events from unnest(\(names), \(added)) n (name, events)
        on conflict (name) do update set events = c.events + excluded.events
        """)
    }
    try await SubscriptionRunner(subscription, of: store).catchUp()
    let rows = try await store.pool.query("select sum(events)::bigint from aisle_bench.counts")
    let counted: Int = try rows.first?.decode(Int.self) ?? 0
    let head = try await store.head()
    guard counted == Int(head.rawValue) else {
      throw PostgresError(.client, "the projection counted \(counted) of \(head) events")
    }
    try await store.pool.execute("delete from aisle.checkpoints where subscription = 'bench'")
    try await store.pool.withConnection { try await $0.executeScript("drop schema aisle_bench cascade") }
  }
}

import EventStore
import PostgreSQL

/// Fills a log with events faster than they could be appended, by plain inserts of whole ranges: for measuring what a
/// log of that size does to everything else. Only for a database that is thrown away.
struct SyntheticLog: Sendable {
  /// A stream has so many events.
  static let eventsPerStream = 10

  let pool: PostgresPool

  /// - Parameter streams: how many streams it has made before. They are called `bench-1`, `bench-2` …
  /// - Returns: how many there are now.
  func grow(
    to events: Int, streams: Int = 0, progress: @Sendable (String) -> Void
  ) async throws -> Int {
    var streams = streams
    let store = EventStore(pool: pool)
    var head = Int(try await store.head().rawValue)
    while head < events {
      // Whole streams only.
      let missing = (events - head + Self.eventsPerStream - 1) / Self.eventsPerStream
      let next = head + min(200_000, missing * Self.eventsPerStream)
      progress("filling the log: \(next) of \(events) events")
      streams += try await fill(after: head, through: next, made: streams)
      try await store.addPartitions()
      head = next
    }
    try await pool.withConnection { connection in
      // One by one: `vacuum` does not run in a transaction, which several statements at once are.
      for statement in [
        "set statement_timeout = 0", "vacuum analyze aisle.events", "vacuum analyze aisle.streams",
        "vacuum analyze aisle.event_ids", "checkpoint", "reset statement_timeout",
      ] {
        try await connection.executeScript(statement, timeout: .seconds(3_600))
      }
    }
    return streams
  }

  private func fill(after head: Int, through next: Int, made: Int) async throws -> Int {
    try await pool.transaction { connection in
      try await connection.query("select position from aisle.log_head where tenant = 1 for update")
      let first = try await connection.query("select last_stream from aisle.log_head where tenant = 1")
      let streams: Int = try first.first?.decode(Int.self) ?? 0
      let last = streams + (next - head) / Self.eventsPerStream
      try await connection.query(
        """
        insert into aisle.streams (tenant, id, version, category, name)
        select 1, i, \(Self.eventsPerStream), 'bench', 'bench-' || (i - \(streams) + \(made)) from generate_series(\(streams + 1), \(last)) i
        """)
      // As appends of many writers would have put them: the events of a stream lie apart.
      try await connection.query(
        """
        with e as (
          select \(head) + i as position, \(streams) + 1 + (i - 1) % \(last - streams) as stream_id,
                 1 + (i - 1) / \(last - streams) as version, gen_random_uuid() as id
          from generate_series(1, \(next - head)) i
        ), ids as (
          insert into aisle.event_ids (tenant, id, position) select 1, e.id, e.position from e
        )
        insert into aisle.events (
          position, stream_id, version, recorded_at, tenant, schema_version, id, category, type, data, stream)
        select e.position, e.stream_id, e.version, clock_timestamp(), 1, 1, e.id, 'bench', 'bench-happened',
               \(AppendLoad.payload)::jsonb, 'bench-' || (e.stream_id - \(streams) + \(made))
        from e
        """)
      try await connection.query(
        "update aisle.log_head set position = \(next), last_stream = \(last) where tenant = 1")
      return last - streams
    }
  }
}

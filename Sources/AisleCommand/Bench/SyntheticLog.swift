import EventStore
import Foundation
import PostgreSQL

/// Fills a log with events faster than they could be appended, by plain inserts of whole ranges: for measuring what a
/// log of that size does to everything else. Only for a database that is thrown away.
struct SyntheticLog: Sendable {
  /// A stream has so many events.
  static let eventsPerStream = 10

  let pool: PostgresPool
  var content = Content.plain

  /// What the events say.
  enum Content: Sendable {
    /// All the same, of one type.
    case plain
    /// Orders and the seats that are held and booked for them, with payloads as the services record them.
    case business

    /// Of the row `e`, which has `stream_id`, `version` and `number`, the stream's own.
    fileprivate var category: String {
      switch self {
      case .plain: "'bench'"
      case .business: "case when e.number % 2 = 0 then 'order' else 'show' end"
      }
    }

    fileprivate var type: String {
      switch self {
      case .plain: "'bench-happened'"
      case .business:
        """
        case when e.number % 2 = 1 then case when e.version % 2 = 1 then 'seats-held' else 'hold-confirmed' end
             else case when e.version in (1, 6) then 'order-placed' when e.version in (4, 9) then 'order-confirmed'
                       when e.version in (2, 7) then 'payment-requested' when e.version in (3, 8) then 'payment-received'
                       else 'ticket-checked-in' end end
        """
      }
    }

    fileprivate var data: String {
      switch self {
      case .plain: "'\(AppendLoad.payload)'"
      case .business:
        """
        case when e.number % 2 = 1 then format(
               '{"hold_id": "show-%s:buyer-%s", "buyer": "buyer-%s", "seats": ["A-%s", "A-%s"], "total": {"amount": 9000, '
               '"currency": "EUR"}, "order_id": "o-%s", "held_at": "2026-11-24T19:30:00Z", "expires_at": "2026-11-24T19:40:00Z"}',
               e.number, e.position, e.position, e.version, e.version + 1, e.position)
             when e.version % 5 in (1, 4) then format(
               '{"order_id": "o-%s", "show_id": "hamlet-%s", "account_id": "acc-%s", "lines": [{"seat": "A-%s", "amount": 4500, '
               '"tax_rate_bp": 700}, {"seat": "A-%s", "amount": 4500, "tax_rate_bp": 700}], "total": {"amount": 9000, '
               '"currency": "EUR"}, "hold_id": "hamlet:%s", "occurred_at": "2026-11-24T19:30:00Z"}',
               e.number, e.number % 100, e.number % 1000, e.version, e.version + 1, e.position)
             else format(
               '{"order_id": "o-%s", "payment_id": "p-%s", "provider": "sandbox", "seat": "A-1", '
               '"amount": {"amount": 9000, "currency": "EUR"}, "received_at": "2026-11-24T19:30:00Z"}',
               e.number, e.position) end
        """
      }
    }
  }

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
      // The texts are this program's own.
      let number = "(e.stream_id - \(streams) + \(made))"
      let category = content.category.replacingOccurrences(of: "e.number", with: number)
      try await connection.executeScript(
        """
        insert into aisle.streams (tenant, id, version, category, name)
        select 1, e.stream_id, \(Self.eventsPerStream), \(category), \(category) || '-' || \(number)
        from (select i as stream_id from generate_series(\(streams + 1), \(last)) i) e
        """, timeout: .seconds(600))
      // As appends of many writers would have put them: the events of a stream lie apart.
      try await connection.executeScript(
        """
        with p as (
          select \(head) + i as position, \(streams) + 1 + (i - 1) % \(last - streams) as stream_id,
                 1 + (i - 1) / \(last - streams) as version, gen_random_uuid() as id
          from generate_series(1, \(next - head)) i
        ), e as (
          select p.*, (p.stream_id - \(streams) + \(made)) as number from p
        ), ids as (
          insert into aisle.event_ids (tenant, id, position) select 1, e.id, e.position from e
        )
        insert into aisle.events (
          position, stream_id, version, recorded_at, tenant, schema_version, id, category, type, data, stream)
        select e.position, e.stream_id, e.version, clock_timestamp(), 1, 1, e.id, \(content.category), \(content.type),
               (\(content.data))::jsonb, \(content.category) || '-' || e.number
        from e
        """, timeout: .seconds(600))
      try await connection.query(
        "update aisle.log_head set position = \(next), last_stream = \(last) where tenant = 1")
      return last - streams
    }
  }
}

extension Court {
  func positionsGapless(_ invariant: Invariant) async throws -> InvariantResult {
    let rows = try await table(
      """
      select (position + 1)::text, (next - 1)::text
      from (
        select position, lead(position) over (order by position) as next
        from (
          select 0::bigint as position
          union all
          select position from log_event
          union all
          select position + 1 from aisle.log_head where tenant = 1
        ) p
      ) p
      where next <> position + 1
      order by position
      """, columns: 2)
    let events = try await number("select count(*) from log_event")
    let log = finding(
      rows, holds: "\(counted(events, "event")) at the positions 1 to \(Numerals.grouped(events))."
    ) {
      "\(counted($0, "place")) where a position is missing or there twice, the first at \(rows[0][0])."
    }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log,
      details: rows.isEmpty ? nil : .init(columns: ["from", "to"], rows: rows))
  }

  func streamVersionsContiguous(_ invariant: Invariant) async throws -> InvariantResult {
    let rows = try await table(
      """
      select coalesce(e.stream, 'stream ' || e.stream_id), e.position::text, e.version::text, e.expected::text
      from (
        select *, row_number() over (partition by stream_id order by position) as expected
        from log_event
      ) e
      where e.version <> e.expected
      union all
      select s.name, null, s.version::text, count(e.position)::text
      from aisle.streams s
      left join log_event e on e.stream_id = s.id
      group by s.id, s.name, s.version
      having s.version <> count(e.position)
      order by 1, 2
      """, columns: 4)
    let streams = try await number("select count(distinct stream_id) from log_event")
    let log = finding(rows, holds: "\(counted(streams, "stream")), each 1, 2, 3 … in the order of positions.")
    {
      "\(counted($0, "version")) out of order."
    }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log,
      details: rows.isEmpty ? nil : .init(columns: ["stream", "position", "version", "expected"], rows: rows))
  }

  func readModelEqualsLog(_ invariant: Invariant) async throws -> InvariantResult {
    var rows = try await table(
      """
      select 'seat', coalesce(l.show_id || ' ' || l.seat, t.show_id || ' ' || t.seat),
             l.state || ' ' || l.hold_id, t.state || ' ' || t.hold_id
      from (
        select show_id, seat, hold_id, case type when 'seats-held' then 'held' else 'booked' end as state
        from (
          select distinct on (show_id, seat) *
          from log_change
          order by show_id, seat, position desc
        ) c
        where type in ('seats-held', 'hold-confirmed')
      ) l
      full join aisle.taken_seats t on t.show_id = l.show_id and t.seat = l.seat
      where l.state is distinct from t.state or l.hold_id is distinct from t.hold_id
      union all
      select 'hold', coalesce(l.hold_id, h.hold_id), l.status || ' ' || l.seats::text, h.status || ' ' || h.seats::text
      from (
        select hold_id, order_id, buyer,
               (select array_agg(c.seat order by c.seat collate "C")
                from log_change c
                where c.position = log_hold.position) as seats,
               case when ended_by = 'booking-cancelled' then 'cancelled'
                    when confirmed_position is not null then 'confirmed'
                    when ended_by is not null then substr(ended_by, 6)
                    else 'held' end as status
        from log_hold
      ) l
      full join aisle.holds h on h.hold_id = l.hold_id
      where l.status is distinct from h.status or l.order_id is distinct from h.order_id
         or l.buyer is distinct from h.buyer
         or l.seats is distinct from (
           select array_agg(s.seat order by s.seat collate "C") from unnest(h.seats) s (seat))
      union all
      select 'order', coalesce(l.order_id, o.order_id), concat_ws(' ', l.status, l.total, l.refund, l.reason),
             concat_ws(' ', o.status, o.amount, o.refund, o.reason)
      from (
        select order_id, total, coalesce(refund, 0) as refund, reason,
               case when cancelled_position is not null then 'cancelled'
                    when failed_position is not null then 'failed'
                    when confirmed_position is not null then 'confirmed'
                    else 'placed' end as status
        from log_order
      ) l
      full join aisle.orders o on o.order_id = l.order_id
      where l.status is distinct from o.status or l.total is distinct from o.amount
         or l.refund is distinct from o.refund or l.reason is distinct from o.reason
      union all
      select 'show', coalesce(l.show_id, s.show_id), l.version::text, s.version::text
      from (
        select substr(stream, 6) as show_id, max(version) as version
        from log_event
        where category = 'show'
        group by stream
      ) l
      full join aisle.shows s on s.show_id = l.show_id
      where l.version is distinct from s.version
      order by 1, 2
      """, columns: 4)
    rows += try await table(
      """
      select 'subscription', c.subscription, h.position::text, c.position::text
      from aisle.checkpoints c
      join aisle.log_head h on h.tenant = c.tenant
      where c.position <> h.position and c.partitions > 0
      """, columns: 4)
    let counts = try await table(
      """
      select (select count(*) from aisle.taken_seats)::text, (select count(*) from aisle.holds)::text,
             (select count(*) from aisle.orders)::text
      """, columns: 3)[0]
    let model = finding(
      rows,
      holds:
        "Seats (\(counts[0]) taken), holds (\(counts[1])) and orders (\(counts[2])) are as the log has them."
    ) { "\(counted($0, "row")) not as the log has it, the first of \(rows[0][0]) \(rows[0][1])." }
    return InvariantResult(
      invariant, evidence: model.evidence, fromReadModel: model,
      details: rows.isEmpty ? nil : .init(columns: ["what", "which", "log", "read model"], rows: rows))
  }

  /// What the run added. Events of one batch have the same inserting transaction.
  func logGrowth() async throws -> LogGrowth {
    let rows = try await connection.query(
      """
      select count(*), count(distinct xmin::text)
      from aisle.events
      where tenant = 1 and position > \(start)
      """)
    let (events, appends) = try rows.first?.decode(Int.self, Int.self) ?? (0, 0)
    return LogGrowth(appends: appends, events: events)
  }
}

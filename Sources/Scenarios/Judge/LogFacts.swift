/// The log in tables that a check can be written against, made from `aisle.events` by SQL alone: nothing here knows
/// the services' code, so a mistake in a decider or a fold cannot hide itself. Only names of buyers, which are sealed in
/// the log, are opened by the event store.
///
/// The tables are temporary and belong to the judge's connection. A run's database has one tenant.
enum LogFacts {
  static let events = """
    create temporary table log_event as
    select e.position, e.version, e.stream_id, e.category, e.type, e.data, s.name as stream
    from aisle.events e
    left join aisle.streams s on s.tenant = e.tenant and s.id = e.stream_id;
    create index on log_event (type);
    """

  static let script = """
    -- Every seat of every show.
    create temporary table log_seat as
    select s.data ->> 'show_id' as show_id, p.section ->> 'id' as section, p.section_no, r.row_no,
           n.seat_no, (r.row_data ->> 'id') || '-' || coalesce(r.row_data -> 'labels' ->> n.seat_no - 1, n.seat_no::text)
             as seat
    from log_event s
    cross join lateral jsonb_array_elements(s.data -> 'sections') with ordinality p (section, section_no)
    -- Where people stand, the section is the row.
    cross join lateral jsonb_array_elements(
      case
        when p.section ? 'capacity'
          then jsonb_build_array(jsonb_build_object('id', p.section ->> 'id', 'seats', p.section -> 'capacity'))
        else p.section -> 'rows'
      end) with ordinality r (row_data, row_no)
    cross join lateral generate_series(1, (r.row_data ->> 'seats')::integer) n (seat_no)
    where s.type = 'show-scheduled';

    -- Every fact about a seat: held, confirmed, released, expired, cancelled.
    create temporary table log_change as
    select e.position, e.type, substr(e.stream, 6) as show_id, e.data ->> 'hold_id' as hold_id, x.seat
    from log_event e
    cross join lateral jsonb_array_elements_text(e.data -> 'seats') x (seat)
    where e.category = 'show' and e.type <> 'show-scheduled';
    create index on log_change (show_id, seat, position);
    create index on log_change (position);

    -- Every hold with how it went on.
    create temporary table log_hold as
    select h.position, h.data ->> 'hold_id' as hold_id, substr(h.stream, 6) as show_id, h.data ->> 'buyer' as buyer,
           greatest((h.data ->> 'expires_at')::timestamptz, e.expires_at) as expires_at, c.position as confirmed_position,
           c.confirmed_at, c.order_id, x.position as ended_position, x.type as ended_by
    from log_event h
    left join (
      select data ->> 'hold_id' as hold_id, max((data ->> 'expires_at')::timestamptz) as expires_at
      from log_event
      where type = 'hold-extended'
      group by data ->> 'hold_id'
    ) e on e.hold_id = h.data ->> 'hold_id'
    left join (
      select distinct on (data ->> 'hold_id') data ->> 'hold_id' as hold_id, position,
             (data ->> 'confirmed_at')::timestamptz as confirmed_at, data ->> 'order_id' as order_id
      from log_event
      where type = 'hold-confirmed'
      order by data ->> 'hold_id', position
    ) c on c.hold_id = h.data ->> 'hold_id'
    left join (
      select distinct on (data ->> 'hold_id') data ->> 'hold_id' as hold_id, position, type
      from log_event
      where type in ('hold-released', 'hold-expired', 'booking-cancelled')
      order by data ->> 'hold_id', position
    ) x on x.hold_id = h.data ->> 'hold_id'
    where h.type = 'seats-held';

    -- Every booking of a seat, from its confirmation to its cancellation.
    create temporary table log_booking as
    select b.show_id, b.seat, b.hold_id, h.buyer, h.order_id, b.position as from_position,
           min(c.position) as to_position
    from log_change b
    left join (select distinct on (hold_id) * from log_hold order by hold_id, position) h on h.hold_id = b.hold_id
    left join log_change c
      on c.type in ('booking-cancelled', 'booking-seats-cancelled') and c.show_id = b.show_id and c.seat = b.seat and c.hold_id = b.hold_id
     and c.position > b.position
    where b.type = 'hold-confirmed'
    group by b.show_id, b.seat, b.hold_id, h.buyer, h.order_id, b.position;
    create index on log_booking (show_id, seat, from_position);

    -- Every order with how it went on.
    create temporary table log_order as
    select p.position, p.data ->> 'order_id' as order_id, p.data ->> 'show_id' as show_id,
           p.data ->> 'hold_id' as hold_id, p.data ->> 'account_id' as account_id, p.data ->> 'buyer' as buyer,
           (p.data -> 'total' ->> 'amount')::bigint as total, (p.data ->> 'placed_at')::timestamptz as placed_at,
           c.position as confirmed_position, f.position as failed_position, f.data ->> 'reason' as reason,
           x.position as cancelled_position, (x.data -> 'refund' ->> 'amount')::bigint as refund
    from log_event p
    left join (
      select distinct on (stream_id) * from log_event where type = 'order-confirmed' order by stream_id, position
    ) c on c.stream_id = p.stream_id
    left join (
      select distinct on (stream_id) * from log_event where type = 'order-failed' order by stream_id, position
    ) f on f.stream_id = p.stream_id
    left join (
      select distinct on (stream_id) * from log_event where type = 'order-cancelled' order by stream_id, position
    ) x on x.stream_id = p.stream_id
    where p.type = 'order-placed';

    -- Every line of every order that was confirmed.
    create temporary table log_line as
    select c.data ->> 'order_id' as order_id, c.data ->> 'show_id' as show_id, l.seat, l.amount
    from log_event c
    cross join lateral jsonb_to_recordset(c.data -> 'lines') l (seat text, amount bigint)
    where c.type = 'order-confirmed';

    -- Every charge and refund of every account.
    create temporary table log_entry as
    select e.position, e.type, e.data ->> 'account_id' as account_id, e.data ->> 'order_id' as order_id,
           e.data ->> 'month' as month, e.data ->> 'currency' as currency, (e.data ->> 'gross')::bigint as gross,
           (e.data ->> 'tax')::bigint as tax, p.sum as postings
    from log_event e
    cross join lateral (
      select coalesce(sum(x.amount), 0)::bigint as sum
      from jsonb_to_recordset(e.data -> 'postings') x (amount bigint)
    ) p
    where e.type in ('charged', 'refunded');

    analyze log_event, log_seat, log_change, log_hold, log_booking, log_order, log_line, log_entry;
    """
}

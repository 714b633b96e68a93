import Vocabulary

extension Court {
  func noSeatBookedTwice(_ invariant: Invariant) async throws -> InvariantResult {
    // Each booking that came while somebody else had the seat, with who had it.
    let rows = try await table(
      """
      select b.show_id, b.seat, b.buyer, b.order_id, b.from_position::text, a.buyer, a.from_position::text
      from log_booking b
      cross join lateral (
        select *
        from log_booking a
        where a.show_id = b.show_id and a.seat = b.seat and a.from_position < b.from_position
          and (a.to_position is null or a.to_position > b.from_position)
        order by a.from_position
        limit 1
      ) a
      order by b.from_position
      """, columns: 7)
    let bookings = try await number("select count(*) from log_booking")
    let seats = Set(rows.map { $0[0] + " " + $0[1] })
    let log = finding(rows, holds: "\(counted(bookings, "booking")), none of a seat that was taken.") {
      count in
      "\(counted(seats.count, "seat")) booked again while somebody had \(seats.count == 1 ? "it" : "them"): "
        + "\(counted(count, "booking")) too many."
    }

    let doubles = try await table(
      """
      select h.show_id, s.seat, count(*)::text, string_agg(h.buyer, ', ' order by h.buyer)
      from aisle.holds h
      cross join unnest(h.seats) s (seat)
      where h.status = 'confirmed'
      group by h.show_id, s.seat
      having count(*) > 1
      order by h.show_id, s.seat
      """, columns: 4)
    let model = finding(doubles, holds: "No seat has two confirmed holds.") {
      "\(counted($0, "seat has", "seats have")) more than one confirmed hold; "
        + "\(doubles[0][1]) has \(doubles[0][2])."
    }
    return InvariantResult(
      invariant,
      evidence: log.holds ? log.evidence : log.evidence + " First: \(rows[0][1]), to \(rows[0][2]).",
      fromLog: log, fromReadModel: model,
      details: rows.isEmpty
        ? nil
        : .init(
          columns: ["show", "seat", "booked by", "order", "position", "while booked by", "since position"],
          rows: rows),
      brokenAtMicroseconds: firstAnswer(to: Set(rows.map { $0[2] })))
  }

  /// When the first of these buyers was told that they won; answers need not come in the order of the log.
  private func firstAnswer(to buyers: Set<String>) -> Int64? {
    performance.recording.attempts.filter { $0.outcome == .won && buyers.contains($0.buyer) }
      .map(\.endMicroseconds).min()
  }

  func allSeatsSold(_ invariant: Invariant) async throws -> InvariantResult {
    let free = try await table(
      """
      select s.show_id, s.section, s.seat
      from log_seat s
      where not exists (
        select from log_booking b where b.show_id = s.show_id and b.seat = s.seat and b.to_position is null)
      order by s.show_id, s.section_no, s.row_no, s.seat_no
      """, columns: 3)
    let seats = try await number("select count(*) from log_seat")
    let log = finding(free, holds: "All \(counted(seats, "seat")) are booked.") {
      "\(counted($0, "seat")) of \(Numerals.grouped(seats)) not booked."
    }
    let missing = try await table(
      """
      select s.show_id, (s.seats - count(t.seat))::text
      from aisle.shows s
      left join aisle.taken_seats t on t.tenant = s.tenant and t.show_id = s.show_id and t.state = 'booked'
      group by s.show_id, s.seats
      having count(t.seat) <> s.seats
      """, columns: 2)
    let model = finding(missing, holds: "Every show has as many booked seats as seats.") {
      "\(counted($0, "show")) with seats that are not booked, \(missing[0][0]) with \(missing[0][1])."
    }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log, fromReadModel: model,
      details: free.isEmpty ? nil : .init(columns: ["show", "section", "seat"], rows: free))
  }

  func seatsSold(_ invariant: Invariant) async throws -> InvariantResult {
    let wanted = expectedCount(invariant)
    let inLog = try await number(
      "select count(*) from log_change where type = 'hold-confirmed' and position > \(start)")
    let inModel = try await number(
      """
      select coalesce(sum(cardinality(h.seats)), 0)
      from aisle.holds h
      where h.status in ('confirmed', 'cancelled') and h.position > \(start)
      """)
    return InvariantResult(
      invariant,
      evidence: "\(counted(inLog, "seat")) sold in this run, \(Numerals.grouped(wanted)) expected.",
      fromLog: .init(holds: inLog == wanted, evidence: "\(counted(inLog, "seat")) confirmed."),
      fromReadModel: .init(
        holds: inModel == wanted, evidence: "\(counted(inModel, "seat")) under sold holds."))
  }

  func noSeatLeftHeld(_ invariant: Invariant) async throws -> InvariantResult {
    let now = performance.simulatedEnd
    let rows = try await table(
      """
      select h.show_id, h.hold_id, h.buyer, h.expires_at::text
      from log_hold h
      where h.confirmed_position is null and h.ended_position is null and h.expires_at > \(now)
      order by h.position
      """, columns: 4)
    let holds = try await number("select count(*) from log_hold")
    let log = finding(rows, holds: "\(counted(holds, "hold")), each confirmed or ended.") {
      "\(counted($0, "hold")) still open."
    }
    let held = try await table(
      """
      select t.show_id, t.seat, t.hold_id
      from aisle.taken_seats t
      left join aisle.holds h on h.tenant = t.tenant and h.hold_id = t.hold_id
      where t.state = 'held' and (h.expires_at is null or h.expires_at > \(now))
      """, columns: 3)
    let model = finding(held, holds: "No seat is listed as held.") {
      "\(counted($0, "seat")) listed as held."
    }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log, fromReadModel: model,
      details: rows.isEmpty ? nil : .init(columns: ["show", "hold", "buyer", "until"], rows: rows))
  }

  func expiredHoldsSoldNothing(_ invariant: Invariant) async throws -> InvariantResult {
    let rows = try await table(
      """
      select h.show_id, h.hold_id, h.buyer, h.expires_at::text, h.confirmed_at::text
      from log_hold h
      where h.confirmed_at >= h.expires_at
      order by h.confirmed_position
      """, columns: 5)
    let expired = try await number("select count(*) from log_hold where ended_by = 'hold-expired'")
    let log = finding(rows, holds: "\(counted(expired, "hold")) expired, none of them was confirmed.") {
      "\(counted($0, "hold")) confirmed at or after the end."
    }
    // The table of holds does not say when one was confirmed; an order that was placed too late tells.
    let late = try await table(
      """
      select h.hold_id, o.order_id
      from aisle.orders o
      join aisle.holds h on h.tenant = o.tenant and h.hold_id = o.hold_id
      where o.placed_at >= h.expires_at and (o.status = 'confirmed' or h.status in ('confirmed', 'cancelled'))
      """, columns: 2)
    let model = finding(late, holds: "No order that was placed too late is confirmed.") {
      "\(counted($0, "order")) placed too late and confirmed."
    }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log, fromReadModel: model,
      details: rows.isEmpty
        ? nil : .init(columns: ["show", "hold", "buyer", "expired at", "confirmed at"], rows: rows))
  }

  func expectedCount(_ invariant: Invariant) -> Int {
    if case .count(let count) = invariant.parameter { count } else { 1 }
  }
}

import Booking
import EventStore
import Foundation
import PostgreSQL
import Vocabulary

extension ReadModels {
  /// Fills `aisle.shows`, `aisle.taken_seats` and `aisle.holds`.
  var shows: Subscription {
    let tenant = store.tenant.rawValue
    return Subscription(
      "shows", categories: [Booking.Event.category], batchSize: 2000, onPoison: .park(after: 5),
      tables: ["shows", "taken_seats", "holds"]
    ) { events, connection in
      var changes = ShowChanges()
      for event in events { try changes.add(event) }
      try await changes.write(tenant: tenant, on: connection)
    }
  }
}

/// The net effect of a batch of show events, written with one statement for each table and kind of change.
private struct ShowChanges {
  private struct SeatKey: Hashable {
    let show: String
    let seat: String
  }

  private struct Seat {
    let state: String
    let hold: String
  }

  private struct NewHold {
    let terms: Booking.SeatsHeld
    let show: String
  }

  private struct HoldStatus {
    var status: String
    var order: String?
    var position: Int64
  }

  private var scheduled: [(show: Booking.ShowScheduled, position: Int64)] = []
  private var versions: [String: Int64] = [:]
  private var seats: [SeatKey: Seat?] = [:]
  private var newHolds: [NewHold] = []
  private var statuses: [String: HoldStatus] = [:]
  private var extensions: [String: Timestamp] = [:]
  private var cancelled: [String: Timestamp] = [:]

  mutating func add(_ recorded: RecordedEvent) throws {
    let show = recorded.stream.id
    let position = recorded.position.rawValue
    versions[show] = recorded.version
    switch try recorded.decode(as: Booking.Event.self) {
    case .showScheduled(let fact): scheduled.append((fact, position))
    case .seatsHeld(let fact):
      newHolds.append(NewHold(terms: fact, show: show))
      change(fact.holdID, to: "held", at: position)
      for seat in fact.seats { set(seat, of: show, to: Seat(state: "held", hold: fact.holdID.rawValue)) }
    case .holdExtended(let fact):
      change(fact.holdID, to: "held", at: position)
      extensions[fact.holdID.rawValue] = fact.expiresAt
    case .waitingListJoined, .waitingListLeft: break
    case .showCancelled(let fact): cancelled[show] = fact.cancelledAt
    case .holdConfirmed(let fact):
      change(fact.holdID, to: "confirmed", order: fact.orderID, at: position)
      for seat in fact.seats { set(seat, of: show, to: Seat(state: "booked", hold: fact.holdID.rawValue)) }
    case .holdReleased(let fact):
      change(fact.holdID, to: "released", at: position)
      for seat in fact.seats { set(seat, of: show, to: nil) }
    case .holdExpired(let fact):
      change(fact.holdID, to: "expired", at: position)
      for seat in fact.seats { set(seat, of: show, to: nil) }
    case .bookingCancelled(let fact):
      change(fact.holdID, to: "cancelled", order: fact.orderID, at: position)
      for seat in fact.seats { set(seat, of: show, to: nil) }
    case .bookingSeatsCancelled(let fact):
      for seat in fact.seats { set(seat, of: show, to: nil) }
    }
  }

  private mutating func change(_ hold: HoldID, to status: String, order: OrderID? = nil, at position: Int64) {
    statuses[hold.rawValue] = HoldStatus(status: status, order: order?.rawValue, position: position)
  }

  private mutating func set(_ seat: SeatID, of show: String, to value: Seat?) {
    seats.updateValue(value, forKey: SeatKey(show: show, seat: seat.rawValue))
  }

  func write(tenant: Int32, on connection: PostgresConnection) async throws {
    for (show, position) in scheduled { try await insert(show, position, tenant: tenant, on: connection) }
    try await insertHolds(tenant: tenant, on: connection)
    try await updateHolds(tenant: tenant, on: connection)
    try await extendHolds(tenant: tenant, on: connection)
    try await cancelShows(tenant: tenant, on: connection)
    try await writeSeats(tenant: tenant, on: connection)
    let shows = Array(versions.keys)
    try await connection.execute(
      """
      update shows s
      set version = v.version
      from unnest(\(shows), \(shows.map { versions[$0] ?? 0 })) v (show_id, version)
      where s.tenant = \(tenant) and s.show_id = v.show_id
      """)
  }

  private func insert(
    _ show: Booking.ShowScheduled, _ position: Int64, tenant: Int32, on connection: PostgresConnection
  ) async throws {
    let sections = JSONB(Array(try JSONEncoder().encode(show.plan.sections)))
    try await connection.execute(
      """
      insert into shows (
        tenant, show_id, title, starts_at, currency, tax_rate_bp, hold_ttl_seconds, seats, sections, scheduled_at,
        version, position)
      values (
        \(tenant), \(show.showID.rawValue), \(show.title), \(show.startsAt), \(show.currency.code),
        \(show.taxRateBasisPoints), \(show.holdTTLSeconds),
        \(show.plan.totalSeats - show.plan.blockedSeats), \(sections),
        \(show.scheduledAt), 1, \(position))
      """)
  }

  private func insertHolds(tenant: Int32, on connection: PostgresConnection) async throws {
    guard !newHolds.isEmpty else { return }
    // Arrays of arrays must be rectangular in PostgreSQL, so the seats travel as text.
    try await connection.execute(
      """
      insert into holds (
        tenant, hold_id, show_id, buyer, seats, amount, currency, held_at, expires_at, status, position)
      select \(tenant), h.hold_id, h.show_id, h.buyer, string_to_array(h.seats, ' '), h.amount, h.currency,
             h.held_at, h.expires_at, 'held', 0
      from unnest(
        \(newHolds.map(\.terms.holdID.rawValue)), \(newHolds.map(\.show)), \(newHolds.map(\.terms.buyer.rawValue)),
        \(newHolds.map { $0.terms.seats.map(\.rawValue).joined(separator: " ") }),
        \(newHolds.map(\.terms.total.minorUnits)), \(newHolds.map(\.terms.total.currency.code)),
        \(newHolds.map(\.terms.heldAt)), \(newHolds.map(\.terms.expiresAt)))
        h (hold_id, show_id, buyer, seats, amount, currency, held_at, expires_at)
      """)
  }

  private func updateHolds(tenant: Int32, on connection: PostgresConnection) async throws {
    guard !statuses.isEmpty else { return }
    let holds = Array(statuses.keys)
    try await connection.execute(
      """
      update holds h
      set status = s.status, order_id = coalesce(s.order_id, h.order_id), position = s.position
      from unnest(
        \(holds), \(holds.map { statuses[$0]?.status }), \(holds.map { statuses[$0]?.order }),
        \(holds.map { statuses[$0]?.position })) s (hold_id, status, order_id, position)
      where h.tenant = \(tenant) and h.hold_id = s.hold_id
      """)
  }

  private func extendHolds(tenant: Int32, on connection: PostgresConnection) async throws {
    guard !extensions.isEmpty else { return }
    let holds = Array(extensions.keys)
    try await connection.execute(
      """
      update holds h
      set expires_at = e.expires_at
      from unnest(\(holds), \(holds.map { extensions[$0] })) e (hold_id, expires_at)
      where h.tenant = \(tenant) and h.hold_id = e.hold_id
      """)
  }

  private func cancelShows(tenant: Int32, on connection: PostgresConnection) async throws {
    guard !cancelled.isEmpty else { return }
    let shows = Array(cancelled.keys)
    try await connection.execute(
      """
      update shows s
      set cancelled_at = c.cancelled_at
      from unnest(\(shows), \(shows.map { cancelled[$0] })) c (show_id, cancelled_at)
      where s.tenant = \(tenant) and s.show_id = c.show_id
      """)
  }

  private func writeSeats(tenant: Int32, on connection: PostgresConnection) async throws {
    let freed = seats.filter { $0.value == nil }.map(\.key)
    if !freed.isEmpty {
      try await connection.execute(
        """
        delete from taken_seats t
        using unnest(\(freed.map(\.show)), \(freed.map(\.seat))) f (show_id, seat)
        where t.tenant = \(tenant) and t.show_id = f.show_id and t.seat = f.seat
        """)
    }
    let taken = seats.compactMap { key, seat in seat.map { (key: key, seat: $0) } }
    if !taken.isEmpty {
      try await connection.execute(
        """
        insert into taken_seats (tenant, show_id, seat, state, hold_id)
        select \(tenant), t.show_id, t.seat, t.state, t.hold_id
        from unnest(
          \(taken.map(\.key.show)), \(taken.map(\.key.seat)), \(taken.map(\.seat.state)),
          \(taken.map(\.seat.hold))) t (show_id, seat, state, hold_id)
        on conflict (tenant, show_id, seat) do update set state = excluded.state, hold_id = excluded.hold_id
        """)
    }
  }
}

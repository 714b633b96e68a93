import Crypto
import EventStore
import PostgreSQL
import Vocabulary

/// `aisle.waiting_rooms` and `aisle.waiting_places`, by the functions of `migrations/0014_waiting_rooms.sql`.
struct WaitingRoomTable: Sendable {
  /// Open rooms of one tenant.
  static let maximumRooms = 1_000

  let pool: PostgresPool
  let tenant: Int32

  // MARK: Rooms

  /// Every open room.
  func openRooms() async throws -> [WaitingRoom] {
    try await pool.query(
      """
      select r.show_id, r.shoppers, r.admission_seconds, r.absence_seconds, r.capacity, r.signing_key
      from aisle.waiting_rooms r
      where r.tenant = \(tenant) and r.is_open
      order by r.show_id
      limit \(Self.maximumRooms)
      """
    ).map { row in
      WaitingRoom(
        show: ShowID(unchecked: try row.column(0)),
        terms: WaitingRoom.Terms(
          shoppers: try row.column(1), admissionSeconds: try row.column(2), absenceSeconds: try row.column(3),
          capacity: try row.column(4)),
        key: SymmetricKey(data: try row.column(5, as: [UInt8].self)))
    }
  }

  /// Opens a room or changes its terms; false if there are too many. The key stays, so what was signed stays good.
  func open(_ show: ShowID, _ terms: WaitingRoom.Terms) async throws -> Bool {
    // Of one element, or none.
    let opening = terms.opensAt.map { [$0] } ?? []
    let key = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
    return try await pool.query(
      """
      insert into aisle.waiting_rooms as r (
        tenant, show_id, shoppers, admission_seconds, absence_seconds, capacity, opens_at, is_drawn, signing_key)
      select \(tenant), \(show.rawValue)::text, \(terms.shoppers)::integer, \(terms.admissionSeconds)::integer,
             \(terms.absenceSeconds)::integer, \(terms.capacity)::integer, (\(opening)::timestamptz[])[1],
             coalesce((\(opening)::timestamptz[])[1] <= clock_timestamp(), true), \(key)::bytea
      where (select count(*) from aisle.waiting_rooms o where o.tenant = \(tenant) and o.is_open) < \(Self.maximumRooms)
        or exists (
          select from aisle.waiting_rooms o
          where o.tenant = \(tenant) and o.show_id = \(show.rawValue)::text and o.is_open)
      on conflict (tenant, show_id) do update
      set is_open = true, shoppers = excluded.shoppers, admission_seconds = excluded.admission_seconds,
          absence_seconds = excluded.absence_seconds, capacity = excluded.capacity, opens_at = excluded.opens_at,
          -- What was drawn is not drawn again; what was to be drawn at an instant that is over is drawn next.
          is_drawn = excluded.is_drawn and (r.is_drawn or excluded.opens_at is null)
      """
    ).affected > 0
  }

  func close(_ show: ShowID) async throws {
    try await pool.query("select aisle.close_waiting_room(\(tenant), \(show.rawValue))")
  }

  /// The open rooms with how many wait and shop.
  func statuses(of show: ShowID? = nil) async throws -> [WaitingRoom.Status] {
    let only = show.map { [$0.rawValue] } ?? []
    return try await pool.query(
      """
      select r.show_id, r.shoppers, r.admission_seconds, r.absence_seconds, r.capacity, r.opens_at, r.waiting, r.admissions, (
        select count(*)
        from aisle.waiting_places p
        where p.tenant = r.tenant and p.show_id = r.show_id and p.status = 'admitted'
          and p.expires_at > clock_timestamp())
      from aisle.waiting_rooms r
      where r.tenant = \(tenant) and r.is_open and (\(only.isEmpty) or r.show_id = any(\(only)::text[]))
      order by r.show_id
      limit \(Self.maximumRooms)
      """
    ).map { row in
      WaitingRoom.Status(
        show: ShowID(unchecked: try row.column(0)),
        terms: WaitingRoom.Terms(
          shoppers: try row.column(1), admissionSeconds: try row.column(2), absenceSeconds: try row.column(3),
          capacity: try row.column(4), opensAt: try row.column(5)),
        waiting: try row.column(6), admissions: Int(try row.column(7, as: Int64.self)),
        admitted: Int(try row.column(8, as: Int64.self)))
    }
  }

  // MARK: Places

  enum JoinOutcome: String { case joined, known, reused, present, full }

  /// Draws tickets in this order; nil if the room is not open.
  func join(
    _ show: ShowID, _ places: [PlaceID], buyers: [String]
  ) async throws -> [JoinOutcome]? {
    let row = try await pool.query(
      """
      select aisle.join_waiting_room(
        \(tenant), \(show.rawValue), \(places.map(\.rawValue))::text[], \(buyers)::text[])
      """
    ).first
    return try row?.column(0, as: [String]?.self)?.map { name in
      guard let outcome = JoinOutcome(rawValue: name) else {
        throw PostgresError(
          .decoding, "joining a waiting room gave \"\(name)\", which this program does not know")
      }
      return outcome
    }
  }

  /// Lets in whom there is room for.
  func admit(_ show: ShowID) async throws {
    try await pool.query("select aisle.admit_waiting(\(tenant), \(show.rawValue))")
  }

  func end(_ show: ShowID, leaving: [PlaceID], served: [String]) async throws {
    try await pool.query(
      """
      select aisle.end_waiting_places(
        \(tenant), \(show.rawValue), \(leaving.map(\.rawValue))::text[], \(served)::text[])
      """)
  }

  struct Sight: Sendable {
    /// Stands for the buyer.
    let buyer: String
    let ticket: Int64
    let status: WaitingPlace.Status
    let joinedAt: Timestamp
    let claimedAt: Timestamp?
    let expiresAt: Timestamp?
    let endedAt: Timestamp?
    /// When lots are drawn; nil if that is over.
    let opensAt: Timestamp?
    let called: Int64
    /// Admissions that ended lately, and in how long.
    let ends: Int64
    let milliseconds: Int64
  }

  /// The places that there are, and remembers that they were asked for.
  func look(_ show: ShowID, _ places: [PlaceID]) async throws -> [PlaceID: Sight] {
    let rows = try await pool.query(
      """
      select l.place_id, l.buyer, l.ticket, l.status, l.joined_at, l.claimed_at, l.expires_at, l.ended_at, l.opens_at,
             l.called, l.pace_ends, l.pace_ms
      from aisle.look_at_waiting_places(\(tenant), \(show.rawValue), \(places.map(\.rawValue))::text[]) l
      """)
    var sights: [PlaceID: Sight] = [:]
    for row in rows {
      let name = try row.column(3, as: String.self)
      guard let status = WaitingPlace.Status(rawValue: name) else {
        throw PostgresError(.decoding, "a waiting place is \"\(name)\", which this program does not know")
      }
      sights[PlaceID(unchecked: try row.column(0))] = Sight(
        buyer: try row.column(1), ticket: try row.column(2), status: status, joinedAt: try row.column(4),
        claimedAt: try row.column(5), expiresAt: try row.column(6), endedAt: try row.column(7),
        opensAt: try row.column(8), called: try row.column(9), ends: try row.column(10),
        milliseconds: try row.column(11))
    }
    return sights
  }

  /// Whether an admission is still good; nil if there is no such place of this buyer.
  func isAdmitted(_ place: PlaceID, _ show: ShowID, buyer: String) async throws -> Bool? {
    try await pool.query(
      """
      select p.status = 'admitted' and p.expires_at > clock_timestamp()
      from aisle.waiting_places p
      where p.tenant = \(tenant) and p.place_id = \(place.rawValue) and p.show_id = \(show.rawValue)
        and p.buyer = \(buyer)
      """
    ).first?.decode(Bool.self)
  }
}

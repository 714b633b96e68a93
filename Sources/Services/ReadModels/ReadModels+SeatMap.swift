import EventStore
import PostgreSQL
import Vocabulary

/// What tells one state of a show's seat map from another.
public struct SeatMapState: Sendable, Hashable {
  /// Version of the show's stream that the read model reflects.
  public let version: Int64
  /// Holds whose time is over but that the log still has as held. At one version this number only grows.
  public let lapsedHolds: Int
}

/// The taken seats of a show at an instant.
public struct SeatMap: Sendable {
  public let state: SeatMapState
  /// How many seats there are.
  public let total: Int
  /// Seats that are not listed are free.
  public let taken: [TakenSeat]
}

extension ReadModels {
  /// Which map ``seatMap(of:at:)`` would give, for much less; nil if there is no such show.
  public func seatMapState(of show: ShowID, at now: Timestamp) async throws -> SeatMapState? {
    let rows = try await store.pool.query(
      """
      select s.version, (
        select count(*)
        from aisle.holds h
        where h.tenant = s.tenant and h.show_id = s.show_id and h.status = 'held' and h.expires_at <= \(now))
      from aisle.shows s
      where s.tenant = \(store.tenant.rawValue) and s.show_id = \(show.rawValue)
      """)
    return try rows.first.map { row in
      let (version, lapsed) = try row.decode(Int64.self, Int64.self)
      return SeatMapState(version: version, lapsedHolds: Int(lapsed))
    }
  }

  /// The seats that somebody has at an instant, with the version that they belong to, in one statement and so of
  /// one moment; nil if there is no such show.
  public func seatMap(of show: ShowID, at now: Timestamp) async throws -> SeatMap? {
    let rows = try await store.pool.query(
      """
      select s.version, s.seats, t.seat, t.state, t.hold_id, t.state = 'booked' or h.expires_at > \(now)
      from aisle.shows s
      left join aisle.taken_seats t on t.tenant = s.tenant and t.show_id = s.show_id
      left join aisle.holds h on h.tenant = t.tenant and h.hold_id = t.hold_id
      where s.tenant = \(store.tenant.rawValue) and s.show_id = \(show.rawValue)
      order by t.seat
      """)
    guard let first = rows.first else { return nil }
    let (version, total) = (try first.column(0, as: Int64.self), try first.column(1, as: Int.self))
    var taken: [TakenSeat] = []
    var lapsed: Set<String> = []
    for row in rows {
      guard let seat = try row.column(2, as: String?.self) else { continue }
      let hold = try row.column(4, as: String.self)
      guard try row.column(5, as: Bool.self) else {
        lapsed.insert(hold)
        continue
      }
      let state = try row.column(3, as: String.self)
      taken.append(
        TakenSeat(
          seat: SeatID(unchecked: seat), state: TakenSeat.State(rawValue: state) ?? .held,
          hold: HoldID(unchecked: hold)))
    }
    return SeatMap(
      state: SeatMapState(version: version, lapsedHolds: lapsed.count), total: total, taken: taken)
  }
}

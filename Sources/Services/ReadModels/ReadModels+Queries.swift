import Booking
import EventStore
import Foundation
import PostgreSQL
import Vocabulary

/// A show as it is listed.
public struct ShowView: Sendable {
  public let id: ShowID
  public let title: String
  public let startsAt: Timestamp
  public let currency: Currency
  public let taxRateBasisPoints: Int
  public let holdTTLSeconds: Int
  /// How many can be sold.
  public let seats: Int
  /// The seat plan.
  public let sections: [SeatPlan.Section]
  /// Version of the show's stream that the read model reflects.
  public let version: Int64
  public let position: Position
  public let cancelledAt: Timestamp?
}

/// A seat that somebody has; seats that are not listed are free.
public struct TakenSeat: Sendable, Hashable {
  public enum State: String, Sendable, Codable { case held, booked }
  public let seat: SeatID
  public let state: State
  public let hold: HoldID
}

public struct HoldView: Sendable {
  public let id: HoldID
  public let show: ShowID
  public let buyer: BuyerID
  public let seats: [SeatID]
  public let total: Money
  public let heldAt: Timestamp
  public let expiresAt: Timestamp
  /// held, confirmed, released, expired or cancelled
  public let status: String
  public let order: OrderID?
}

extension ReadModels {
  /// Shows in the order in which they were scheduled, after a position.
  public func shows(after position: Position, limit: Int) async throws -> [ShowView] {
    try await store.pool.query(
      """
      select show_id, title, starts_at, currency, tax_rate_bp, hold_ttl_seconds, seats, sections, version, position,
             cancelled_at
      from aisle.shows
      where tenant = \(store.tenant.rawValue) and position > \(position.rawValue)
      order by position
      limit \(limit)
      """
    ).map(ShowView.init)
  }

  public func show(_ id: ShowID) async throws -> ShowView? {
    try await store.pool.query(
      """
      select show_id, title, starts_at, currency, tax_rate_bp, hold_ttl_seconds, seats, sections, version, position,
             cancelled_at
      from aisle.shows
      where tenant = \(store.tenant.rawValue) and show_id = \(id.rawValue)
      """
    ).first.map(ShowView.init)
  }

  /// The seats that are not free at an instant: a hold whose time is over does not count, whether or not the
  /// log says so already.
  public func takenSeats(of show: ShowID, at now: Timestamp) async throws -> [TakenSeat] {
    try await store.pool.query(
      """
      select t.seat, t.state, t.hold_id
      from aisle.taken_seats t
      join aisle.holds h on h.tenant = t.tenant and h.hold_id = t.hold_id
      where t.tenant = \(store.tenant.rawValue) and t.show_id = \(show.rawValue)
        and (t.state = 'booked' or h.expires_at > \(now))
      order by t.seat
      """
    ).map { row in
      let (seat, state, hold) = try row.decode(String.self, String.self, String.self)
      return TakenSeat(
        seat: SeatID(unchecked: seat), state: TakenSeat.State(rawValue: state) ?? .held,
        hold: HoldID(unchecked: hold))
    }
  }

  public func hold(_ id: HoldID) async throws -> HoldView? {
    try await store.pool.query(
      """
      select hold_id, show_id, buyer, seats, amount, currency, held_at, expires_at, status, order_id
      from aisle.holds
      where tenant = \(store.tenant.rawValue) and hold_id = \(id.rawValue)
      """
    ).first.map(HoldView.init)
  }

  /// Holds whose time is over but that the log still has as held, the oldest first.
  public func overdueHolds(at now: Timestamp, limit: Int) async throws -> [HoldID] {
    try await store.pool.query(
      """
      select hold_id
      from aisle.holds
      where tenant = \(store.tenant.rawValue) and status = 'held' and expires_at <= \(now)
      order by expires_at
      limit \(limit)
      """
    ).map { HoldID(unchecked: try $0.decode(String.self)) }
  }
}

extension ShowView {
  fileprivate init(row: Row) throws {
    let currency = try row.column(3, as: String.self)
    let sections = try row.column(7, as: JSONB.self)
    self.init(
      id: ShowID(unchecked: try row.column(0)), title: try row.column(1), startsAt: try row.column(2),
      currency: try Currency(stored: currency), taxRateBasisPoints: try row.column(4),
      holdTTLSeconds: try row.column(5), seats: try row.column(6),
      sections: try JSONDecoder().decode([SeatPlan.Section].self, from: Data(sections.bytes)),
      version: try row.column(8), position: Position(try row.column(9)), cancelledAt: try row.column(10))
  }
}

extension HoldView {
  fileprivate init(row: Row) throws {
    let order = try row.column(9, as: String?.self)
    self.init(
      id: HoldID(unchecked: try row.column(0)), show: ShowID(unchecked: try row.column(1)),
      buyer: BuyerID(unchecked: try row.column(2)),
      seats: try row.column(3, as: [String].self).map { SeatID(unchecked: $0) },
      total: Money(try row.column(4), try Currency(stored: row.column(5))),
      heldAt: try row.column(6), expiresAt: try row.column(7), status: try row.column(8),
      order: order.map { OrderID(unchecked: $0) })
  }
}

extension Currency {
  /// From a table of ours, which only ever holds currencies that were valid.
  init(stored code: String) throws {
    guard let currency = Currency(code) else {
      throw PostgresError(.decoding, "the database holds \"\(code)\", which is not an ISO 4217 currency")
    }
    self = currency
  }
}

import Booking
import EventStore
import Foundation
import PostgreSQL
import Services
import Vocabulary

/// Strategy `row-lock`: a table with a row for each seat, locked by `select … for update` until the sale's
/// transaction ends. As right as the stream, and slower: every sale waits for the disk by itself, and whoever wants a
/// seat that is being sold waits with a connection in hand.
struct RowLockOffice: BoxOffice {
  /// Everybody picks the same best seats first, so most have to pick again, and again.
  private static let maximumTries = 10_000

  private let aisle: Aisle
  private let houses: HouseCatalog

  init(aisle: Aisle) {
    self.aisle = aisle
    houses = HouseCatalog(store: aisle.store)
  }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    do {
      switch request {
      case .hold(let id, let show, let buyer, let wish):
        let house = try await houses.show(show)
        for _ in 1...Self.maximumTries {
          if let answer = try await hold(id, of: house, buyer: buyer, wish: wish) { return answer }
        }
        return .error("overloaded", "others were faster \(Self.maximumTries) times")
      case .order(let id, let hold, let show, let account):
        return try await order(id, hold: hold, of: try await houses.show(show), account: account)
      case .cancel(let id, let show): return try await cancel(id, of: try await houses.show(show))
      default: return .notSupported
      }
    } catch {
      return BuyerAnswer(error)
    }
  }

  /// Nil if somebody else took the chosen seats in between and others may do.
  private func hold(
    _ id: HoldID, of house: Booking.ShowScheduled, buyer: BuyerID, wish: PlannedWish
  ) async throws -> BuyerAnswer? {
    let show = house.showID.rawValue
    let now = aisle.time.now
    return try await aisle.store.pool.transaction { connection in
      try await lock(id.rawValue, on: connection)
      let mine = try await seats(of: id, on: connection)
      if !mine.isEmpty { return .done(seats: mine.map(\.seat), position: 0) }

      let taken = try await connection.query(
        """
        select seat
        from public.scenario_seat
        where show_id = \(show) and (order_id is not null or expires_at > \(now))
        """
      ).map { SeatID(unchecked: try $0.decode(String.self)) }
      let wanted: [SeatID]
      switch house.choose(wish, taken: Set(taken)) {
      case .refused(let code): return .refused(code)
      case .unavailable(let seats): return .refused("seats-unavailable", seats: seats)
      case .seats(let seats): wanted = seats
      }

      // Always in the same order, with the other seats of holds that will have to give way, so that two who want
      // overlapping seats never wait for each other.
      let locked = try await connection.query(
        """
        select hold_id, order_id is null and (expires_at is null or expires_at <= \(now))
        from public.scenario_seat s
        where show_id = \(show)
          and (seat = any(\(wanted.map(\.rawValue)))
            or hold_id in (
              select hold_id
              from public.scenario_seat
              where show_id = \(show) and seat = any(\(wanted.map(\.rawValue))) and order_id is null
                and expires_at <= \(now)))
        order by seat_no
        for update of s
        """
      ).map { try $0.decode(String?.self, Bool.self) }
      guard locked.allSatisfy(\.1) else {
        if case .best = wish { return nil }
        // Which of several it was is not asked for.
        return .refused("seats-unavailable", seats: wanted.count == 1 ? wanted : [])
      }
      try await evict(Set(locked.compactMap(\.0)), from: house, at: now, on: connection)
      try await connection.execute(
        """
        update public.scenario_seat
        set hold_id = \(id.rawValue), buyer = \(buyer.rawValue),
            expires_at = \(now + .seconds(house.holdTTLSeconds)), order_id = null, account_id = null
        where show_id = \(show) and seat = any(\(wanted.map(\.rawValue)))
        """)
      let sale = DirectSale(show: house, hold: id, buyer: buyer, seats: wanted)
      return try await append([try sale.held(at: now)], on: connection).answer(seats: wanted)
    }
  }

  /// Holds whose time is over give way.
  private func evict(
    _ holds: Set<String>, from house: Booking.ShowScheduled, at now: Timestamp,
    on connection: PostgresConnection
  ) async throws {
    for hold in holds.sorted() {
      let freed = try await connection.query(
        """
        update public.scenario_seat
        set hold_id = null, buyer = null, expires_at = null
        where show_id = \(house.showID.rawValue) and hold_id = \(hold)
        returning seat
        """
      ).map { SeatID(unchecked: try $0.decode(String.self)) }
      let fact = Booking.HoldExpired(holdID: HoldID(unchecked: hold), seats: freed, expiredAt: now)
      let event = try NewEvent(Booking.Event.holdExpired(fact), id: .derived(from: "hold-expired", hold))
      _ = try await append(
        [StreamAppend(.show(house.showID), expecting: .any, [event])], on: connection)
    }
  }

  private func order(
    _ id: OrderID, hold: HoldID, of house: Booking.ShowScheduled, account: AccountID
  ) async throws -> BuyerAnswer {
    let now = aisle.time.now
    return try await aisle.store.pool.transaction { connection in
      try await lock(hold.rawValue, on: connection)
      let rows = try await seats(of: hold, on: connection)
      let sale = DirectSale(
        show: house, hold: hold, buyer: rows.first?.buyer ?? BuyerID(unchecked: "unknown"),
        seats: rows.map(\.seat))
      guard let first = rows.first else { return .refused("hold-expired") }
      if let earlier = first.order {
        return earlier == id ? .done(seats: sale.seats, position: 0) : .refused("hold-already-confirmed")
      }
      guard first.expiresAt.map({ $0 > now }) == true else {
        let failure = try sale.failed(id, account: account, reason: "hold-expired", at: now)
        _ = try await append(failure, on: connection)
        return .refused("hold-expired")
      }
      try await connection.execute(
        """
        update public.scenario_seat
        set order_id = \(id.rawValue), account_id = \(account.rawValue)
        where show_id = \(house.showID.rawValue) and hold_id = \(hold.rawValue)
        """)
      return try await append(try sale.confirmed(id, account: account, at: now), on: connection)
        .answer(seats: sale.seats)
    }
  }

  private func cancel(_ id: OrderID, of house: Booking.ShowScheduled) async throws -> BuyerAnswer {
    let now = aisle.time.now
    return try await aisle.store.pool.transaction { connection in
      try await lock(id.rawValue, on: connection)
      let rows = try await connection.query(
        """
        select seat, hold_id, buyer, account_id
        from public.scenario_seat
        where show_id = \(house.showID.rawValue) and order_id = \(id.rawValue)
        order by seat_no
        for update
        """
      ).map { try $0.decode(String.self, String.self, String.self, String.self) }
      guard let first = rows.first else {
        let isCancelled = try await connection.query(
          "select 1 from aisle.event_ids where tenant = 1 and id = \(UUID.derived(from: "order-cancelled", id.rawValue))"
        )
        return isCancelled.isEmpty ? .refused("order-not-placed") : .done(position: 0)
      }
      try await connection.execute(
        """
        update public.scenario_seat
        set hold_id = null, buyer = null, expires_at = null, order_id = null, account_id = null
        where show_id = \(house.showID.rawValue) and order_id = \(id.rawValue)
        """)
      let sale = DirectSale(
        show: house, hold: HoldID(unchecked: first.1), buyer: BuyerID(unchecked: first.2),
        seats: rows.map { SeatID(unchecked: $0.0) })
      let events = try sale.cancelled(id, account: AccountID(unchecked: first.3), at: now)
      return try await append(events, on: connection).answer()
    }
  }

  // MARK: Rows

  private struct SeatRow {
    let seat: SeatID
    let buyer: BuyerID
    let expiresAt: Timestamp?
    let order: OrderID?
  }

  private func seats(of hold: HoldID, on connection: PostgresConnection) async throws -> [SeatRow] {
    try await connection.query(
      """
      select seat, buyer, expires_at, order_id
      from public.scenario_seat
      where hold_id = \(hold.rawValue)
      order by seat_no
      for update
      """
    ).map { row in
      let (seat, buyer, expiresAt, order) = try row.decode(
        String.self, String.self, Timestamp?.self, String?.self)
      return SeatRow(
        seat: SeatID(unchecked: seat), buyer: BuyerID(unchecked: buyer), expiresAt: expiresAt,
        order: order.map { OrderID(unchecked: $0) })
    }
  }

  /// Copies of one request, and an order and its hold, go one after the other.
  private func lock(_ id: String, on connection: PostgresConnection) async throws {
    try await connection.query("select pg_advisory_xact_lock(hashtextextended(\(id), 0))")
  }

  private func append(_ streams: [StreamAppend], on connection: PostgresConnection) async throws
    -> AppendOutcome
  {
    let outcomes = try await aisle.store.append([streams], inTransactionOf: connection)
    guard let outcome = outcomes.first else { throw ScenarioRunError("an append was not answered") }
    return outcome
  }
}

import Booking
import Foundation
import PostgreSQL
import Services
import Vocabulary

/// A booking system without events, as most are: a row for each seat, locked while a transaction has it, and a row for
/// each order. Nothing of Aisle but its driver is in the way of it.
struct SeatTableOffice: BoxOffice {
  let aisle: Aisle
  let skipsLocked: Bool

  static func open(_ shows: [ShowID], seats: Int, pool: PostgresPool) async throws {
    try await pool.withConnection { connection in
      try await connection.executeScript(
        """
        create schema if not exists aisle_bench;
        create table if not exists aisle_bench.seat (
          show_id text not null, seat_no integer not null, hold_id text, buyer text, expires_at timestamptz,
          order_id text, primary key (show_id, seat_no));
        create index if not exists seat_free on aisle_bench.seat (show_id, seat_no)
          where hold_id is null and order_id is null;
        create index if not exists seat_hold on aisle_bench.seat (hold_id);
        create table if not exists aisle_bench.order (
          order_id text primary key, hold_id text not null, account_id text not null, amount bigint not null,
          placed_at timestamptz not null);
        """)
      for show in shows {
        try await connection.execute(
          """
          insert into aisle_bench.seat (show_id, seat_no)
          select \(show.rawValue), n from generate_series(1, \(Int32(seats))) n
          """)
      }
      try await connection.executeScript("analyze aisle_bench.seat")
    }
  }

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    do {
      switch request {
      case .hold(let id, let show, let buyer, _):
        while true {
          if let answer = try await hold(id, of: show, buyer: buyer) { return answer }
        }
      case .order(let id, let hold, _, let account): return try await order(id, hold: hold, account: account)
      default: return .error("not-supported")
      }
    } catch {
      return BuyerAnswer(error)
    }
  }

  /// Nil if the best seat was taken while this waited for it.
  private func hold(_ id: HoldID, of show: ShowID, buyer: BuyerID) async throws -> BuyerAnswer? {
    try await aisle.store.pool.transaction { connection in
      let rows =
        skipsLocked
        ? try await connection.query(
          """
          select seat_no from aisle_bench.seat
          where show_id = \(show.rawValue) and hold_id is null and order_id is null
          order by seat_no
          limit 1
          for update skip locked
          """)
        : try await connection.query(
          """
          select seat_no from aisle_bench.seat
          where show_id = \(show.rawValue) and hold_id is null and order_id is null
          order by seat_no
          limit 1
          for update
          """)
      guard let row = rows.first else {
        let free = try await connection.query(
          """
          select seat_no from aisle_bench.seat
          where show_id = \(show.rawValue) and hold_id is null and order_id is null
          limit 1
          """)
        return free.isEmpty ? .refused("seats-unavailable") : nil
      }
      let seat = try row.decode(Int32.self)
      try await connection.execute(
        """
        update aisle_bench.seat
        set hold_id = \(id.rawValue), buyer = \(buyer.rawValue), expires_at = now() + interval '10 minutes'
        where show_id = \(show.rawValue) and seat_no = \(seat)
        """)
      return .done(seats: [SeatID(unchecked: "seat-\(seat)")], position: 0)
    }
  }

  private func order(_ id: OrderID, hold: HoldID, account: AccountID) async throws -> BuyerAnswer {
    try await aisle.store.pool.transaction { connection in
      let rows = try await connection.query(
        """
        select expires_at > now() from aisle_bench.seat where hold_id = \(hold.rawValue) for update
        """)
      guard try rows.first?.decode(Bool.self) == true else { return .refused("hold-expired") }
      try await connection.execute(
        """
        insert into aisle_bench.order (order_id, hold_id, account_id, amount, placed_at)
        values (\(id.rawValue), \(hold.rawValue), \(account.rawValue), 4500, now())
        """)
      try await connection.execute(
        "update aisle_bench.seat set order_id = \(id.rawValue) where hold_id = \(hold.rawValue)")
      return .done(position: 0)
    }
  }
}

import Booking
import EventStore
import Ordering
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@testable import Lake

/// Months that were closed and an account that has moved: the same bills three ways.
@Suite("Bills after a close, in the lake")
struct ClosedBillsTests {
  private static func aisle(_ pool: PostgresPool, at instant: String) -> Aisle {
    Aisle(pool: pool, time: TimeSource { Timestamp(rfc3339: instant) ?? Timestamp(microseconds: 0) })
  }

  private func buy(_ number: Int, _ aisle: Aisle) async throws {
    let hold = HoldID(unchecked: "hamlet:h\(number)")
    _ = try await aisle.booking.hold(
      hold, show: ShowID(unchecked: "hamlet"), buyer: BuyerID(unchecked: "ann"),
      seats: .named([SeatID(unchecked: "A-\(number)")]))
    _ = try await aisle.ordering.place(
      OrderID(unchecked: "o-\(number)"), hold: hold, account: AccountID(unchecked: "acc-1"),
      paymentMethod: "invoice")
  }

  private func withLog(_ body: (Aisle, TestLake, PostgresPool) async throws -> Void) async throws {
    try await withMigratedDatabase { pool in
      let (november, january) = (
        Self.aisle(pool, at: "2026-11-24T19:00:00Z"), Self.aisle(pool, at: "2027-01-02T00:00:00Z")
      )
      try await november.booking.schedule(
        Booking.Schedule(
          showID: ShowID(unchecked: "hamlet"), title: "Hamlet",
          startsAt: Timestamp(rfc3339: "2027-06-01T19:00:00Z") ?? november.time.now, currency: .eur,
          taxRateBasisPoints: 1900, holdTTLSeconds: 600,
          sections: [
            .init(
              id: SectionID(unchecked: "stalls"), price: 3333,
              rows: [.init(id: RowID(unchecked: "A"), seats: 9)])
          ]))
      let account = AccountID(unchecked: "acc-1")
      try await november.billing.openAccount(account, name: "Ann", timeZone: "UTC", RequestContext())
      for number in 1...3 { try await buy(number, november) }
      _ = try await january.billing.close(try #require(Month("2026-11")))
      // Late for November, as if the clock of another server stood still: December's.
      try await buy(4, november)
      // In Kiritimati the year has begun; in UTC it has not.
      try await january.billing.changeZone(of: account, to: "Pacific/Kiritimati", RequestContext())
      try await buy(5, Self.aisle(pool, at: "2026-12-31T11:00:00Z"))
      try await january.catchUp()
      try await body(january, TestLake(), pool)
    }
  }

  @Test("are the same from the tables, from the log and from the exported files")
  func threeWays() async throws {
    try await withLog { aisle, lake, _ in
      try await LakeExporter.export(aisle.store, to: lake.directory)
      let report = try await lake.verify()
      #expect(report.problems == [])
      let (first, last) = (try #require(Month("2026-11")), try #require(Month("2027-01")))
      for source in [BillSource.preAggregated, .batch] {
        let bills = try await aisle.billing.bills(
          AccountID(unchecked: "acc-1"), from: first, to: last, source: source)
        #expect(bills.map { "\($0.month) \($0.lines)" } == ["2026-11 3", "2026-12 1", "2027-01 1"])
        #expect(bills.map(\.due.minorUnits) == report.bills.map(\.due))
        #expect(bills.map(\.month.description) == report.bills.map(\.month))
        #expect(bills.map { Int64($0.lines) } == report.bills.map(\.lines))
      }
    }
  }

  @Test("an invoice whose figures are not what the orders before it give is a problem of the lake")
  func tampered() async throws {
    try await withLog { aisle, lake, pool in
      try await withPool(pool.configuration.connectionString, size: 1) { owner in
        _ = try await owner.execute(
          """
          update aisle.events
          set data = jsonb_set(data, '{due}', '1')
          where tenant = 1 and type = 'month-closed'
          """)
      }
      try await LakeExporter.export(aisle.store, to: lake.directory)
      let report = try await lake.verify()
      #expect(report.problems.contains { "\($0)".contains("INV-") }, "\(report.problems)")
    }
  }
}

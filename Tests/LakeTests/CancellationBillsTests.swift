import Booking
import EventStore
import Ordering
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@testable import Lake

/// Orders of which single seats are given back, with a fee: the same bill three ways.
@Suite("The bill of an order that is cancelled seat by seat")
struct CancellationBillsTests {
  private static let now = Timestamp(rfc3339: "2026-11-24T19:00:00Z") ?? Timestamp(microseconds: 0)

  @Test("is the same from the tables, from the log and from the exported files, to the cent")
  func threeWays() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(conninfo) { pool in
        let policy = try #require(CancellationPolicy("48=0,0=1250"))
        let aisle = Aisle(pool: pool, time: TimeSource { Self.now }, cancellations: policy)
        try await buyAndGiveBack(aisle)
        try await aisle.catchUp()

        let month = try #require(Month("2026-11"))
        let account = AccountID(unchecked: "acc-1")
        let live = try #require(
          try await aisle.billing.bills(account, from: month, to: month, source: .preAggregated).first)
        let batch = try #require(
          try await aisle.billing.bills(account, from: month, to: month, source: .batch).first)
        let lake = TestLake()
        try await LakeExporter.export(aisle.store, to: lake.directory)
        let report = try await lake.verify()
        #expect(report.problems == [])
        let exported = try #require(report.bills.first)

        // 3 × 33.33; of one seat 12.5 % are kept (4.17), the next one is quoted only, the last one is free of charge.
        #expect(live.gross.minorUnits == 9999 && live.refunds.minorUnits == 2916)
        #expect(live.digest == batch.digest && live.due == batch.due && live.tax == batch.tax)
        #expect(exported.due == live.due.minorUnits && exported.tax == live.tax.minorUnits)
        #expect(exported.net == live.net.minorUnits && exported.lines == Int64(live.lines))
        let reconciled = try await aisle.billing.reconcile(month)
        #expect(reconciled.isEqual && reconciled.lines == 4)
      }
    }
  }

  private func buyAndGiveBack(_ aisle: Aisle) async throws {
    let show = ShowID(unchecked: "hamlet")
    try await aisle.booking.schedule(
      Booking.Schedule(
        showID: show, title: "Hamlet", startsAt: Self.now + .seconds(86_400), currency: .eur,
        taxRateBasisPoints: 1900, holdTTLSeconds: 600,
        sections: [
          .init(
            id: SectionID(unchecked: "stalls"), price: 3333,
            rows: [.init(id: RowID(unchecked: "A"), seats: 3)])
        ]))
    let hold = HoldID(unchecked: "hamlet:ann")
    let seats = (1...3).map { SeatID(unchecked: "A-\($0)") }
    _ = try await aisle.booking.hold(hold, show: show, buyer: BuyerID(unchecked: "ann"), seats: .named(seats))
    let order = OrderID(unchecked: "o-1")
    _ = try await aisle.ordering.place(
      order, hold: hold, account: AccountID(unchecked: "acc-1"), paymentMethod: "invoice")
    let quote = QuoteID(unchecked: "q-1")
    _ = try await aisle.ordering.quoteCancellation(of: order, seats: [seats[1]], as: quote)
    _ = try await aisle.ordering.confirmCancellation(of: order, quote: quote)
    _ = try await aisle.ordering.quoteCancellation(
      of: order, seats: [seats[0]], as: QuoteID(unchecked: "q-2"))
  }
}

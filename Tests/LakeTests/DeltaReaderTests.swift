import Booking
import EventStore
import Foundation
import Ordering
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@testable import Lake

/// DuckDB, delta-rs, PyArrow and Polars read the lake, and the same bills come out as from the database.
@Suite("a Delta lake read by other programs")
struct DeltaReaderTests {
  struct Answers: Decodable {
    struct Reader: Decodable {
      let rows: [String: Int64]
      let bills: [LakeBill.Row]
      let events: [Int64]
      let orderEvents: Int64

      enum CodingKeys: String, CodingKey {
        case rows, bills, events
        case orderEvents = "order_events"
      }
    }

    struct Envelope: Decodable {
      let position: Int64
      let texts: [String]
      let version: Int64
      let recordedAt: Int64

      init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        position = try container.decode(Int64.self)
        var texts = [try container.decode(String.self)]
        version = try container.decode(Int64.self)
        for _ in 0..<3 { texts.append(try container.decode(String.self)) }
        recordedAt = try container.decode(Int64.self)
        texts.append(try container.decode(String.self))
        self.texts = texts
      }
    }

    let duckdb: Reader
    let deltaRS: Reader
    let polars: Reader
    let hive: [LakeBill.Row]
    let transactions: [String: Int64]
    let envelopes: [Envelope]

    enum CodingKeys: String, CodingKey {
      case duckdb, polars, hive, transactions, envelopes
      case deltaRS = "delta-rs"
    }
  }

  /// `sql` without its limits of month and position, so that it gives all bills.
  static func read(_ lake: TestLake) throws -> Answers {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "delta_readers.py")
    let month = try #require(Month("2026-11"))
    let sql = LakeBillQuery.sql(month: month, account: nil, through: .max)
      .replacing("billing_month = '\(month)' and ", with: "")
    let output = try LakeReaders.run(
      try String(contentsOf: script, encoding: .utf8), [lake.directory.path, sql])
    return try JSONDecoder().decode(Answers.self, from: output)
  }

  private func check(_ answers: Answers, _ report: LakeReport, confirmed: Int64) {
    for (name, reader) in [
      ("DuckDB", answers.duckdb), ("delta-rs", answers.deltaRS), ("Polars", answers.polars),
    ] {
      #expect(reader.bills.compactMap { LakeBill($0) } == report.bills, "\(name)")
      #expect(reader.events == [report.events, 1, report.events, report.events], "\(name)")
      #expect(reader.orderEvents == confirmed, "\(name)")
      #expect(reader.rows == answers.duckdb.rows, "\(name)")
    }
    #expect(answers.hive.compactMap { LakeBill($0) } == report.bills)
    #expect(Set(answers.transactions.values) == [report.events])
  }

  @Test("gives them every event and every row, whatever the texts are, in lakes of many commits")
  func randomLogs() async throws {
    for seed in UInt64(150)...152 {
      let log = TestLog.business(150, seed: seed)
      let lake = TestLake()
      for end in [Int64(40), 90, 150] { try await lake.export(log, through: end, options: TestLake.delta) }
      let report = try await lake.verify()
      #expect(report.problems == [] && !report.bills.isEmpty)
      let answers = try Self.read(lake)
      let confirmed = log.records.count { $0.position > 5 && $0.type == "order-confirmed" }
      check(answers, report, confirmed: Int64(confirmed))
      var encoder = LineEncoder()
      #expect(answers.envelopes.count == log.records.count)
      for (found, record) in zip(answers.envelopes, log.records) {
        #expect(found.position == record.position && found.version == record.version)
        #expect(found.recordedAt == record.recordedAt.microseconds)
        #expect(
          found.texts == [
            record.stream, record.id.uuidString.lowercased(), record.type, record.category,
            encoder.eventDate(record.recordedAt),
          ])
      }
    }
  }

  @Test("gives them the bills that the tables and the log give at the same position, to the cent")
  func bills() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(conninfo) { pool in
        let policy = try #require(CancellationPolicy("48=0,0=1250"))
        let clock = TestClock()
        let aisle = Aisle(pool: pool, time: TimeSource { clock.now }, cancellations: policy)
        try await Self.business(aisle, clock)
        try await aisle.catchUp()
        let lake = TestLake()
        try await LakeExporter.export(aisle.store, to: lake.directory)
        let report = try await lake.verify()
        #expect(report.problems == [])

        for source in [BillSource.preAggregated, .batch] {
          var bills: [LakeBill] = []
          for account in ["acc-1", "acc-2"] {
            for month in ["2026-11", "2026-12"] {
              let found = try await aisle.billing.bill(
                AccountID(unchecked: account), try #require(Month(month)), source: source)
              bills += found.filter { $0.lines > 0 }.map { bill in
                LakeBill(
                  accountID: bill.accountID.rawValue, month: bill.month.description,
                  currency: bill.currency.code, gross: bill.gross.minorUnits, tax: bill.tax.minorUnits,
                  refunds: bill.refunds.minorUnits, net: bill.net.minorUnits, due: bill.due.minorUnits,
                  lines: Int64(bill.lines))
              }
            }
          }
          // New York's November lasts until five o'clock in the morning.
          #expect(bills.map(\.month) == ["2026-11", "2026-12", "2026-11", "2026-12"], "\(source)")
          #expect(report.bills == bills, "\(source)")
        }
        let answers = try Self.read(lake)
        let events = try await aisle.store.readAll(after: .start)
        let confirmed = events.count { $0.position.rawValue > 5 && $0.type == "order-confirmed" }
        check(answers, report, confirmed: Int64(confirmed))
        #expect(answers.duckdb.rows["orders"] == Int64(events.count { $0.stream.category == "order" }))
      }
    }
  }

  final class TestClock: Sendable {
    private let instant = Shared(Timestamp(rfc3339: "2026-11-30T12:00:00Z") ?? Timestamp(microseconds: 0))
    var now: Timestamp { instant.value }
    func set(_ text: String) throws {
      let next = try #require(Timestamp(rfc3339: text))
      instant.update { $0 = next }
    }
  }

  /// Two accounts in two time zones, orders around the end of a month, and seats given back for a fee.
  static func business(_ aisle: Aisle, _ clock: TestClock) async throws {
    let show = ShowID(unchecked: "hamlet")
    try await aisle.booking.schedule(
      Booking.Schedule(
        showID: show, title: "Hamlet", startsAt: clock.now + .seconds(3 * 86_400), currency: .eur,
        taxRateBasisPoints: 1900, holdTTLSeconds: 600,
        sections: [
          .init(
            id: SectionID(unchecked: "stalls"), price: 3333,
            rows: [.init(id: RowID(unchecked: "A"), seats: 30)])
        ]))
    for (account, zone) in [("acc-1", "UTC"), ("acc-2", "America/New_York")] {
      try await aisle.billing.openAccount(
        AccountID(unchecked: account), name: "Name of \(account)", timeZone: zone, RequestContext())
    }
    var seat = 0
    for (hour, instant) in ["2026-11-30T23:00:00Z", "2026-12-01T02:00:00Z", "2026-12-01T06:00:00Z"]
      .enumerated()
    {
      try clock.set(instant)
      for account in ["acc-1", "acc-2"] {
        let id = "\(account)-\(hour)"
        let hold = HoldID(unchecked: "hamlet:\(id)")
        let seats = (1...3).map { SeatID(unchecked: "A-\(seat + $0)") }
        seat += 3
        _ = try await aisle.booking.hold(
          hold, show: show, buyer: BuyerID(unchecked: "buyer-marker-\(account)"), seats: .named(seats))
        let order = OrderID(unchecked: "o-\(id)")
        _ = try await aisle.ordering.place(
          order, hold: hold, account: AccountID(unchecked: account), paymentMethod: "invoice")
        guard hour != 1 else { continue }
        let quote = QuoteID(unchecked: "q-\(id)")
        _ = try await aisle.ordering.quoteCancellation(of: order, seats: [seats[1]], as: quote)
        _ = try await aisle.ordering.confirmCancellation(of: order, quote: quote)
      }
    }
  }

  @Test("shows nothing of somebody who is forgotten: not before, for it is sealed, and never again after")
  func forgotten() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(conninfo) { pool in
        let clock = TestClock()
        let aisle = Aisle(pool: pool, time: TimeSource { clock.now })
        try await Self.business(aisle, clock)
        let before = TestLake()
        try await LakeExporter.export(aisle.store, to: before.directory)
        _ = try await aisle.privacy.forget(DataSubject(kind: "buyer", name: "buyer-marker-acc-1"))
        _ = try await aisle.privacy.forget(DataSubject(kind: "account", name: "acc-1"))
        try await aisle.catchUp()
        // The lake goes on, and one that is made anew has the same first events.
        try await LakeExporter.export(aisle.store, to: before.directory)
        let after = TestLake()
        try await LakeExporter.export(aisle.store, to: after.directory)
        for lake in [before, after] {
          let report = try await lake.verify()
          #expect(report.problems == [] && report.bills.count == 4)
          let text = try Self.allText(lake)
          // The account's id stays, for its bills do; so the text was searched.
          #expect(text.contains("acc-1") && text.contains("$sealed"))
          #expect(!text.contains("buyer-marker") && !text.contains("Name of"))
        }
        #expect(try await before.verify().bills == after.verify().bills)
      }
    }
  }

  /// Every value of every table and every commit, as other programs see them.
  private static func allText(_ lake: TestLake) throws -> String {
    let script = """
      import glob, sys
      import pyarrow.parquet
      for path in glob.glob(sys.argv[1] + "/**/*.parquet", recursive=True):
          print(pyarrow.parquet.ParquetFile(path).read().to_pylist())
      for path in glob.glob(sys.argv[1] + "/**/*.json", recursive=True):
          print(open(path).read())
      """
    return String(decoding: try LakeReaders.run(script, [lake.directory.path]), as: UTF8.self)
  }
}

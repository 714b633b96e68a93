import EventStore
import Foundation
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@testable import Scenarios

@Suite("The flights out of New York")
struct NYCFlightsTests {
  private static let directory = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures/nycflights13", directoryHint: .isDirectory)

  private let data: NYCFlightsData
  private let days: [String]

  init() throws {
    data = try NYCFlightsData(directory: Self.directory)
    days = try FileManager.default.contentsOfDirectory(atPath: Self.directory.appending(path: "flights").path)
      .map { String($0.dropLast(4)) }.sorted()
  }

  private func withAisle(_ body: (Aisle) async throws -> Void) async throws {
    try await withMigratedDatabase(poolSize: 8) { pool in
      try await body(Aisle(pool: pool, logger: .silent))
    }
  }

  @Test("the scheduled departure falls on the local date of the data, also when the clocks change")
  func localDate() throws {
    let zone = try #require(TimeZone(identifier: NYCFlight.zone))
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let flights = try data.flights(on: days)
    #expect(flights.count > 150)
    for flight in flights {
      let instant = Date(timeIntervalSince1970: Double(flight.departsAt.microseconds / 1_000_000))
      let parts = calendar.dateComponents([.year, .month, .day], from: instant)
      #expect(
        flight.date == String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0))
    }
  }

  @Test("the fixture has the edges: other months in UTC, cancelled flights, small aircraft, every carrier")
  func edges() throws {
    let flights = try data.flights(on: days)
    #expect(flights.contains { $0.departsAt.rfc3339.prefix(7) != $0.date.prefix(7) })
    #expect(flights.contains { $0.isCancelled })
    #expect(flights.contains { $0.seats < 24 })
    #expect(flights.contains { $0.seats == NYCFlight.defaultSeats })
    #expect(Set(flights.map(\.carrier)).count == 16)
    #expect(Set(flights.map(\.show)).count == flights.count)
  }

  @Test(
    "every carrier is billed what the data say, live and batch, whichever days are imported", arguments: 1...3
  )
  func bills(round: Int) async throws {
    var random = SeededRandom(for: "carriers are billed what the data say, round \(round)")
    let chosen = round == 1 ? days : days.filter { _ in Bool.random(using: &random) }
    try await withAisle { aisle in
      let summary = try await NYCFlightsImport(data, into: aisle, concurrency: 16).run(days: chosen)
      #expect(summary.flights == (try data.flights(on: chosen)).count)
      try await aisle.catchUp()
      let oracle = try NYCFlightsOracle(data, days: chosen)
      #expect(!oracle.totals.isEmpty)
      for source in [BillSource.preAggregated, .batch] {
        for (month, carriers) in oracle.totals {
          let overview = try await aisle.billing.monthOverview(
            try #require(Month(month)), source: source, limit: BillingService.maximumPage)
          let found = Dictionary(
            uniqueKeysWithValues: overview.bills.map { bill in
              (
                bill.accountID.rawValue,
                NYCFlightsOracle.Total(
                  gross: bill.gross.minorUnits, tax: bill.tax.minorUnits, refunds: bill.refunds.minorUnits,
                  lines: bill.lines)
              )
            })
          #expect(found == carriers, "\(month), \(source.rawValue)")
        }
      }
    }
  }

  @Test("importing a day again changes nothing")
  func again() async throws {
    try await withAisle { aisle in
      let day = ["2013-01-31", "2013-02-08"]
      let flights = NYCFlightsImport(data, into: aisle, concurrency: 8)
      let first = try await flights.run(days: day)
      let head = try await aisle.catchUp()
      #expect(try await flights.run(days: day) == first)
      #expect(try await aisle.catchUp() == head)
    }
  }

  @Test("a flight on the last evening of January is a January flight, although it is February in UTC")
  func boundary() async throws {
    try await withAisle { aisle in
      _ = try await NYCFlightsImport(data, into: aisle).run(days: ["2013-01-31"])
      try await aisle.catchUp()
      #expect(try data.flights(on: ["2013-01-31"]).contains { $0.departsAt.rfc3339.hasPrefix("2013-02") })
      let february = try await aisle.billing.monthOverview(try #require(Month("2013-02")), source: .batch)
      #expect(february.bills.isEmpty)
    }
  }

  @Test("missing data are a clear error")
  func missing() {
    #expect {
      try NYCFlightsData(directory: URL(filePath: "/nonexistent"))
    } throws: { "\($0)".contains("scenarios/nyc-flights/fetch") }
  }
}

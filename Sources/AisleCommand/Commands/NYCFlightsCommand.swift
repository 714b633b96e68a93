import ArgumentParser
import Foundation
import PostgreSQL
import Scenarios
import Services
import Vocabulary

struct NYCFlightsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nyc-flights",
    abstract: "Book real flights: every departure from New York on some days of 2013.",
    discussion: """
      Flights become shows, carriers are billed. It goes into the log in use, where the bills and the export can then \
      be looked at; importing a day again changes nothing. Get the data first: scenarios/nyc-flights/fetch. Exits with \
      status 1 if a bill differs from what the data say.
      """)

  @Option(help: "The day, or the first one.")
  var day = "2013-01-31"

  @Option(help: "The last day.")
  var to: String?

  @Option(help: "Where the data are (default: data/nycflights13 under AISLE_HOME).")
  var data: String?

  @Option(help: "Flights at the same time.")
  var concurrency = 64

  @Flag(help: "JSON.")
  var json = false

  func validate() throws {
    guard let first = civilDate(day), let last = civilDate(to ?? day) else {
      throw ValidationError("a day is written as 2013-01-31")
    }
    guard first.daysSinceEpoch <= last.daysSinceEpoch else { throw ValidationError("--to is before --day") }
    guard (1...10_000).contains(concurrency) else { throw ValidationError("--concurrency is 1 to 10000") }
  }

  func run() async throws {
    try await Session.run { [self] session in
      let directory =
        data.map { URL(filePath: $0, directoryHint: .isDirectory) }
        ?? session.settings.home.appending(path: "data/nycflights13")
      let data = try NYCFlightsData(directory: directory)
      let aisle = Aisle(pool: session.pool, logger: session.logger)
      let started = ContinuousClock.now
      let meter = ProgressMeter()
      let summary = try await NYCFlightsImport(data, into: aisle, concurrency: concurrency).run(days: days) {
        done, total in
        meter.show { "\(done) of \(total) flights" }
      }
      let seconds = started.duration(to: .now).secondsAsDouble
      try await aisle.catchUp()
      // The log may hold more days than these, and a bill is about all of them.
      let imported = try await importedDays(session.pool)
      let differences = try await compare(aisle.billing, with: NYCFlightsOracle(data, days: imported))
      if json {
        print(try JSONText.document(Report(imported: summary, seconds: seconds, differences: differences)))
      } else {
        print(
          "\(summary.flights) flights (\(summary.cancelledFlights) cancelled), \(summary.orders) orders, "
            + "\(summary.seats) seats in \(String(format: "%.1f", seconds)) s")
        for difference in differences { print("✗ \(difference)") }
        if differences.isEmpty {
          print("✓ every carrier's bill is what the data say, live and batch, to the cent")
        }
      }
      guard differences.isEmpty else { throw CommandFailure("\(differences.count) bills are wrong") }
    }
  }

  private struct Report: Encodable {
    let imported: NYCFlightsImport.Summary
    let seconds: Double
    let differences: [String]
  }

  private var days: [String] {
    guard let first = civilDate(day), let last = civilDate(to ?? day) else { return [] }
    return (first.daysSinceEpoch...last.daysSinceEpoch).map { CivilDate(daysSinceEpoch: $0).text }
  }

  private func civilDate(_ text: String) -> CivilDate? {
    let parts = text.split(separator: "-").compactMap { Int($0) }
    guard text.count == 10, parts.count == 3 else { return nil }
    return CivilDate(year: parts[0], month: parts[1], day: parts[2])
  }

  /// The days of which the log has flights, from their shows' ids: `ny-2013-01-31-…`.
  private func importedDays(_ pool: PostgresPool) async throws -> [String] {
    try await pool.query(
      """
      select distinct substring(show_id from 4 for 10)
      from aisle.shows
      where tenant = 1 and show_id like 'ny-%'
      order by 1
      """
    ).map { try $0.decode(String.self) }
  }

  /// The bills of every month touched, from both paths.
  private func compare(_ billing: BillingService, with oracle: NYCFlightsOracle) async throws -> [String] {
    var differences: [String] = []
    for (name, carriers) in oracle.totals.sorted(by: { $0.key < $1.key }) {
      guard let month = Month(name) else { continue }
      for source in [BillSource.preAggregated, .batch] {
        for (carrier, expected) in carriers.sorted(by: { $0.key < $1.key }) {
          let bills = try await billing.bill(AccountID(unchecked: carrier), month, source: source)
          let found = bills.map { bill in
            NYCFlightsOracle.Total(
              gross: bill.gross.minorUnits, tax: bill.tax.minorUnits, refunds: bill.refunds.minorUnits,
              lines: bill.lines)
          }
          if found != [expected] {
            differences.append(
              "\(carrier) \(month), \(source.rawValue): expected \(expected), found \(found)")
          }
        }
      }
    }
    return differences
  }
}

extension CivilDate {
  fileprivate var text: String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(year)-\(two(month))-\(two(day))"
  }
}

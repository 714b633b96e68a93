import Foundation
import Vocabulary

/// The flights as `scenarios/nyc-flights/fetch` has laid them out: a file a day, without quotes.
public struct NYCFlightsData: Sendable {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  let directory: URL
  private let seats: [String: Int]
  /// Carriers by code.
  public let airlines: [String: String]

  public init(directory: URL) throws {
    self.directory = directory
    guard FileManager.default.fileExists(atPath: directory.appending(path: "planes.csv").path) else {
      throw Failure(description: "the flights are not in \(directory.path). Run: scenarios/nyc-flights/fetch")
    }
    var seats: [String: Int] = [:]
    for row in try Table(directory.appending(path: "planes.csv")).rows {
      seats[try row.text("tailnum")] = Int(try row.number("seats"))
    }
    self.seats = seats
    var airlines: [String: String] = [:]
    for row in try Table(directory.appending(path: "airlines.csv")).rows {
      airlines[try row.text("carrier")] = try row.text("name")
    }
    self.airlines = airlines
  }

  /// The flights of some days, in the order of their scheduled departure.
  func flights(on days: [String]) throws -> [NYCFlight] {
    var flights: [NYCFlight] = []
    for day in days {
      let file = directory.appending(path: "flights/\(day).csv")
      for row in try Table(file).rows { flights.append(try flight(row)) }
    }
    return flights.sorted { ($0.departsAt, $0.show) < ($1.departsAt, $1.show) }
  }

  private func flight(_ row: Table.Row) throws -> NYCFlight {
    let hour = try row.text("time_hour")
    guard let hour = Timestamp(rfc3339: hour) else { throw row.wrong("time_hour", "not an instant") }
    let (month, day) = (try row.number("month"), try row.number("day"))
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let departure = try row.text("dep_time")
    return NYCFlight(
      date: "\(try row.number("year"))-\(two(month))-\(two(day))", carrier: try row.text("carrier"),
      number: try row.text("flight"), origin: try row.text("origin"), destination: try row.text("dest"),
      miles: try row.number("distance"), seats: seats[try row.text("tailnum")] ?? NYCFlight.defaultSeats,
      departsAt: hour + .seconds(60 * (try row.number("minute"))),
      isCancelled: departure.isEmpty || departure == "NA")
  }
}

/// A file of comma-separated values with a header and no quotes.
private struct Table {
  struct Row {
    let columns: [String: Int]
    let values: [Substring]
    let place: String

    func text(_ column: String) throws -> String {
      guard let index = columns[column], index < values.count else { throw wrong(column, "missing") }
      return String(values[index])
    }

    func number(_ column: String) throws -> Int64 {
      let text = try text(column)
      guard let number = Int64(text) else { throw wrong(column, "\"\(text)\" is not a whole number") }
      return number
    }

    func wrong(_ column: String, _ reason: String) -> NYCFlightsData.Failure {
      .init(description: "\(place), column \(column): \(reason)")
    }
  }

  let rows: [Row]

  init(_ file: URL) throws {
    let text: String
    do {
      text = try String(contentsOf: file, encoding: .utf8)
    } catch {
      throw NYCFlightsData.Failure(
        description: "\(file.path) cannot be read. Run: scenarios/nyc-flights/fetch")
    }
    let lines = text.split(separator: "\n")
    let header = (lines.first ?? "").split(separator: ",", omittingEmptySubsequences: false)
    let columns = Dictionary(
      header.enumerated().map { (String($1), $0) }, uniquingKeysWith: { first, _ in first })
    rows = lines.dropFirst().enumerated().map { index, line in
      Row(
        columns: columns, values: line.split(separator: ",", omittingEmptySubsequences: false),
        place: "\(file.lastPathComponent), line \(index + 2)")
    }
  }
}

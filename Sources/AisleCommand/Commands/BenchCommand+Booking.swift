import ArgumentParser
import Foundation
import Scenarios
import Services

extension BookingLoad.Method: ExpressibleByArgument {}

extension BenchCommand {
  struct Bookings: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "booking",
      abstract: "Confirmed bookings on one show and on many, beside row locks and retries.",
      discussion: """
        Each buyer holds the best seat, orders it and begins again when the order is confirmed. Methods: service (in \
        the buyers' process), rest (over HTTP, every role running), retry (each buyer appends at the expected version \
        and tries again), row-lock and skip-locked (a table of seats, select … for update, no events).
        """)

    @Option(parsing: .upToNextOption, help: "Methods.")
    var methods = BookingLoad.Method.allCases

    @Option(parsing: .upToNextOption, help: "Buyers at the same time.")
    var contenders = [1, 10, 100, 500, 1000]

    @Option(parsing: .upToNextOption, help: "Shows that they are spread over.")
    var shows = [1, 100]

    @Option(
      parsing: .upToNextOption,
      help: "Processes of services (or, with rest, servers) that sell the same shows.")
    var processes = [1, 2]

    @Option(help: "Seconds of each measurement.")
    var seconds = 3.0

    @Flag(help: "JSON.")
    var json = false

    func validate() throws {
      guard contenders.allSatisfy({ (1...5_000).contains($0) }),
        shows.allSatisfy({ (1...1_000).contains($0) }),
        processes.allSatisfy({ (1...8).contains($0) }), (0.5...60).contains(seconds)
      else {
        throw ValidationError("buyers are 1 to 5000, shows 1 to 1000, processes 1 to 8, seconds 0.5 to 60")
      }
    }

    func run() async throws {
      try await Session.run(as: .owner) { [self] session in
        let rows = try await BookingBenchmark(
          conninfo: session.conninfo, executable: try ScenarioEngine.thisExecutable(),
          settings: .init(
            methods: methods, contenders: contenders, shows: shows, processes: processes, seconds: seconds)
        ).run(progress: Progress.line)
        if json { return print(try JSONText.document(rows)) }
        print(
          TextTable(
            [
              "method", "shows", "processes", "buyers", "bookings/s", "p50 ms", "p99 ms", "refused",
              "appends each",
              "conflicts each", "errors",
            ],
            rows.map { row in
              func figure(_ value: Double?) -> String { value.map { String(format: "%.2f", $0) } ?? "-" }
              return [
                row.method.rawValue, "\(row.shows)", "\(row.processes)", "\(row.contenders)",
                "\(Int(row.bookingsPerSecond))", String(format: "%.1f", Double(row.p50Microseconds) / 1000),
                String(format: "%.1f", Double(row.p99Microseconds) / 1000), "\(row.refusedWhileFree)",
                figure(row.appendsPerBooking), figure(row.conflictsPerBooking),
                row.errors.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", "),
              ]
            }
          ).rendered)
      }
    }
  }

  /// Buyers in a process of their own, as `aisle bench booking` starts them.
  struct BookingBuyers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "booking-load", abstract: "Buyers, as told in the argument.", shouldDisplay: false)

    @Argument var load: String

    func run() async throws {
      let load = try JSONDecoder().decode(BookingLoad.self, from: Data(load.utf8))
      try await Session.run { session in
        let result = try await load.run(with: Aisle(pool: session.pool, logger: session.logger))
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
      }
    }
  }
}

import ArgumentParser
import EmbeddedPostgreSQL
import Foundation

extension AppendLoad.Streams: ExpressibleByArgument {}

extension BenchCommand {
  struct Append: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Durable appends beside pgbench inserts, COPY into the same table, and other event stores.",
      discussion: """
        Other stores are measured if they are there: `bin/peers DIR` gets them and prints the options.
        """)

    @Option(help: "Seconds of each measurement.")
    var seconds = 5

    @Option(parsing: .upToNextOption, help: "Appends in flight.")
    var inFlight = [1, 16, 64, 256, 1000]

    @Option(parsing: .upToNextOption, help: "Kinds of streams: unique, zipf, hot.")
    var streams = AppendLoad.Streams.allCases

    @Option(parsing: .upToNextOption, help: "Events of one append, with 16 in flight.")
    var batches = [10, 100, 1000]

    @Option(name: .customLong("message-db"), help: "The folder `database` of message-db.")
    var messageDB: String?

    @Option(help: "A Python interpreter that has eventsourcing[postgres].")
    var pyeventsourcing: String?

    @Flag(help: "JSON.")
    var json = false

    func validate() throws {
      guard seconds > 0, inFlight.allSatisfy({ (1...10_000).contains($0) }),
        batches.allSatisfy({ (1...10_000).contains($0) })
      else { throw ValidationError("seconds, appends in flight and events of an append are 1 to 10,000") }
    }

    func run() async throws {
      try await Session.run(as: .owner) { [self] session in
        let peers =
          [messageDB.map(PeerStore.messageDB), pyeventsourcing.map(PeerStore.pyeventsourcing)].compactMap(
            \.self)
        let benchmark = AppendBenchmark(
          conninfo: session.conninfo, pgbench: try PostgresTool.path("pgbench"),
          psql: try PostgresTool.path("psql"), seconds: seconds, inFlight: inFlight, streams: streams,
          batches: batches, peers: peers)
        let result = try await benchmark.run(progress: Progress.line)
        if json { return print(try JSONText.document(result)) }
        print(table(of: result, peers: peers.map(\.name)).rendered)
        print("COPY into a table of the same shape: \(Int(result.copyRowsPerSecond)) rows/s")
      }
    }

    private func table(of result: AppendBenchmark.Result, peers: [String]) -> TextTable {
      func ratio(_ rate: Double, _ of: Double?) -> String {
        of.map { String(format: $0 > 0 && rate / $0 >= 10 ? "%.0f" : "%.2f", rate / $0) } ?? "-"
      }
      return TextTable(
        [
          "streams", "in flight", "events each", "events/s", "p50 µs", "p99 µs", "p99.9 µs", "÷ inserts",
          "÷ COPY",
        ]
          + peers.map { "÷ \($0)" },
        result.rows.map { row in
          let yardstick = row.eventsPerAppend == 1 ? result.yardstick(inFlight: row.inFlight) : nil
          return [
            row.streams.rawValue, "\(row.inFlight)", "\(row.eventsPerAppend)", "\(Int(row.eventsPerSecond))",
            "\(row.load.p50Microseconds)", "\(row.load.p99Microseconds)", "\(row.load.p999Microseconds)",
            ratio(row.eventsPerSecond, yardstick?.inserts),
            ratio(row.eventsPerSecond, result.copyRowsPerSecond),
          ] + peers.map { ratio(row.eventsPerSecond, yardstick?.peers[$0]) }
        })
    }
  }
}

import ArgumentParser
import EmbeddedPostgreSQL

extension BenchCommand {
  struct Read: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Reading the log in order and projecting it, beside COPY TO of the same rows.")

    @Option(help: "The log is filled up to so many events.")
    var events = 500_000

    @Flag(help: "JSON.")
    var json = false

    func run() async throws {
      try await Session.run(as: .owner) { [self] session in
        let result = try await ReadBenchmark(
          conninfo: session.conninfo, psql: try PostgresTool.path("psql"), events: events
        ).run(progress: Progress.line)
        if json { return print(try JSONText.document(result)) }
        let rows = [
          ("COPY TO, not decoded", result.copyRowsPerSecond), ("export, decoded", result.exportedPerSecond),
          ("readAll, decoded", result.readPerSecond),
          ("projection with its checkpoint", result.projectedPerSecond),
        ]
        print(
          TextTable(
            ["of \(result.events) events", "events/s", "÷ COPY TO"],
            rows.map { name, rate in
              [
                name, "\(Int(rate))",
                (rate / result.copyRowsPerSecond).formatted(.number.precision(.fractionLength(2))),
              ]
            }
          ).rendered)
      }
    }
  }

  struct Growth: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Appends and stream reads as the log grows.",
      discussion:
        "Fills the log with synthetic events first: 10,000,000 of them take about 8 GB and some minutes.")

    @Option(parsing: .upToNextOption, help: "Events in the log, ascending.")
    var sizes = [100_000, 1_000_000, 10_000_000]

    @Option(help: "Seconds of each measurement.")
    var seconds = 3

    @Option(help: "Measurements of each size; the median counts.")
    var rounds = 3

    @Flag(help: "JSON.")
    var json = false

    func validate() throws {
      guard sizes == sizes.sorted(), sizes.allSatisfy({ $0 >= 1000 }), seconds > 0, rounds > 0 else {
        throw ValidationError("sizes ascend and are at least 1,000; seconds and rounds are at least 1")
      }
    }

    func run() async throws {
      try await Session.run(as: .owner) { [self] session in
        let rows = try await GrowthBenchmark(
          conninfo: session.conninfo, sizes: sizes, seconds: seconds, rounds: rounds
        ).run(progress: Progress.line)
        if json { return print(try JSONText.document(rows)) }
        print(
          TextTable(
            ["events", "partitions", "appends/s (16 in flight)", "p99 µs", "stream read p50 µs", "p99 µs"],
            rows.map { row in
              [
                "\(row.events)", "\(row.partitions)", "\(Int(row.appends.appendsPerSecond))",
                "\(row.appends.p99Microseconds)", "\(row.readP50Microseconds)", "\(row.readP99Microseconds)",
              ]
            }
          ).rendered)
      }
    }
  }
}

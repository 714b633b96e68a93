import ArgumentParser
import Booking
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
          ("projection with its checkpoint, a row a stream", result.projectedPerSecond),
          ("projection with its checkpoint, a row a type", result.countedPerSecond),
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

  struct Open: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Opening a large show that this process has never seen: all of its stream, and its snapshot.")

    @Option(help: "Events in the show's stream.")
    var events = 100_000

    @Flag(help: "JSON.")
    var json = false

    func validate() throws {
      guard (1_000...160_000).contains(events) else {
        throw ValidationError(
          "--events is 1000 to 160000: a show has at most \(Booking.maximumSeatsPerShow) seats")
      }
    }

    func run() async throws {
      try await Session.run(as: .owner) { [self] session in
        let result = try await OpenBenchmark(
          conninfo: session.conninfo, psql: try PostgresTool.path("psql"), events: events
        ).run(progress: Progress.line)
        if json { return print(try JSONText.document(result)) }
        let rows = [
          ("COPY TO, not decoded", result.copySeconds), ("folding all of it", result.foldSeconds),
          ("taking a snapshot (\(result.snapshotBytes / 1024) KiB stored)", result.keepSeconds),
          ("from the snapshot", result.openSeconds),
          ("from the snapshot and \(result.lateEvents) events after it", result.openLateSeconds),
        ]
        print(
          TextTable(
            ["a show of \(result.events) events", "ms", "÷ COPY TO"],
            rows.map { name, seconds in
              [
                name, "\(Int(seconds * 1000))",
                (seconds / result.copySeconds).formatted(.number.precision(.fractionLength(2))),
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

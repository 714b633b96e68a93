import ArgumentParser
import Foundation

extension BenchCommand {
  struct Lake: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Exporting the log as files and verifying them, beside COPY TO of the same rows.",
      discussion: """
        Fills the log with orders and bookings first. To measure on one core: taskset -c 0 aisle bench lake; the server \
        is then to be started under taskset as well.
        """)

    @Option(help: "The log is filled up to so many events.")
    var events = 1_000_000

    @Option(help: "Where the files go, and are removed again.")
    var folder = NSTemporaryDirectory()

    @Flag(help: "JSON.")
    var json = false

    func run() async throws {
      try await Session.run(as: .owner) { [self] session in
        let lakes = URL(filePath: folder, directoryHint: .isDirectory)
          .appending(path: "aisle-bench-\(UUID().uuidString.lowercased())")
        defer { try? FileManager.default.removeItem(at: lakes) }
        let result = try await LakeBenchmark(
          conninfo: session.conninfo, psql: try PostgresTool.path("psql"), events: events, folder: lakes
        ).run(progress: Progress.line)
        if json { return print(try JSONText.document(result)) }
        func row(_ name: String, _ rate: Double, _ peak: Int64?, _ bytes: Int64?) -> [String] {
          [
            name, "\(Int(rate))",
            (rate / result.copyRowsPerSecond).formatted(.number.precision(.fractionLength(2))),
            peak.map { "\($0 >> 20) MB" } ?? "", bytes.map { "\($0 >> 20) MB" } ?? "",
          ]
        }
        let rows = result.formats.flatMap { format in
          [
            row(
              "export, \(format.format.rawValue)", format.exportedPerSecond, format.exportPeakBytes,
              format.bytes),
            row("verify, \(format.format.rawValue)", format.verifiedPerSecond, format.verifyPeakBytes, nil),
          ]
        }
        print(
          TextTable(
            ["of \(result.events) events", "events/s", "÷ COPY TO", "peak memory", "files"],
            [row("COPY TO, not decoded", result.copyRowsPerSecond, nil, nil)] + rows
          ).rendered)
      }
    }
  }
}

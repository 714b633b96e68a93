import ArgumentParser
import EmbeddedPostgreSQL
import Foundation

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure, beside PostgreSQL's own tools in the same run.",
    discussion: """
      Rates of a shared machine mean little alone; read the ratios. Needs pgbench and psql. Events go into the log \
      of the database in use: take one that you throw away, such as AISLE_HOME=/var/tmp/aisle-bench aisle bench append
      """,
    subcommands: [
      Driver.self, Append.self, Read.self, Open.self, Growth.self, Lake.self, Bookings.self,
      BookingBuyers.self,
    ])

  struct Driver: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The driver beside pgbench -M prepared at 1, 4 and 16 connections.")

    @Option(help: "Seconds of each measurement.")
    var seconds = 3

    @Option(help: "Measurements of each kind, taking turns; the median counts.")
    var rounds = 3

    @Flag(help: "JSON.")
    var json = false

    func run() async throws {
      try await Session.run(as: .owner) { [self] session in
        let benchmark = DriverBenchmark(
          conninfo: session.conninfo,
          pgbench: Pgbench(program: try PostgresTool.path("pgbench"), conninfo: session.conninfo),
          seconds: seconds,
          rounds: rounds)
        let rows = try await benchmark.run(progress: Progress.line)
        if json { return print(try JSONText.document(rows)) }
        print(
          TextTable(
            ["statement", "connections", "pgbench/s", "aisle/s", "ratio"],
            rows.map { row in
              [
                row.statement, "\(row.connections)", "\(Int(row.pgbench))", "\(Int(row.aisle))",
                String(format: "%.2f", row.ratio),
              ]
            }
          ).rendered)
      }
    }
  }
}

/// PostgreSQL's own programs, beside the server's or in `PATH`.
enum PostgresTool {
  static func path(_ name: String) throws -> String {
    let manager = FileManager.default
    let versions = (try? manager.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
    let newest = versions.compactMap { Int($0) }.sorted(by: >).map { "/usr/lib/postgresql/\($0)/bin" }
    let search = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    for folder in newest + search where manager.isExecutableFile(atPath: "\(folder)/\(name)") {
      return "\(folder)/\(name)"
    }
    throw CommandFailure("\(name) is not installed. Run: apt-get install postgresql")
  }
}

/// Progress goes to standard error, so that results can be piped.
enum Progress {
  @Sendable static func line(_ text: String) {
    FileHandle.standardError.write(Data("… \(text)\n".utf8))
  }
}

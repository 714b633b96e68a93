import EventStore
import Foundation
import Lake
import PostgreSQL
import Services

/// Exports the log as Delta tables and as JSON lines, and verifies both, beside `COPY … TO` of the same rows by `psql`.
struct LakeBenchmark: Sendable {
  struct Result: Sendable, Codable {
    let events: Int
    let copyRowsPerSecond: Double
    let formats: [Format]
  }

  struct Format: Sendable, Codable {
    let format: LakeFormat
    let exportedPerSecond: Double
    /// Of this process while it exported.
    let exportPeakBytes: Int64
    let bytes: Int64
    let verifiedPerSecond: Double
    let verifyPeakBytes: Int64
  }

  let conninfo: String
  let psql: String
  let events: Int
  let folder: URL

  func run(progress: @Sendable (String) -> Void) async throws -> Result {
    let pool = try PostgresPool(PostgresConfiguration(conninfo), size: 4)
    let store = EventStore(pool: pool, upcasters: EventHistory.upcasters)
    _ = try await SyntheticLog(pool: pool, content: .business).grow(to: events, progress: progress)
    let last = try await store.head().rawValue

    progress("COPY TO, twice, the second counts")
    let copy = """
      \\copy (select position, version, recorded_at, schema_version, id, correlation_id, causation_id, type, actor, \
      traceparent, data, stream, tags from aisle.events where tenant = 1 order by position) \
      to '/dev/null' (format binary)
      """
    _ = try await Shell.run(psql, [conninfo, "-q", "-c", copy])
    let started = ContinuousClock.now
    _ = try await Shell.run(psql, [conninfo, "-q", "-c", copy])
    let copySeconds = started.duration(to: .now).secondsAsDouble

    var formats: [Format] = []
    for format in LakeFormat.allCases {
      let lake = folder.appending(path: format.rawValue)
      progress("export, \(format.rawValue)")
      try PeakMemory.reset()
      let summary = try await LakeExporter.export(store, to: lake, options: LakeExportOptions(format: format))
      let exportPeak = try PeakMemory.bytes()
      progress("verify, \(format.rawValue)")
      try PeakMemory.reset()
      let report = try await LakeVerifier.verify(lake, through: last)
      guard report.isComplete else { throw CommandFailure("the lake has \(report.problemCount) problems") }
      formats.append(
        Format(
          format: format, exportedPerSecond: Double(summary.events) / summary.seconds,
          exportPeakBytes: exportPeak, bytes: summary.compressedBytes,
          verifiedPerSecond: Double(report.events) / report.seconds, verifyPeakBytes: try PeakMemory.bytes()))
    }
    await pool.close()
    return Result(events: Int(last), copyRowsPerSecond: Double(last) / copySeconds, formats: formats)
  }
}

/// The most memory that this process had, as the kernel counts it.
enum PeakMemory {
  /// Counts anew from now on.
  static func reset() throws {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else {
      throw CommandFailure("/proc/self/clear_refs cannot be written, so peak memory cannot be measured")
    }
    try file.write(contentsOf: Data("5".utf8))
    try file.close()
  }

  static func bytes() throws -> Int64 {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(separator: " ").dropLast().last.flatMap({ Int64($0) })
    else { throw CommandFailure("/proc/self/status does not say how much memory was used") }
    return kilobytes << 10
  }
}

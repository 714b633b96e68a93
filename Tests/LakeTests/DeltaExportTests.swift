import Foundation
import Testing

@testable import Lake

@Suite("an export as Delta tables")
struct DeltaExportTests {
  @Test("is what a new lake is; an existing one goes on in its own format, and another is refused")
  func formats() async throws {
    let log = TestLog.business(20, seed: 140)
    let lake = TestLake()
    try await lake.export(log, through: 10, options: LakeExportOptions())
    #expect(try await lake.verify().format == .delta)
    await #expect(
      throws: LakeError.anotherFormat(directory: lake.directory.path, found: .delta, expected: .ndjson)
    ) { try await lake.export(log, options: LakeExportOptions(format: .ndjson)) }
    let lines = TestLake()
    try await lines.export(log, through: 10)
    await #expect(
      throws: LakeError.anotherFormat(directory: lines.directory.path, found: .ndjson, expected: .delta)
    ) { try await lines.export(log, options: LakeExportOptions(format: .delta)) }
    try await lines.export(log, options: LakeExportOptions())
    let report = try await lines.verify()
    #expect(report.format == .ndjson && report.problems == [] && report.events == 20)
    try await lake.export(log, options: LakeExportOptions())
    #expect(try await lake.verify().events == 20)
  }

  @Test("is refused by a lake of another log, by one that is ahead, and by one whose last event is another")
  func refused() async throws {
    let log = TestLog.business(20, seed: 141)
    let lake = TestLake()
    try await lake.export(log, options: TestLake.delta)
    let before = try lake.content()
    let other = LakeIdentity(tenant: .main, log: UUID())
    let error = await #expect(throws: LakeError.self) {
      try await lake.export(log, options: TestLake.delta, identity: other)
    }
    if case .anotherLog = error {} else { Issue.record("\(String(describing: error))") }
    await #expect(throws: LakeError.aheadOfLog(directory: lake.directory.path, lake: 20, log: 15)) {
      try await lake.export(log.prefix(15), options: TestLake.delta)
    }
    let exporter = LakeExporter(
      directory: lake.directory, identity: TestLog.identity, options: TestLake.delta)
    let diverged = await #expect(throws: LakeError.self) {
      try await exporter.export(head: { 20 }, reading: log.feedWithOtherIDs())
    }
    if case .diverged = diverged {} else { Issue.record("\(String(describing: diverged))") }
    #expect(try lake.content() == before)
  }

  @Test("is refused if only one table is ahead of the log")
  func oneTableAhead() async throws {
    let log = TestLog.business(20, seed: 142)
    let lake = TestLake()
    try await lake.export(log, through: 10, options: TestLake.delta)
    // As a kill between two tables leaves it.
    await #expect(throws: CrashTests.Stop()) {
      try await lake.export(log, options: LakeExportOptions(format: .delta)) { step in
        if step == .manifestFlushed { throw CrashTests.Stop() }
      }
    }
    #expect(try await lake.verify().events == 10)
    await #expect(throws: LakeError.aheadOfLog(directory: lake.directory.path, lake: 20, log: 15)) {
      try await lake.export(log.prefix(15), options: TestLake.delta)
    }
    let exporter = LakeExporter(
      directory: lake.directory, identity: TestLog.identity, options: TestLake.delta)
    // Its last event is compared too, although the others end before it.
    let records = log.records.map { record in
      LakeRecord(
        position: record.position, stream: record.stream, category: record.category, version: record.version,
        id: record.position == 20 ? UUID() : record.id, type: record.type, recordedAt: record.recordedAt,
        data: record.data)
    }
    let diverged = await #expect(throws: LakeError.self) {
      try await exporter.export(
        head: { 20 },
        reading: { after, _, deliver in try await deliver(records.filter { $0.position > after }) })
    }
    if case .diverged = diverged {} else { Issue.record("\(String(describing: diverged))") }
    try await lake.export(log, options: TestLake.delta)
    let report = try await lake.verify()
    #expect(report.problems == [] && report.events == 20)
  }

  @Test("goes on with the time zones that accounts had before it")
  func zones() async throws {
    let log = TestLog.business(300, seed: 143)
    let (whole, parts) = (TestLake(), TestLake())
    try await whole.export(log, options: TestLake.delta)
    for end in stride(from: Int64(7), through: 300, by: 29) {
      try await parts.export(log, through: end, options: TestLake.delta)
    }
    try await parts.export(log, options: TestLake.delta)
    // A verification makes all rows again in one go.
    #expect(try await parts.verify().problems == [])
    #expect(try await parts.verify().bills == whole.verify().bills)
  }

  @Test("removes what interrupted exports left and nothing else, also when that is all it is asked for")
  func vacuum() async throws {
    let log = TestLog.business(40, seed: 144)
    let lake = TestLake()
    try await lake.export(log, options: TestLake.delta)
    let before = try lake.content()
    let part = "part-\(LakeLayout.padded(41))-\(LakeLayout.padded(50)).zstd.parquet"
    let orphan = lake.directory.appending(path: "orders/tenant=1/event_date=2026-11-24/\(part)")
    let foreign = lake.directory.appending(path: "orders/tenant=1/event_date=2026-11-24/mine.parquet")
    let ofAnother = lake.directory.appending(path: "orders/tenant=2/event_date=2026-11-24/\(part)")
    try FileManager.default.createDirectory(
      at: ofAnother.deletingLastPathComponent(), withIntermediateDirectories: true)
    for file in [orphan, foreign, ofAnother, lake.directory.appending(path: "_temporary/x.tmp")] {
      try Data("x".utf8).write(to: file)
    }
    let exporter = LakeExporter(
      directory: lake.directory, identity: TestLog.identity, options: TestLake.delta)
    let layout = LakeLayout(root: lake.directory.path)
    let lock = try LakeLock.take(layout, exclusive: false)
    await #expect(throws: LakeError.self) { try await exporter.vacuum() }
    #expect(FileManager.default.fileExists(atPath: orphan.path))
    withExtendedLifetime(lock) {}
    _ = consume lock
    #expect(try await exporter.vacuum() == 2)
    try FileManager.default.removeItem(at: foreign)
    try FileManager.default.removeItem(at: ofAnother)
    #expect(try lake.content() == before)
  }

  @Test("commits before it has more files open than its limit, however many dates and categories there are")
  func manyPartitions() async throws {
    var log = TestLog()
    for index in 0..<400 {
      log.append("c\(index % 40)-x", "e", "{}", after: .seconds(index % 7 == 0 ? 86_400 : 1))
    }
    let lake = TestLake()
    try await lake.export(log, options: LakeExportOptions(format: .delta, filesPerEntry: 10))
    let layout = LakeLayout(root: lake.directory.path)
    for version in try DeltaLog.versions(layout, "events") {
      let files = try DeltaLog.read(version, layout, "events").actions.compactMap(\.add)
      #expect(files.count <= 10)
    }
    #expect(try await lake.verify().problems == [])
  }
}

extension TestLog {
  /// As a log that was rewritten would.
  fileprivate func feedWithOtherIDs() -> LakeExporter.Feed {
    let records = records.map { record in
      LakeRecord(
        position: record.position, stream: record.stream, category: record.category, version: record.version,
        id: UUID(), type: record.type, recordedAt: record.recordedAt, data: record.data)
    }
    return { after, _, deliver in try await deliver(records.filter { $0.position > after }) }
  }
}

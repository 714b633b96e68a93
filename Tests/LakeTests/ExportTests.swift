import Foundation
import Synchronization
import Testing
import Vocabulary

@testable import Lake

@Suite("an export")
struct ExportTests {
  @Test("writes each event as one line of JSON with its whole envelope")
  func line() async throws {
    var log = TestLog()
    log.append(
      "show-1", "seats-held", #"{"seats": ["A-1"]}"#, actor: "Zoë \"Z\"\n\u{1}", traceparent: "00-ab")
    let lake = TestLake()
    try await lake.export(log)
    #expect(
      try lake.lines() == [
        #"{"position":1,"stream":"show-1","category":"show","version":1,"#
          + #""id":"01020304-0506-0708-0000-000000000001","type":"seats-held","schema_version":1,"#
          + #""recorded_at":"2026-11-24T19:30:00.001000Z","actor":"Zoë \"Z\"\u000a\u0001","#
          + #""correlation_id":null,"causation_id":null,"traceparent":"00-ab","data":{"seats": ["A-1"]}}"#
      ])
  }

  @Test("keeps a file to one UTC date of recorded_at and names it by its positions")
  func dates() async throws {
    var log = TestLog()
    log.append("show-1", "a", "{}")
    log.append("show-1", "b", "{}", after: .seconds(4 * 3600 + 1799))  // 23:59:59.002
    log.append("show-1", "c", "{}", after: .seconds(1))
    let lake = TestLake()
    try await lake.export(log)
    #expect(
      try lake.entries().flatMap(\.files).map(\.path) == [
        "events/tenant=1/event_date=2026-11-24/part-00000000000000000001-00000000000000000002.ndjson.zst",
        "events/tenant=1/event_date=2026-11-25/part-00000000000000000003-00000000000000000003.ndjson.zst",
      ])
  }

  @Test("closes a file with the line that reaches the target size")
  func sizes() async throws {
    let log = TestLog.random(200, seed: 1, meanGap: .zero)
    let lake = TestLake()
    try await lake.export(log)
    let files = try lake.entries().flatMap(\.files)
    #expect(files.count > 5)
    for file in files.dropLast() {
      #expect(file.uncompressedBytes >= 3000)
      #expect(file.uncompressedBytes < 3000 + 1000)
    }
  }

  @Test("writes the same bytes whatever the size of the feed's batches", arguments: [1, 3, 1000])
  func batches(size: Int) async throws {
    let log = TestLog.random(300, seed: 2)
    let (one, other) = (TestLake(), TestLake())
    try await one.export(log)
    try await other.export(log, batches: size)
    #expect(try one.content() == other.content())
  }

  @Test("continues after the last exported event, and leaves what is there as it is")
  func resume() async throws {
    let log = TestLog.random(300, seed: 3)
    let lake = TestLake()
    try await lake.export(log, through: 120)
    let before = try lake.content()
    let summary = try await lake.export(log)
    #expect(summary.startPosition == 120)
    #expect(summary.lastPosition == 300)
    #expect(summary.events == 180)
    #expect(try lake.content().filter { before[$0.key] != nil } == before)
    let report = try await lake.verify()
    #expect(report.problems == [])
    #expect(report.events == 300)
  }

  @Test("of nothing new changes nothing")
  func nothingNew() async throws {
    let log = TestLog.random(50, seed: 4)
    let lake = TestLake()
    try await lake.export(log)
    let before = try lake.content()
    let summary = try await lake.export(log)
    #expect(summary.events == 0)
    #expect(try lake.content() == before)
  }

  @Test("of an empty log is an empty lake")
  func empty() async throws {
    let lake = TestLake()
    try await lake.export(TestLog())
    let report = try await lake.verify()
    #expect(report.events == 0)
    #expect(report.isComplete)
  }

  @Test("refuses a lake that is ahead of the log")
  func ahead() async throws {
    let log = TestLog.random(20, seed: 5)
    let lake = TestLake()
    try await lake.export(log)
    let before = try lake.content()
    await #expect(throws: LakeError.aheadOfLog(directory: lake.directory.path, lake: 20, log: 15)) {
      try await lake.export(log.prefix(15))
    }
    #expect(try lake.content() == before)
  }

  @Test("through a position that the lake has passed changes nothing")
  func passed() async throws {
    let log = TestLog.random(20, seed: 5)
    let lake = TestLake()
    try await lake.export(log)
    let before = try lake.content()
    let summary = try await lake.export(log, through: 15)
    #expect(summary.events == 0)
    #expect(summary.lastPosition == 20)
    #expect(try lake.content() == before)
  }

  @Test("refuses a lake whose last event is another one in the log")
  func diverged() async throws {
    var log = TestLog.random(20, seed: 6)
    let lake = TestLake()
    try await lake.export(log, through: 10)
    var rewritten = log.prefix(9)
    let other = log.records[10]
    rewritten.append(other.stream, "other", "{}")
    // The same position, another id.
    log = rewritten
    let feed: LakeExporter.Feed = { after, _, deliver in
      try await deliver(log.records.filter { $0.position > after }.map { $0.withID(UUID()) })
    }
    let exporter = LakeExporter(directory: lake.directory, identity: TestLog.identity)
    let error = await #expect(throws: LakeError.self) {
      try await exporter.export(head: { 10 }, reading: feed)
    }
    guard case .diverged(_, 10, TestLog.id(10).uuidString.lowercased(), _) = error else {
      Issue.record("expected .diverged, got \(String(describing: error))")
      return
    }
  }

  @Test("refuses a lake of another log or tenant")
  func otherLog() async throws {
    let log = TestLog.random(20, seed: 7)
    let lake = TestLake()
    try await lake.export(log)
    let before = try lake.content()
    for identity in [
      LakeIdentity(tenant: .main, log: UUID()), LakeIdentity(tenant: TenantID(2), log: TestLog.identity.log),
    ] {
      let error = await #expect(throws: LakeError.self) { try await lake.export(log, identity: identity) }
      guard case .anotherLog = error else {
        Issue.record("expected .anotherLog, got \(String(describing: error))")
        return
      }
    }
    #expect(try lake.content() == before)
  }

  @Test("stops at a position that the feed left out, and keeps what was committed before")
  func gap() async throws {
    let log = TestLog.random(100, seed: 8, meanGap: .zero)
    let lake = TestLake()
    let records = log.records.filter { $0.position != 90 }
    let exporter = LakeExporter(
      directory: lake.directory, identity: TestLog.identity, options: TestLake.options)
    await #expect(throws: LakeError.positionGap(expected: 90, found: 91)) {
      try await exporter.export(head: { 100 }, reading: { _, _, deliver in try await deliver(records) })
    }
    let report = try await lake.verify()
    #expect(report.isComplete)
    #expect(report.events > 0 && report.events < 90)
    #expect(report.orphans == [])
    try await lake.export(log)
    #expect(try await lake.verify().events == 100)
  }

  @Test("says when the feed ends before the head; what came is committed")
  func feedEnds() async throws {
    let log = TestLog.random(30, seed: 9)
    let lake = TestLake()
    await #expect(throws: LakeError.feedEnded(last: 20, expected: 30)) {
      let exporter = LakeExporter(directory: lake.directory, identity: TestLog.identity)
      return try await exporter.export(head: { 30 }, reading: log.prefix(20).feed())
    }
    #expect(try await lake.verify().lastPosition == 20)
  }

  @Test(
    "refuses a payload that would change the meaning of its line",
    arguments: ["[]", "1", "", "{} ", #"{},"position":9,"x":{}"#, "{\"a\":\"\n\"}", #"{"a":}"#, "{}{}", "{"])
  func payload(text: String) async throws {
    var log = TestLog()
    log.append("show-1", "a", "{}")
    log.append("show-1", "b", text)
    let lake = TestLake()
    let error = await #expect(throws: LakeError.self) { try await lake.export(log) }
    guard case .invalidPayload(position: 2, _) = error else {
      Issue.record("expected .invalidPayload, got \(String(describing: error))")
      return
    }
    #expect(try lake.paths() == ["_lock"])
  }

  @Test("keeps a payload with line ends on one line")
  func lineEnds() async throws {
    var log = TestLog()
    log.append("show-1", "a", "{\n\"a\":\r\n[1,\n2]}")
    let lake = TestLake()
    try await lake.export(log)
    #expect(try lake.lines().first?.hasSuffix("\"data\":{ \"a\":\r [1, 2]}}") == true)
    #expect(try await lake.verify().isComplete)
  }

  @Test("reports how far it is")
  func progress() async throws {
    let log = TestLog.random(100, seed: 10)
    let lake = TestLake()
    try await lake.export(log, through: 40)
    let reports = Mutex<[LakeProgress]>([])
    let exporter = LakeExporter(directory: lake.directory, identity: TestLog.identity)
    _ = try await exporter.export(
      head: { 100 }, reading: log.feed(batches: 20),
      progress: { report in reports.withLock { $0.append(report) } })
    let seen = reports.withLock { $0 }
    // The feed starts with the last event that is there, so the first batch brings 19 new ones.
    #expect(seen.map(\.eventsDone) == [19, 39, 59, 60])
    #expect(seen.allSatisfy { $0.eventsTotal == 60 })
    #expect(seen.last?.position == 100)
    #expect(seen.last?.remaining == .zero)
    #expect((seen.first?.eventsPerSecond ?? 0) > 0)
  }

  @Test("that is cancelled leaves a lake that the next one completes")
  func cancelled() async throws {
    let log = TestLog.random(200, seed: 11)
    let lake = TestLake()
    let feed: LakeExporter.Feed = { after, _, deliver in
      for record in log.records {
        if record.position == 150 { withUnsafeCurrentTask { $0?.cancel() } }
        try await deliver([record])
      }
    }
    let exporter = LakeExporter(
      directory: lake.directory, identity: TestLog.identity, options: TestLake.options)
    let task = Task { try await exporter.export(head: { 200 }, reading: feed) }
    await #expect(throws: CancellationError.self) { try await task.value }
    let report = try await lake.verify()
    #expect(report.isComplete)
    #expect(report.events > 0 && report.events < 200)
    try await lake.export(log)
    #expect(try await lake.verify().events == 200)
  }
}

extension LakeRecord {
  func withID(_ id: UUID) -> LakeRecord {
    LakeRecord(
      position: position, stream: stream, category: category, version: version, id: id, type: type,
      recordedAt: recordedAt, data: data)
  }
}

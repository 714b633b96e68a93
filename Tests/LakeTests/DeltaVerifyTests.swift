import Foundation
import Testing

@testable import Lake

@Suite("verifying a Delta lake")
struct DeltaVerifyTests {
  private func lake(_ count: Int = 60) async throws -> TestLake {
    let lake = TestLake()
    try await lake.export(TestLog.business(count, seed: 130), options: TestLake.delta)
    return lake
  }

  private func path(_ lake: TestLake, _ prefix: String, _ suffix: String) throws -> URL {
    let paths = try lake.paths().filter { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) }
    return lake.directory.appending(path: try #require(paths.dropFirst(paths.count / 2).first))
  }

  /// Alters one lake and says what kinds of problems that makes.
  private func problems(_ alter: (TestLake) throws -> Void) async throws -> Set<LakeProblem.Kind> {
    let lake = try await lake()
    #expect(try await lake.verify().problems == [])
    try alter(lake)
    let report = try await lake.verify()
    #expect(!report.isComplete)
    return Set(report.problems.map(\.kind))
  }

  @Test("proves every position, and gives the bills that the events themselves give")
  func whole() async throws {
    let log = TestLog.business(300, seed: 131)
    let (delta, ndjson) = (TestLake(), TestLake())
    try await delta.export(log, through: 100, options: TestLake.delta)
    try await delta.export(log, options: TestLake.delta)
    try await ndjson.export(log)
    let (first, second) = (try await delta.verify(), try await ndjson.verify())
    #expect(first.problems == [] && first.isComplete)
    #expect(first.format == .delta && second.format == .ndjson)
    #expect(first.events == 300 && first.lastPosition == 300 && first.streams == second.streams)
    #expect(first.bills == second.bills && !first.bills.isEmpty)
    #expect(first.logID == second.logID && first.tenant == second.tenant)
  }

  @Test("finds a data file that was altered, cut or removed, in every table")
  func files() async throws {
    for table in ["events", "orders", "bookings", "billing_lines"] {
      let altered = try await problems { lake in
        let file = try path(lake, table, ".parquet")
        var data = try Data(contentsOf: file)
        data[data.count / 2] ^= 1
        try data.write(to: file)
      }
      #expect(altered.contains(.fileHash), "\(table)")
      let cut = try await problems { lake in
        let file = try path(lake, table, ".parquet")
        try Data(contentsOf: file).dropLast(3).write(to: file)
      }
      #expect(cut.isSuperset(of: [.fileSize, .fileHash, .fileDamaged]), "\(table)")
      let removed = try await problems {
        try FileManager.default.removeItem(at: path($0, table, ".parquet"))
      }
      #expect(removed.contains(.fileMissing), "\(table)")
    }
  }

  @Test("finds a commit that was altered or removed, and what was added by another program")
  func commits() async throws {
    for table in ["events", "orders"] {
      let removed = try await problems {
        try FileManager.default.removeItem(at: path($0, "\(table)/_delta_log", ".json"))
      }
      #expect(removed.contains(.manifest), "\(table)")
      let altered = try await problems { lake in
        let file = try path(lake, "\(table)/_delta_log", ".json")
        let text = try String(contentsOf: file, encoding: .utf8)
        try text.replacing(#""numRecords\":"#, with: #""numRecords\":1"#).write(
          to: file, atomically: true, encoding: .utf8)
      }
      #expect(altered.contains(.manifest), "\(table)")
    }
    // Nothing in it is wrong; only the commit after it remembers what it was.
    let rewritten = try await problems { lake in
      let file = try path(lake, "events/_delta_log", ".json")
      let text = try String(contentsOf: file, encoding: .utf8)
      try text.replacing(#""engineInfo":"aisle""#, with: #""engineInfo":"other""#).write(
        to: file, atomically: true, encoding: .utf8)
    }
    #expect(rewritten == [.manifest])
    let foreign = try await problems { lake in
      let number = try DeltaLog.versions(LakeLayout(root: lake.directory.path), "events").count
      try Data(#"{"commitInfo":{"operation":"OPTIMIZE"}}"#.utf8).write(
        to: lake.directory.appending(path: "events/_delta_log/\(LakeLayout.padded(Int64(number))).json"))
    }
    #expect(foreign == [.manifest])
    let orphan = try await problems { lake in
      try Data("x".utf8).write(to: lake.directory.appending(path: "orders/tenant=1/x.parquet"))
    }
    #expect(orphan == [.orphan])
  }

  @Test("finds a row of a table that the events do not make, though every hash is right")
  func rows() async throws {
    // Each is the same log but for one amount, so that files of the one fit into the other, commits and all.
    var logs: [TestLog] = []
    for amount in [100, 101] {
      var log = TestLog()
      let lines = #"[{"seat":"A-1","amount":\#(amount),"tax_rate_bp":0}]"#
      log.append(
        "order-1", "order-confirmed",
        #"{"order_id":"1","show_id":"s","account_id":"ann","lines":\#(lines),"total":{"amount":\#(amount),"currency":"EUR"},"occurred_at":"2026-11-24T19:30:00Z"}"#
      )
      logs.append(log)
    }
    let (lake, other) = (TestLake(), TestLake())
    try await lake.export(logs[0], options: TestLake.delta)
    try await other.export(logs[1], options: TestLake.delta)
    let table = "billing_lines"
    try FileManager.default.removeItem(at: lake.directory.appending(path: table))
    try FileManager.default.copyItem(
      at: other.directory.appending(path: table), to: lake.directory.appending(path: table))
    let report = try await lake.verify()
    #expect(report.problems.map(\.kind) == [.row])
    #expect(report.problems.first?.position == 1)
  }

  @Test("finds what bounds that readers skip files by leave out")
  func bounds() async throws {
    let found = try await problems { lake in
      let file = try path(lake, "events/_delta_log", ".json")
      let text = try String(contentsOf: file, encoding: .utf8)
      let altered = text.replacing(#/\\"position\\":(\d+),\\"recorded_at\\"/#) { _ in
        #"\"position\":1,\"recorded_at\""#
      }
      try altered.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(found.contains(.manifest))
  }

  @Test("reports a table that ends before the events do, and a lake that ends too soon")
  func short() async throws {
    let lake = try await lake()
    let layout = LakeLayout(root: lake.directory.path)
    let version = try #require(DeltaLog.versions(layout, "orders").last)
    let files = try DeltaLog.read(version, layout, "orders").actions.compactMap(\.add?.path)
    try FileManager.default.removeItem(atPath: layout.deltaCommit(version, of: "orders"))
    for file in files { try FileManager.default.removeItem(atPath: layout.absolute("orders/\(file)")) }
    #expect(try await lake.verify().problems.contains { $0.kind == .incomplete && $0.file == "orders" })
    let whole = try await self.lake()
    let report = try await LakeVerifier.verify(whole.directory, through: 61)
    #expect(report.problems.map(\.kind) == [.incomplete])
  }

  @Test("never crashes on commits and files that were made up")
  func fuzz() async throws {
    var generator = SeededGenerator(seed: 133)
    let original = try await lake()
    let paths = try original.paths().filter { $0.hasSuffix(".json") || $0.hasSuffix(".parquet") }
    var found = 0
    for _ in 0..<70 {
      let lake = try original.copy()
      let path = try #require(paths.randomElement(using: &generator))
      let file = lake.directory.appending(path: path)
      var data = try Data(contentsOf: file)
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let at = Int.random(in: 0..<data.count, using: &generator)
        // Digits make the numbers large.
        data[at] =
          Bool.random(using: &generator) ? UInt8(ascii: "9") : UInt8.random(in: 0...255, using: &generator)
      }
      if data == (try Data(contentsOf: file)) { continue }
      try data.write(to: file)
      do {
        if try await !lake.verify().isComplete { found += 1 }
      } catch is LakeError {
        found += 1
      }
    }
    #expect(found > 60)
  }
}

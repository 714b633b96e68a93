import Foundation
import Testing
import Vocabulary

@testable import Lake

@Suite("aisle lake verify")
struct LakeCommandTests {
  private static let logID = "01020304-0506-0708-090a-0b0c0d0e0f10"

  /// A lake of three entries with one event each, in a directory that goes when `body` is through.
  private func withLake(_ body: (URL) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "aisle-lake-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let identity = LakeIdentity(tenant: .main, log: try #require(UUID(uuidString: Self.logID)))
    let exporter = LakeExporter(
      directory: directory, identity: identity, options: LakeExportOptions(format: .ndjson, targetBytes: 1))
    try await exporter.export(
      head: { 3 },
      reading: { after, through, deliver in
        try await deliver(
          (after + 1...through).map { position in
            LakeRecord(
              position: position, stream: "show-1", category: "show", version: position, id: UUID(),
              type: "seats-held",
              recordedAt: Timestamp(microseconds: 1_795_548_600_000_000), data: Array("{}".utf8))
          })
      })
    try await body(directory)
  }

  private func removeEntry(_ number: Int64, of lake: URL) throws {
    try FileManager.default.removeItem(atPath: LakeLayout(root: lake.path).entry(number))
  }

  private func dataFile(_ position: Int64) -> String {
    LakeLayout.part(tenant: 1, date: "2026-11-24", first: position, last: position)
  }

  @Test("a whole lake passes, also when its end and its log are demanded")
  func whole() async throws {
    try await withLake { lake in
      let aisle = AisleProgram()
      #expect(try await aisle.run("lake", "verify", lake.path).status == 0)
      let result = try await aisle.run("lake", "verify", lake.path, "--through", "3", "--log-id", Self.logID)
      #expect(result.status == 0)
      #expect(result.output.contains("✓ 3 events in 3 files"))
    }
  }

  @Test("a lake that lost its last entry, or all, fails and names the files")
  func truncated() async throws {
    try await withLake { lake in
      let aisle = AisleProgram()
      for number in (1...3).reversed() {
        try removeEntry(Int64(number), of: lake)
        let result = try await aisle.run("lake", "verify", lake.path)
        #expect(result.status == 1)
        for position in number...3 { #expect(result.output.contains(dataFile(Int64(position)))) }
        #expect(result.output.contains("run aisle lake export"))
        #expect(!result.output.contains("✓"))
      }
    }
  }

  @Test("a foreign file among the data fails and is named, in JSON too")
  func foreign() async throws {
    try await withLake { lake in
      let path = "events/tenant=1/event_date=2026-11-24/x.ndjson.zst"
      try Data("x".utf8).write(to: lake.appending(path: path))
      let aisle = AisleProgram()
      let text = try await aisle.run("lake", "verify", lake.path)
      #expect(text.status == 1)
      #expect(text.output.contains("✗ orphan: \(path): no manifest entry names it"))
      let json = try await aisle.run("lake", "verify", lake.path, "--json")
      #expect(json.status == 1)
      let report = try JSONDecoder().decode(LakeReport.self, from: Data(json.output.utf8))
      #expect(!report.isComplete)
      #expect(report.orphans == [path])
      #expect(report.problems.map(\.kind) == [.orphan])
    }
  }

  @Test("files of an export that is at work are shown and do not fail")
  func atWork() async throws {
    try await withLake { lake in
      try removeEntry(3, of: lake)
      let lock = try LakeLock.take(LakeLayout(root: lake.path), exclusive: true)
      let aisle = AisleProgram()
      let text = try await aisle.run("lake", "verify", lake.path)
      let json = try await aisle.run("lake", "verify", lake.path, "--json")
      withExtendedLifetime(lock) {}
      #expect(text.status == 0)
      #expect(text.output.contains("\(dataFile(3)): no manifest entry names it yet; an export is at work"))
      #expect(json.status == 0)
      let report = try JSONDecoder().decode(LakeReport.self, from: Data(json.output.utf8))
      #expect(report.isBeingExported)
      #expect(report.orphans == [dataFile(3)])
    }
  }

  @Test("a lake cut short without a trace fails if its end is demanded, and one of another log if that is")
  func demanded() async throws {
    try await withLake { lake in
      try removeEntry(3, of: lake)
      try FileManager.default.removeItem(at: lake.appending(path: dataFile(3)))
      let aisle = AisleProgram()
      #expect(try await aisle.run("lake", "verify", lake.path).status == 0)
      let short = try await aisle.run("lake", "verify", lake.path, "--through", "3")
      #expect(short.status == 1)
      #expect(short.output.contains("expected the lake to reach position 3, it ends at 2"))
      let other = try await aisle.run("lake", "verify", lake.path, "--log-id", UUID().uuidString, "--json")
      #expect(other.status == 1)
      #expect(other.output.contains("\"identity\""))
      for wrong in ["--through=x", "--through=-1", "--log-id=x"] {
        #expect(try await aisle.run("lake", "verify", lake.path, wrong).status == 64)
      }
    }
  }

  @Test("bills are not computed from a lake with files that no entry names")
  func bills() async throws {
    try await withLake { lake in
      let aisle = AisleProgram()
      let whole = try await aisle.run("billing", "month", "2026-11", "--source", "lake", "--lake", lake.path)
      #expect(whole.status == 0)
      try removeEntry(3, of: lake)
      let result = try await aisle.run("billing", "month", "2026-11", "--source", "lake", "--lake", lake.path)
      #expect(result.status == 1)
      #expect(result.errors.contains("aisle lake verify"))
    }
  }
}

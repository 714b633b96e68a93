import Foundation
import Testing

@testable import Lake

@Suite("a file that no manifest entry names")
struct OrphanTests {
  private func lake(_ count: Int = 45) async throws -> (lake: TestLake, files: [String]) {
    let lake = TestLake()
    try await lake.export(TestLog.random(count, seed: 60, meanGap: .zero))
    return (lake, try lake.entries().flatMap(\.files).map(\.path))
  }

  private static let interrupted =
    "no manifest entry names it: an export was interrupted or the entry is gone; "
    + "run aisle lake export to complete or remove it"

  @Test("shows that the last entry is gone")
  func lastEntry() async throws {
    let (lake, files) = try await lake()
    let last = try #require(try lake.entries().last)
    try lake.remove("_manifest/\(LakeLayout.padded(last.number)).json")
    let report = try await lake.verify()
    #expect(!report.isComplete)
    #expect(!report.isBeingExported)
    #expect(report.orphans == [files.last])
    #expect(report.problems.map(\.kind) == [.orphan])
    #expect(report.problems.first?.file == files.last)
    #expect(report.problems.first?.message == Self.interrupted)
  }

  @Test("shows that all entries are gone")
  func allEntries() async throws {
    let (lake, files) = try await lake()
    for entry in try lake.entries() { try lake.remove("_manifest/\(LakeLayout.padded(entry.number)).json") }
    let report = try await lake.verify()
    #expect(!report.isComplete)
    #expect(report.problems.map(\.file) == files)
    #expect(report.problems.allSatisfy { $0.kind == .orphan && $0.message == Self.interrupted })
  }

  @Test(
    "is a problem wherever it is under events, and is left to people if no export makes such files",
    arguments: [
      "events/tenant=1/event_date=2026-11-24/x.ndjson.zst",
      "events/tenant=1/event_date=2026-11-24/part-1-2.ndjson.zst",
      "events/tenant=1/event_date=2026-11-24/deeper/\(Self.part)",
      "events/tenant=2/event_date=2026-11-24/\(Self.part)",
      "events/\(Self.part)", "events/.hidden",
    ])
  func foreign(path: String) async throws {
    let (lake, _) = try await lake()
    try FileManager.default.createDirectory(
      at: lake.url(path).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("x".utf8).write(to: lake.url(path))
    let report = try await lake.verify()
    #expect(report.orphans == [path])
    #expect(report.problems.map(\.kind) == [.orphan])
    let message = try #require(report.problems.first?.message)
    #expect(message.hasSuffix("it is not the work of an export of this lake; move it away"))
    try await lake.export(TestLog.random(50, seed: 60, meanGap: .zero))
    #expect(FileManager.default.fileExists(atPath: lake.url(path).path))
  }

  static let part = "part-00000000000000000001-00000000000000000002.ndjson.zst"

  @Test("may be a symbolic link, which is not followed")
  func link() async throws {
    let (lake, _) = try await lake()
    try FileManager.default.createSymbolicLink(
      at: lake.url("events/tenant=1/again"), withDestinationURL: lake.url("events"))
    #expect(try await lake.verify().orphans == ["events/tenant=1/again"])
  }

  @Test("is no problem while an export is at work", arguments: [LakeExportOptions.WhenBusy.fail, .share])
  func atWork(whenBusy: LakeExportOptions.WhenBusy) async throws {
    let (lake, files) = try await lake(20)
    let gate = ConcurrencyTests.Gate(at: .directoriesFlushed)
    var options = TestLake.options
    options.whenBusy = whenBusy
    async let export = lake.export(TestLog.random(45, seed: 60, meanGap: .zero), options: options) {
      gate.hold(at: $0)
    }
    await gate.untilReached()
    var report = try await lake.verify()
    #expect(report.isComplete)
    #expect(report.problems == [])
    #expect(report.isBeingExported)
    #expect(!report.orphans.isEmpty)
    #expect(Set(report.orphans).isDisjoint(with: files))
    gate.open()
    _ = try await export
    report = try await lake.verify()
    #expect(report.isComplete)
    #expect(report.orphans == [])
    #expect(!report.isBeingExported)
  }

  @Test("when the check began is none if it was committed before the check ended")
  func committedMeanwhile() async throws {
    let (lake, _) = try await lake(20)
    let check = LakeCheck(layout: LakeLayout(root: lake.directory.path), identity: nil, head: nil)
    defer { check.executor.stop() }
    let numbers = try await check.begin()
    try await lake.export(TestLog.random(45, seed: 60, meanGap: .zero))
    for number in numbers { _ = try await check.checkEntry(number) }
    let report = try await check.finish()
    #expect(report.problems == [])
    #expect(report.orphans == [])
    #expect(report.events == 20)
  }

  @Test("is looked at without leaving a trace in the lake")
  func noTrace() async throws {
    let (lake, _) = try await lake()
    try lake.remove("_lock")
    try lake.remove("_manifest/\(LakeLayout.padded(1)).json")
    let before = try lake.paths()
    #expect(try await lake.verify().isComplete == false)
    #expect(try lake.paths() == before)
  }
}

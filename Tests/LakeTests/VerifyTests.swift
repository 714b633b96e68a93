import Foundation
import Testing
import Vocabulary

@testable import Lake

@Suite("a check of a lake")
struct VerifyTests {
  /// Four entries of one file each, all of one day.
  private func lake(seed: UInt64 = 60) async throws -> (lake: TestLake, files: [ManifestEntry.File]) {
    let lake = TestLake()
    let log = TestLog.random(45, seed: seed, meanGap: .zero)
    try await lake.export(log)
    let files = try lake.entries().flatMap(\.files)
    try #require(files.count >= 4)
    return (lake, files)
  }

  private func kinds(_ report: LakeReport) -> Set<LakeProblem.Kind> { Set(report.problems.map(\.kind)) }

  @Test("counts what is there and finds nothing wrong with what an export wrote")
  func sound() async throws {
    let (lake, files) = try await lake()
    let report = try await lake.verify()
    #expect(report.isComplete)
    #expect(report.problems == [])
    #expect(report.events == 45)
    #expect(report.firstPosition == 1)
    #expect(report.lastPosition == 45)
    #expect(report.files == Int64(files.count))
    #expect(report.entries == Int64(try lake.entries().count))
    #expect(report.streams == 9)
    #expect(report.bytes == files.reduce(0) { $0 + $1.bytes })
    #expect(report.uncompressedBytes == files.reduce(0) { $0 + $1.uncompressedBytes })
    #expect(report.tenant == 1)
    #expect(report.logID == "01020304-0506-0708-090a-0b0c0d0e0f10")
  }

  @Test("gives the same digest for the same log, and another for another")
  func digest() async throws {
    let digest = try await lake().lake.verify().digest
    #expect(digest?.count == 64)
    #expect(try await lake().lake.verify().digest == digest)
    #expect(try await lake(seed: 61).lake.verify().digest != digest)
  }

  @Test("reports a flipped bit, wherever it is")
  func flippedBit() async throws {
    let (lake, files) = try await lake()
    let file = files[1]
    for offset in stride(from: 0, to: Int(file.bytes), by: 97) {
      try lake.flipByte(of: file.path, at: offset)
      let report = try await lake.verify()
      let problem = report.problems.first { $0.kind == .fileHash }
      #expect(problem?.file == file.path, "offset \(offset)")
      #expect(problem?.message.contains("expected SHA-256 \(file.sha256)") == true)
      #expect(!report.isComplete)
      try lake.flipByte(of: file.path, at: offset)
    }
    #expect(try await lake.verify().isComplete)
  }

  @Test("reports a file that is gone, once")
  func missingFile() async throws {
    let (lake, files) = try await lake()
    try lake.remove(files[1].path)
    let report = try await lake.verify()
    #expect(report.problems.map(\.kind) == [.fileMissing])
    #expect(report.problems.first?.file == files[1].path)
    #expect(report.events == 45 - files[1].count)
  }

  @Test("reports a file that was cut short")
  func truncated() async throws {
    let (lake, files) = try await lake()
    let data = try Data(contentsOf: lake.url(files[1].path))
    try data.prefix(data.count / 2).write(to: lake.url(files[1].path))
    let report = try await lake.verify()
    #expect(kinds(report) == [.fileSize, .fileHash, .fileDamaged, .lineCount])
  }

  @Test("reports a manifest entry that is gone")
  func missingEntry() async throws {
    let (lake, files) = try await lake()
    try lake.remove("_manifest/\(LakeLayout.padded(2)).json")
    let report = try await lake.verify()
    #expect(report.problems.map(\.kind) == [.manifest, .position, .orphan])
    #expect(report.problems.first?.message == "entry 2 is missing before it")
    #expect(report.problems[1].position == files[2].firstPosition)
    #expect(report.problems[1].message.hasPrefix("expected position \(files[1].firstPosition)"))
    #expect(report.orphans == [files[1].path])
  }

  @Test("reports a lake that ends too early when it knows where the lake should end")
  func tooShort() async throws {
    let (lake, files) = try await lake()
    let last = try #require(try lake.entries().last)
    try lake.remove("_manifest/\(LakeLayout.padded(last.number)).json")
    for file in last.files { try lake.remove(file.path) }
    #expect(try await lake.verify().isComplete)
    let report = try await LakeVerifier.verify(lake.directory, through: 45)
    #expect(report.problems.map(\.kind) == [.incomplete])
    #expect(
      report.problems.first?.message
        == "expected the lake to reach position 45, it ends at \(try #require(files.last).firstPosition - 1)")
  }

  @Test("reports a manifest entry that is not one")
  func damagedEntry() async throws {
    let (lake, _) = try await lake()
    try Data("{}".utf8).write(to: lake.url("_manifest/\(LakeLayout.padded(2)).json"))
    #expect(kinds(try await lake.verify()) == [.manifest, .position, .orphan])
  }

  @Test("reports a changed manifest entry by the digest in the next one")
  func changedEntry() async throws {
    let (lake, _) = try await lake()
    try lake.changeEntry(2) { $0["last_event_id"] = "none" }
    let report = try await lake.verify()
    #expect(report.problems.map(\.file).contains("_manifest/\(LakeLayout.padded(3)).json"))
  }

  @Test("does not follow a manifest out of the lake")
  func traversal() async throws {
    let (lake, _) = try await lake()
    try lake.changeEntry(2) { json in
      var files = json["files"] as? [[String: Any]] ?? []
      files[0]["path"] = "../../etc/passwd"
      json["files"] = files
    }
    let report = try await lake.verify()
    #expect(
      report.problems.contains {
        $0.message.hasPrefix("it names the file ../../etc/passwd, expected events/")
      })
  }

  @Test("reports a repeated line by its file, line and position, even if all hashes were made to fit")
  func duplicatedLine() async throws {
    let (lake, files) = try await lake()
    let file = try #require(files.last)
    try lake.rewrite(file.path) { $0.insert($0[2], at: 3) }
    #expect(kinds(try await lake.verify()).isSuperset(of: [.fileHash, .position, .lineCount]))
    try lake.coverTracks()
    let report = try await lake.verify()
    #expect(kinds(report) == [.position, .lineCount])
    #expect(report.problems.first?.file == file.path)
    #expect(report.problems.first?.line == 4)
    #expect(report.problems.first?.position == file.firstPosition + 2)
  }

  @Test("reports a line that is gone, or two that changed places")
  func lines() async throws {
    let (lake, files) = try await lake()
    let file = try #require(files.last)
    try lake.rewrite(file.path) { $0.remove(at: 1) }
    try lake.coverTracks()
    var report = try await lake.verify()
    #expect(kinds(report) == [.position, .lineCount])
    #expect(
      report.problems.first?.message == "expected position \(file.firstPosition + 1): 1 events are missing")

    let (other, otherFiles) = try await self.lake()
    try other.rewrite(try #require(otherFiles.last).path) { $0.swapAt(1, 2) }
    try other.coverTracks()
    report = try await other.verify()
    #expect(kinds(report).contains(.position))
  }

  @Test("reports a line that is not an event, at the byte where it stops being one")
  func invalidLine() async throws {
    let (lake, files) = try await lake()
    let file = try #require(files.last)
    try lake.rewrite(file.path) { $0[1] = $0[1].replacing(#""version":"#, with: #""verse":"#) }
    try lake.coverTracks()
    let report = try await lake.verify()
    let problem = try #require(report.problems.first)
    #expect(problem.kind == .lineInvalid)
    #expect(problem.line == 2)
    #expect(problem.message.contains(#"expected ,"version": at byte"#))
  }

  @Test("reports a last line that does not end")
  func unendedLine() async throws {
    let (lake, files) = try await lake()
    let file = try #require(files.last)
    try lake.rewrite(file.path, end: "")
    try lake.coverTracks()
    let problem = try await lake.verify().problems.first { $0.kind == .fileDamaged }
    #expect(problem?.line == file.count)
    #expect(problem?.message == "cannot be read from here: the last line does not end")
  }

  @Test("reports a stream version that is out of turn")
  func streamVersion() async throws {
    var log = TestLog()
    for _ in 0..<3 { log.append("show-1", "a", "{}") }
    let lake = TestLake()
    try await lake.export(log)
    let file = try #require(try lake.entries().first?.files.first)
    try lake.rewrite(file.path) { $0[1] = $0[1].replacing(#""version":2"#, with: #""version":7"#) }
    try lake.coverTracks()
    let report = try await lake.verify()
    #expect(report.problems.map(\.kind) == [.streamVersion, .streamVersion])
    #expect(report.problems.first?.message == "expected version 2 of stream show-1, found 7")
  }

  @Test("reports a stream version that is out of turn after a line that is not an event")
  func streamVersionAfterGap() async throws {
    var log = TestLog()
    for _ in 0..<6 { log.append("show-1", "a", "{}") }
    let lake = TestLake()
    try await lake.export(log)
    let file = try #require(try lake.entries().first?.files.first)
    try lake.rewrite(file.path) {
      $0[1] = "?"
      $0[4] = $0[4].replacing(#""version":5"#, with: #""version":9"#)
    }
    try lake.coverTracks()
    let problems = try await lake.verify().problems
    // Version 3 follows from the bad line; 9 does not.
    #expect(problems.map(\.kind) == [.lineInvalid, .streamVersion, .streamVersion])
    #expect(problems[1].message == "expected version 5 of stream show-1, found 9")
  }

  @Test("does not report a stream that jumps ahead once because events are missing")
  func streamsAfterGap() async throws {
    var log = TestLog()
    for _ in 0..<3 {
      log.append("show-1", "a", "{}")
      log.append("show-2", "a", "{}")
    }
    let lake = TestLake()
    try await lake.export(log)
    let file = try #require(try lake.entries().first?.files.first)
    try lake.rewrite(file.path) { $0.removeSubrange(2...3) }
    try lake.coverTracks()
    #expect(kinds(try await lake.verify()) == [.position, .lineCount])
  }

  @Test(
    "reports a position or version beyond what a log can have",
    arguments: ["position", "version"], [0, -1, (1 << 62) + 1, .max] as [Int64])
  func numbers(key: String, value: Int64) async throws {
    var log = TestLog()
    for _ in 0..<3 { log.append("show-1", "a", "{}") }
    let lake = TestLake()
    try await lake.export(log)
    let file = try #require(try lake.entries().first?.files.first)
    try lake.rewrite(file.path) { $0[1] = $0[1].replacing("\"\(key)\":2", with: "\"\(key)\":\(value)") }
    try lake.coverTracks()
    let problems = try await lake.verify().problems
    #expect(problems.map(\.kind) == [.lineInvalid])
    #expect(problems.first?.line == 2)
    #expect(problems.first?.message.hasPrefix("expected a number from 1 to 2^62 at byte ") == true)
  }

  @Test(
    "reports a manifest entry with numbers beyond what a log can have",
    arguments: ["number", "first_position", "last_position", "count"], [0, (1 << 62) + 1, .max] as [Int64])
  func manifestNumbers(key: String, value: Int64) async throws {
    for inFile in [false, true] where !(inFile && key == "number") {
      let (lake, _) = try await lake()
      try lake.changeEntry(2) { json in
        var files = json["files"] as? [[String: Any]] ?? []
        if inFile { files[0][key] = value } else { json[key] = value }
        json["files"] = files
      }
      let problem = try await lake.verify().problems.first
      #expect(problem?.kind == .manifest)
      #expect(problem?.message.contains("\(value) is not a number from 1 to 2^62") == true)
      let error = await #expect(throws: LakeError.self) {
        try await lake.export(TestLog.random(50, seed: 60, meanGap: .zero))
      }
      guard case .damagedManifest = error else {
        Issue.record("expected .damagedManifest, got \(String(describing: error))")
        return
      }
    }
  }

  @Test("reports an event in the file of another date")
  func eventDate() async throws {
    let (lake, files) = try await lake()
    let file = try #require(files.last)
    try lake.rewrite(file.path) {
      $0[0] = $0[0].replacing(#""recorded_at":"2026-11-24"#, with: #""recorded_at":"2026-11-25"#)
    }
    try lake.coverTracks()
    let report = try await lake.verify()
    #expect(report.problems.map(\.kind) == [.eventDate])
    #expect(report.problems.first?.position == file.firstPosition)
  }

  @Test("reports a lake of another log than expected")
  func identity() async throws {
    let (lake, _) = try await lake()
    let other = LakeIdentity(tenant: TenantID(2), log: TestLog.identity.log)
    let report = try await LakeVerifier.verify(lake.directory, expecting: other)
    #expect(report.problems.map(\.kind) == [.identity])
  }

  @Test("cannot show that an empty lake is of any log")
  func identityOfNothing() async throws {
    let lake = TestLake()
    try await lake.export(TestLog())
    let report = try await LakeVerifier.verify(lake.directory, expecting: TestLog.identity)
    #expect(report.problems.map(\.kind) == [.identity])
  }

  @Test("of a directory without a manifest says that it is not a lake")
  func notALake() async throws {
    let lake = TestLake()
    await #expect(throws: LakeError.notALake(directory: lake.directory.path)) { try await lake.verify() }
  }

  @Test("of a lake of a later release says so")
  func laterFormat() async throws {
    let (lake, _) = try await lake()
    let path = LakeLayout(root: lake.directory.path).entry(4)
    try lake.changeEntry(4) { $0["format_version"] = 2 }
    await #expect(throws: LakeError.unsupportedFormat(path: path, version: 2)) { try await lake.verify() }
    await #expect(throws: LakeError.unsupportedFormat(path: path, version: 2)) {
      try await lake.export(TestLog.random(50, seed: 60, meanGap: .zero))
    }
  }

  @Test("lists a thousand problems and counts the others")
  func manyProblems() async throws {
    let lake = TestLake()
    try await lake.export(
      TestLog.random(1500, seed: 62, meanGap: .zero), options: LakeExportOptions(format: .ndjson))
    let file = try #require(try lake.entries().first?.files.first)
    try lake.rewrite(file.path) { lines in
      for index in lines.indices { lines[index] = lines[index].replacing("2026-11-24T", with: "2026-11-23T") }
    }
    let report = try await lake.verify()
    #expect(report.problems.count == LakeReport.maximumProblems)
    #expect(report.problemCount > 1500)
  }

  @Test("survives any garbage in a data file")
  func garbage() async throws {
    let seed = UInt64(63)
    var generator = SeededGenerator(seed: seed)
    let (lake, files) = try await lake()
    let original = try Data(contentsOf: lake.url(files[1].path))
    for _ in 0..<60 {
      var data = original
      for _ in 0..<Int.random(in: 1...20, using: &generator) {
        data[Int.random(in: 0..<data.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      guard data != original else { continue }
      try data.write(to: lake.url(files[1].path))
      #expect(kinds(try await lake.verify()).contains(.fileHash), "seed \(seed)")
    }
  }
}

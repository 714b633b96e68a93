import Foundation

@testable import Lake

/// A lake in a directory of its own, removed when the test ends.
final class TestLake: Sendable {
  let directory: URL

  init() {
    // In memory where there is such a place: these tests flush thousands of files.
    let memory = "/dev/shm"
    let parent =
      FileManager.default.isWritableFile(atPath: memory)
      ? URL(filePath: memory) : FileManager.default.temporaryDirectory
    directory = parent.appending(path: "aisle-lake-\(UUID().uuidString)")
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  static let options = LakeExportOptions(format: .ndjson, targetBytes: 3000, filesPerEntry: 3)

  @discardableResult
  func export(
    _ log: TestLog, through head: Int64? = nil, batches: Int = 7,
    options: LakeExportOptions = TestLake.options,
    identity: LakeIdentity = TestLog.identity, step: @escaping ExportStepHook = { _ in }
  ) async throws -> LakeExportSummary {
    let exporter = LakeExporter(directory: directory, identity: identity, options: options, step: step)
    return try await exporter.export(
      through: head, head: { log.head }, reading: log.feed(batches: batches))
  }

  func verify() async throws -> LakeReport { try await LakeVerifier.verify(directory) }

  /// Everything that belongs to the lake or looks as if it did, by relative path.
  func content() throws -> [String: Data] {
    var content: [String: Data] = [:]
    for path in try paths() where path != "_lock" {
      content[path] = try Data(contentsOf: directory.appending(path: path))
    }
    return content
  }

  /// Every file, including temporary ones.
  func paths() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: directory.path).filter { path in
      var isDirectory: ObjCBool = false
      return FileManager.default.fileExists(
        atPath: directory.appending(path: path).path, isDirectory: &isDirectory)
        && !isDirectory.boolValue
    }.sorted()
  }

  func entries() throws -> [ManifestEntry] {
    let layout = LakeLayout(root: directory.path)
    return try ManifestLog.numbers(layout).map { try ManifestLog.read($0, layout).entry }
  }

  /// The lines that a reader of the manifest sees.
  func lines() throws -> [String] {
    var lines: [String] = []
    for file in try entries().flatMap(\.files) {
      let outcome = try PartReader.read(directory.appending(path: file.path).path) { _, line in
        lines.append(String(decoding: line, as: UTF8.self))
      }
      if let damage = outcome.damage { throw Damaged(path: file.path, reason: damage) }
    }
    return lines
  }

  struct Damaged: Error {
    let path: String
    let reason: String
  }

  /// A copy of the directory as it is at this moment: what a kill would leave.
  func copy() throws -> TestLake {
    let copy = TestLake()
    try FileManager.default.copyItem(at: directory, to: copy.directory)
    return copy
  }
}

extension LakeReport {
  /// What is wrong with that which is committed: an export that was cut off leaves orphans.
  var damage: [LakeProblem] { problems.filter { $0.kind != .orphan } }
}

import Foundation
import Testing

@testable import Lake

@Suite("an export to a disk that refuses")
struct DiskTests {
  @Test("says that the path is not a directory")
  func notADirectory() async throws {
    let lake = TestLake()
    try Data("x".utf8).write(to: lake.directory)
    await #expect(
      throws: LakeError.io(operation: "create the directory", path: lake.directory.path, code: ENOTDIR)
    ) {
      try await lake.export(TestLog.random(5, seed: 40))
    }
  }

  @Test("commits nothing partial when the disk is full, and goes on when there is space")
  func full() async throws {
    let log = TestLog.random(3000, seed: 41)
    let lake = TestLake()
    try await lake.export(log, through: 1000, options: LakeExportOptions(format: .ndjson))
    let path = lake.directory.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      // A limit on the size of files makes write(2) fail half-way, as a full disk does.
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let log = TestLog.random(3000, seed: 41)
      let exporter = LakeExporter(directory: URL(filePath: path), identity: TestLog.identity)
      let error = await #expect(throws: LakeError.self) {
        try await exporter.export(head: { log.head }, reading: log.feed())
      }
      guard case .io(operation: "write", _, EFBIG) = error else { exit(3) }
    }
    var report = try await lake.verify()
    #expect(report.problems == [])
    #expect(report.events == 1000)
    #expect(report.orphans == [])
    #expect(try lake.paths().filter { $0.hasPrefix("_temporary") } == [])
    try await lake.export(log)
    report = try await lake.verify()
    #expect(report.isComplete)
    #expect(report.events == 3000)
  }

  @Test("says that it may not write there")
  func unwritable() async throws {
    let lake = TestLake()
    try await lake.export(TestLog.random(5, seed: 42))
    let path = lake.directory.path
    let directories = [path, path + "/_manifest", path + "/_temporary"]
    for directory in directories {
      try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: directory)
    }
    await #expect(processExitsWith: .success) { [path = path as String] in
      // Root may write everywhere.
      if getuid() == 0, setuid(65534) != 0 { exit(2) }
      let log = TestLog.random(9, seed: 42)
      let exporter = LakeExporter(directory: URL(filePath: path), identity: TestLog.identity)
      let error = await #expect(throws: LakeError.self) {
        try await exporter.export(head: { log.head }, reading: log.feed())
      }
      guard case .io(_, _, EACCES) = error else { exit(3) }
    }
    for directory in directories {
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory)
    }
    #expect(try await lake.verify().events == 5)
  }

  @Test("tells what to do about it")
  func advice() {
    #expect(
      LakeError.io(operation: "write", path: "/lake/x", code: ENOSPC).description
        == "cannot write /lake/x: No space left on device; "
        + "free space and run the export again, it continues where it stopped")
  }
}

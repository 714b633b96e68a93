import Foundation
import Synchronization
import Testing

@testable import Lake

/// A kill is looked at in three ways: the directory is copied at every step and each copy is taken as what a
/// kill would have left; a child process is really killed; and an error at every step ends the export.
@Suite("an export that is cut off")
struct CrashTests {
  /// The steps that one export of the log takes, in order.
  static func steps(_ log: TestLog, after head: Int64) async throws -> [ExportStep] {
    let lake = TestLake()
    try await lake.export(log, through: head)
    let steps = Mutex<[ExportStep]>([])
    try await lake.export(log) { step in steps.withLock { $0.append(step) } }
    return steps.withLock { $0 }
  }

  @Test("at any moment shows readers a complete lake, which the next export completes to the same bytes")
  func anyMoment() async throws {
    let log = TestLog.random(160, seed: 20)
    let reference = TestLake()
    try await reference.export(log, through: 60)
    try await reference.export(log)

    let lake = TestLake()
    try await lake.export(log, through: 60)
    let left = Mutex<[(ExportStep, TestLake)]>([])
    try await lake.export(log) { step in
      let copy = try lake.copy()
      left.withLock { $0.append((step, copy)) }
    }

    let copies = left.withLock { $0 }
    let expected = Set(ExportStep.allCases).subtracting([.orphanRemoved, .blockWritten])
    #expect(Set(copies.map(\.0)) == expected)
    for (step, copy) in copies {
      let seen = try await copy.verify()
      #expect(seen.damage == [], "after \(step)")
      #expect(seen.events >= 60)
      #expect(try copy.lines().count == Int(seen.events))
      try await copy.export(log)
      #expect(try copy.content() == reference.content(), "after \(step)")
    }
  }

  @Test("while it removes what another one left is completed as well")
  func whileCleaning() async throws {
    let log = TestLog.random(160, seed: 21)
    let reference = TestLake()
    try await reference.export(log)

    let left = Mutex<TestLake?>(nil)
    let lake = TestLake()
    try await lake.export(log) { step in
      // The richest wreck: several data files linked, none committed.
      if step == .directoriesFlushed { try left.withLock { $0 = try $0 ?? lake.copy() } }
    }
    let wreck = try #require(left.withLock { $0 })
    let orphans = try await wreck.verify().orphans
    #expect(orphans.count > 1)
    let copies = Mutex<[TestLake]>([])
    try await wreck.export(log) { step in
      guard step == .orphanRemoved else { return }
      let copy = try wreck.copy()
      copies.withLock { $0.append(copy) }
    }
    let cleaned = copies.withLock { $0 }
    #expect(cleaned.count == orphans.count)
    for copy in cleaned + [wreck] {
      try await copy.export(log)
      #expect(try copy.content() == reference.content())
    }
  }

  struct Stop: Error, Equatable {}

  @Test("by an error at any step leaves nothing behind but what is committed")
  func errors() async throws {
    let log = TestLog.random(70, seed: 22)
    let steps = try await Self.steps(log, after: 30)
    let reference = TestLake()
    try await reference.export(log, through: 30)
    try await reference.export(log)
    #expect(steps.count > 40)

    for stop in steps.indices {
      let lake = TestLake()
      try await lake.export(log, through: 30)
      let taken = Mutex(0)
      await #expect(throws: Stop()) {
        try await lake.export(log) { _ in
          let index = taken.withLock { taken in
            defer { taken += 1 }
            return taken
          }
          if index == stop { throw Stop() }
        }
      }
      let seen = try await lake.verify()
      #expect(seen.problems == [], "at step \(stop), \(steps[stop])")
      #expect(seen.orphans == [], "at step \(stop), \(steps[stop])")
      #expect(try lake.paths().filter { $0.hasPrefix("_temporary") } == [], "at step \(stop), \(steps[stop])")
      try await lake.export(log)
      #expect(try lake.content() == reference.content(), "at step \(stop), \(steps[stop])")
    }
  }

  @Test("by SIGKILL at any kind of step leaves a lake that the next export completes")
  func killed() async throws {
    let log = TestLog.random(160, seed: 23)
    let reference = TestLake()
    try await reference.export(log, through: 60)
    try await reference.export(log)

    for step in ExportStep.allCases where step != .orphanRemoved && step != .blockWritten {
      let lake = TestLake()
      try await lake.export(log, through: 60)
      let (path, name) = (lake.directory.path, step.rawValue)
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, name = name as String] in
        let log = TestLog.random(160, seed: 23)
        let exporter = LakeExporter(
          directory: URL(filePath: path), identity: TestLog.identity, options: TestLake.options
        ) { step in
          if step.rawValue == name { kill(getpid(), SIGKILL) }
        }
        _ = try await exporter.export(head: { log.head }, reading: log.feed())
      }
      #expect(try await lake.verify().damage == [], "at \(step)")
      try await lake.export(log)
      #expect(try lake.content() == reference.content(), "at \(step)")
    }
  }

  @Test("again and again, at random, with random logs and cuts, ends as the export that nothing disturbed")
  func property() async throws {
    for seed in UInt64(1)...40 {
      var generator = SeededGenerator(seed: seed)
      let log = TestLog.random(
        Int.random(in: 1...120, using: &generator), seed: seed,
        meanGap: .seconds(Int.random(in: 0...9000, using: &generator)))
      let options = LakeExportOptions(
        format: .ndjson, targetBytes: Int64.random(in: 1...9000, using: &generator),
        filesPerEntry: Int.random(in: 1...5, using: &generator))
      let reference = TestLake()
      try await reference.export(log, options: options)

      var lake = TestLake()
      for _ in 0..<6 {
        // Positions are exported to the end each time, so nothing but the kill moves a boundary.
        let stop = Int.random(in: 0..<80, using: &generator)
        let state = Mutex<(taken: Int, left: TestLake?)>((0, nil))
        let batches = Int.random(in: 1...50, using: &generator)
        let current = lake
        try await current.export(log, batches: batches, options: options) { _ in
          try state.withLock { state in
            state.taken += 1
            if state.taken == stop { state.left = try current.copy() }
          }
        }
        lake = state.withLock { $0.left } ?? lake
        // Before the lock is taken there is no lake yet.
        if try lake.paths().contains(where: { $0.hasPrefix("_manifest/") }) {
          #expect(try await lake.verify().damage == [], "seed \(seed)")
        }
      }
      try await lake.export(log, options: options)
      #expect(try lake.content() == reference.content(), "seed \(seed)")
      #expect(try await lake.verify().events == log.head, "seed \(seed)")
    }
  }
}

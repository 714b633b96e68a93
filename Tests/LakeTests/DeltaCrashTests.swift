import Foundation
import Synchronization
import Testing

@testable import Lake

@Suite("a Delta export that is cut off")
struct DeltaCrashTests {
  @Test("at any moment shows readers a complete lake, which the next export completes to the same bytes")
  func anyMoment() async throws {
    // One commit of each table: what is left between two of them is there as well, and many are tried at random below.
    let log = TestLog.business(30, seed: 120)
    let options = LakeExportOptions(format: .delta)
    let reference = TestLake()
    try await reference.export(log, through: 15, options: options)
    try await reference.export(log, options: options)
    #expect(try await reference.verify().problems == [])

    let lake = TestLake()
    try await lake.export(log, through: 15, options: options)
    let left = Mutex<[(ExportStep, TestLake)]>([])
    try await lake.export(log, options: options) { step in
      let copy = try lake.copy()
      left.withLock { $0.append((step, copy)) }
    }
    let copies = left.withLock { $0 }
    let expected = Set(ExportStep.allCases).subtracting([.orphanRemoved, .blockWritten])
    #expect(Set(copies.map(\.0)) == expected)
    for (step, copy) in copies {
      let seen = try await copy.verify()
      #expect(seen.damage == [], "after \(step)")
      #expect(seen.events >= 15 && seen.events == seen.lastPosition)
      try await copy.export(log, options: options)
      #expect(try copy.content() == reference.content(), "after \(step)")
    }
  }

  @Test("by SIGKILL at any kind of step leaves a lake that the next export completes")
  func killed() async throws {
    let log = TestLog.business(60, seed: 123)
    let reference = TestLake()
    try await reference.export(log, through: 30, options: TestLake.delta)
    try await reference.export(log, options: TestLake.delta)

    for step in ExportStep.allCases where step != .orphanRemoved && step != .blockWritten {
      let lake = TestLake()
      try await lake.export(log, through: 30, options: TestLake.delta)
      let (path, name) = (lake.directory.path, step.rawValue)
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, name = name as String] in
        let log = TestLog.business(60, seed: 123)
        let exporter = LakeExporter(
          directory: URL(filePath: path), identity: TestLog.identity, options: TestLake.delta
        ) { step in
          if step.rawValue == name { kill(getpid(), SIGKILL) }
        }
        _ = try await exporter.export(head: { log.head }, reading: log.feed())
      }
      #expect(try await lake.verify().damage == [], "at \(step)")
      try await lake.export(log, options: TestLake.delta)
      #expect(try lake.content() == reference.content(), "at \(step)")
    }
  }

  @Test("while it makes the tables leaves what the next export completes")
  func creation() async throws {
    let log = TestLog.business(10, seed: 124)
    let reference = TestLake()
    try await reference.export(log, options: TestLake.delta)
    let steps = Mutex(0)
    try await TestLake().export(log, options: TestLake.delta) { _ in steps.withLock { $0 += 1 } }
    for stop in 1...30 where stop < steps.withLock({ $0 }) {
      let lake = TestLake()
      let taken = Mutex(0)
      await #expect(throws: CrashTests.Stop()) {
        try await lake.export(log, options: TestLake.delta) { _ in
          let isDue = taken.withLock { taken in
            taken += 1
            return taken == stop
          }
          if isDue { throw CrashTests.Stop() }
        }
      }
      try await lake.export(log, options: TestLake.delta)
      #expect(try lake.content() == reference.content(), "at step \(stop)")
    }
  }

  @Test("again and again, at random, with random logs and cuts, ends as the export that nothing disturbed")
  func property() async throws {
    for seed in UInt64(1)...10 {
      var generator = SeededGenerator(seed: seed)
      let log = TestLog.business(
        Int.random(in: 1...60, using: &generator), seed: seed,
        meanGap: .seconds(Int.random(in: 0...9000, using: &generator)))
      let options = LakeExportOptions(
        format: .delta, targetBytes: Int64.random(in: 1...9000, using: &generator),
        filesPerEntry: Int.random(in: 1...7, using: &generator))
      let reference = TestLake()
      try await reference.export(log, options: options)

      var lake = TestLake()
      for _ in 0..<4 {
        // Positions are exported to the end each time, so nothing but the kill moves a boundary.
        let stop = Int.random(in: 0..<160, using: &generator)
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
        if try LakeFormat.found(in: LakeLayout(root: lake.directory.path)) != nil {
          #expect(try await lake.verify().damage == [], "seed \(seed)")
        }
      }
      try await lake.export(log, options: options)
      #expect(try lake.content() == reference.content(), "seed \(seed)")
      let report = try await lake.verify()
      #expect(report.events == log.head && report.problems == [], "seed \(seed)")
    }
  }

  @Test("twice at once loses nothing and doubles nothing: one wins each commit, the other reads again")
  func races() async throws {
    for seed in UInt64(1)...4 {
      let log = TestLog.business(200, seed: seed, meanGap: .seconds(300))
      let lake = TestLake()
      let events = try await withThrowingTaskGroup(of: Int64.self) { group in
        for index in 0..<5 {
          group.addTask {
            let options = LakeExportOptions(
              format: .delta, targetBytes: 3000 + Int64(index % 3) * 2500, filesPerEntry: 4 + index % 3,
              whenBusy: .share)
            return try await lake.export(log, options: options).events
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(events == 200, "seed \(seed)")
      let report = try await lake.verify()
      #expect(report.problems == [] && report.events == 200, "seed \(seed)")
    }
  }
}

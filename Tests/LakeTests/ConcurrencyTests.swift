import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Lake

@Suite("two exports of one lake")
struct ConcurrencyTests {
  /// Holds an export the first time that it comes to a step, until `open` is called.
  final class Gate: Sendable {
    private let reached = DispatchSemaphore(value: 0)
    private let opened = DispatchSemaphore(value: 0)
    private let isFirst = Mutex(true)
    private let place: ExportStep

    init(at place: ExportStep = .entryFlushed) { self.place = place }

    /// For the export's own thread.
    func hold(at step: ExportStep) {
      guard step == place,
        isFirst.withLock({ first in
          defer { first = false }
          return first
        })
      else { return }
      reached.signal()
      opened.wait()
    }

    func untilReached() async {
      await withCheckedContinuation { continuation in
        Thread.detachNewThread { [reached] in
          reached.wait()
          continuation.resume()
        }
      }
    }

    func open() { opened.signal() }
  }

  @Test("exclude each other: the second says which process is at work")
  func busy() async throws {
    let log = TestLog.random(100, seed: 30)
    let lake = TestLake()
    let gate = Gate()
    async let first = lake.export(log) { gate.hold(at: $0) }
    await gate.untilReached()
    await #expect(throws: LakeError.busy(directory: lake.directory.path, holder: "\(getpid())")) {
      try await lake.export(log)
    }
    gate.open()
    #expect(try await first.events == 100)
    #expect(try await lake.verify().isComplete)
  }

  @Test("can wait for each other: the second then writes only what is missing")
  func wait() async throws {
    let log = TestLog.random(100, seed: 31)
    let lake = TestLake()
    let gate = Gate()
    async let first = lake.export(log, through: 80) { gate.hold(at: $0) }
    await gate.untilReached()
    var options = TestLake.options
    options.whenBusy = .wait
    async let second = lake.export(log, options: options)
    gate.open()
    #expect(try await first.events == 80)
    #expect(try await second.events == 20)
    let report = try await lake.verify()
    #expect(report.isComplete)
    #expect(report.events == 100)
  }

  @Test("can wait for each other while the log grows: the second reads where it ends when it is its turn")
  func waitWhileLogGrows() async throws {
    let log = TestLog.random(100, seed: 31)
    let lake = TestLake()
    try FileManager.default.createDirectory(at: lake.directory, withIntermediateDirectories: true)
    let layout = LakeLayout(root: lake.directory.path)
    var lock = try LakeLock.take(layout, exclusive: true)
    try #require(lock != nil)
    let end = Mutex<Int64>(50)
    var options = TestLake.options
    options.whenBusy = .wait
    let exporter = LakeExporter(directory: lake.directory, identity: TestLog.identity, options: options)
    async let second = exporter.export(head: { end.withLock { $0 } }, reading: log.feed())
    // It makes the directories before it asks for the lock.
    _ = try await eventually("an export is waiting", within: .seconds(60)) {
      FileManager.default.fileExists(atPath: layout.temporary)
    } until: {
      $0
    }
    end.withLock { $0 = 100 }
    withExtendedLifetime(lock) {}
    lock = nil
    #expect(try await second.events == 100)
  }

  @Test("that share it while the log grows: the one that is behind reads again where it ends")
  func shareWhileLogGrows() async throws {
    let log = TestLog.random(100, seed: 35)
    let lake = TestLake()
    var shared = TestLake.options
    shared.whenBusy = .share
    let options = shared
    let asked = Mutex(0)
    let exporter = LakeExporter(directory: lake.directory, identity: TestLog.identity, options: options)
    let summary = try await exporter.export(
      head: {
        let call = asked.withLock { asked in
          asked += 1
          return asked
        }
        guard call == 1 else { return 100 }
        // The log ends at 50; before this export hears of it, the log grows and another exports all of it.
        try await lake.export(log, through: 80, options: options)
        return 50
      }, reading: log.feed())
    #expect(summary.events == 20)
    #expect(summary.lastPosition == 100)
    #expect(try await lake.verify().problems == [])
  }

  @Test("that share it: the one that loses a commit goes on after the winner")
  func lostRace() async throws {
    let log = TestLog.random(100, seed: 32)
    let lake = TestLake()
    let gate = Gate()
    var shared = TestLake.options
    shared.whenBusy = .share
    let options = shared
    async let loser = lake.export(log, options: options) { gate.hold(at: $0) }
    await gate.untilReached()
    let winner = try await lake.export(log, through: 50, options: options)
    #expect(winner.events == 50)
    gate.open()
    #expect(try await loser.events == 50)
    let report = try await lake.verify()
    #expect(report.problems == [])
    #expect(report.events == 100)
    #expect(report.orphans == [])
    #expect(try lake.paths().filter { $0.hasPrefix("_temporary") } == [])
  }

  @Test("that share it: the one that wins a commit notices when the other wins the next")
  func lostNextRace() async throws {
    let log = TestLog.random(100, seed: 34)
    let lake = TestLake()
    let gate = Gate(at: .manifestFlushed)
    var shared = TestLake.options
    shared.whenBusy = .share
    let options = shared
    async let first = lake.export(log, options: options) { gate.hold(at: $0) }
    await gate.untilReached()
    let committed = try #require(try lake.entries().last?.lastPosition)
    let second = try await lake.export(log, through: 70, options: options)
    #expect(second.events == 70 - committed)
    gate.open()
    #expect(try await first.events == committed + 30)
    let report = try await lake.verify()
    #expect(report.problems == [])
    #expect(report.events == 100)
    #expect(report.orphans == [])
  }

  @Test("or eight that share it, with different cuts, give every event once")
  func many() async throws {
    for seed in UInt64(1)...5 {
      let log = TestLog.random(400, seed: seed, meanGap: .seconds(300))
      let lake = TestLake()
      let events = try await withThrowingTaskGroup(of: Int64.self) { group in
        for index in 0..<8 {
          group.addTask {
            let options = LakeExportOptions(
              format: .ndjson, targetBytes: 2000 + Int64(index % 4) * 1500, filesPerEntry: 1 + index % 3,
              whenBusy: .share)
            return try await lake.export(log, options: options).events
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(events == 400, "seed \(seed)")
      let report = try await lake.verify()
      #expect(report.problems == [], "seed \(seed)")
      #expect(report.events == 400, "seed \(seed)")
      #expect(report.orphans == [], "seed \(seed)")
      #expect(try lake.lines().count == 400, "seed \(seed)")
    }
  }

  @Test("that share it refuse a data file of their name with other content")
  func conflictingFile() async throws {
    let log = TestLog.random(5, seed: 33, meanGap: .zero)
    let reference = TestLake()
    try await reference.export(log)
    let path = try #require(try reference.entries().first?.files.first?.path)

    let lake = TestLake()
    let file = lake.directory.appending(path: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("something else".utf8).write(to: file)
    var options = TestLake.options
    options.whenBusy = .share
    await #expect(throws: LakeError.conflictingFile(path: file.path)) {
      try await lake.export(log, options: options)
    }
    #expect(try lake.entries() == [])
    // One that does not share knows that nobody else can be writing it.
    try await lake.export(log)
    #expect(try lake.content() == reference.content())
  }
}

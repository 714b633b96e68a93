import EventStore
import Foundation
import Migrations
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@testable import Lake

@Suite("an export of the event store")
struct StoreTests {
  static let template = TestTemplate { conninfo in
    let pool = try PostgresPool(PostgresConfiguration(conninfo), size: 1)
    _ = try await Migrator(pool).migrate()
    await pool.close()
  }

  private func withStore(_ body: (EventStore) async throws -> Void) async throws {
    try await withTestDatabase(from: Self.template) { conninfo in
      let pool = try PostgresPool(PostgresConfiguration(conninfo), size: 4)
      do {
        try await body(EventStore(pool: pool))
        await pool.close()
      } catch {
        await pool.close()
        throw error
      }
    }
  }

  private func append(_ count: Int, from first: Int, to store: EventStore) async throws {
    for number in first..<first + count {
      let event = NewEvent(
        id: TestLog.id(Int64(number)), type: "seats-held",
        data: Array(#"{"number":\#(number),"text":"line\nend \u00e9","deep":{"a":[1,{"b":null}]}}"#.utf8),
        metadata: EventMetadata(
          actor: "Zoë", correlationID: TestLog.id(7), causationID: nil, traceparent: "00-\(number)"))
      let stream = StreamName(category: "show", id: "\(number % 3)")
      try await #require(store.append(to: stream, expecting: .any, [event]).receipt != nil)
    }
  }

  @Test("holds what a reader of the store reads, and goes on where it stopped")
  func sameEvents() async throws {
    try await withStore { store in
      let lake = TestLake()
      try await append(40, from: 1, to: store)
      let first = try await LakeExporter.export(
        store, to: lake.directory, through: Position(25), options: LakeExportOptions(format: .ndjson))
      #expect(first.lastPosition == 25)
      try await append(30, from: 41, to: store)
      let second = try await LakeExporter.export(store, to: lake.directory, options: TestLake.options)
      #expect(second.startPosition == 25)
      #expect(second.lastPosition == 70)

      let identity = LakeIdentity(tenant: store.tenant, log: try await store.logID())
      let report = try await LakeVerifier.verify(lake.directory, expecting: identity, through: 70)
      #expect(report.problems == [])
      let lines = try lake.lines().map { line in
        try Array(line.utf8).withUnsafeBytes { try LineParser.parse($0) }
      }
      let events = try await store.readAll(after: .start)
      #expect(events.count == 70)
      #expect(lines == events.map(LakeRecord.init))
    }
  }

  @Test("that waits for another one exports what the log has when it is its turn")
  func waits() async throws {
    try await withStore { store in
      let lake = TestLake()
      try await append(5, from: 1, to: store)
      try FileManager.default.createDirectory(at: lake.directory, withIntermediateDirectories: true)
      let layout = LakeLayout(root: lake.directory.path)
      var lock = try LakeLock.take(layout, exclusive: true)
      try #require(lock != nil)
      async let waiting = LakeExporter.export(
        store, to: lake.directory, options: LakeExportOptions(format: .ndjson, whenBusy: .wait))
      // It makes the directories before it asks for the lock.
      _ = try await eventually("an export is waiting", within: .seconds(60)) {
        FileManager.default.fileExists(atPath: layout.temporary)
      } until: {
        $0
      }
      try await append(4, from: 6, to: store)
      withExtendedLifetime(lock) {}
      lock = nil
      #expect(try await waiting.lastPosition == 9)
    }
  }

  @Test("through a position that the lake has passed is not taken for a log that was restored")
  func passed() async throws {
    try await withStore { store in
      let lake = TestLake()
      try await append(5, from: 1, to: store)
      try await LakeExporter.export(store, to: lake.directory)
      let summary = try await LakeExporter.export(store, to: lake.directory, through: Position(3))
      #expect(summary.lastPosition == 5)
    }
  }

  @Test("is refused by a lake of another database, and by one that is ahead after a restore")
  func otherDatabase() async throws {
    let lake = TestLake()
    try await withStore { store in
      try await append(5, from: 1, to: store)
      try await LakeExporter.export(store, to: lake.directory)
      // What restoring an older backup does to the log.
      try await store.pool.execute("delete from aisle.events where position > 3")
      try await store.pool.execute("update aisle.log_head set position = 3")
      await #expect(throws: LakeError.aheadOfLog(directory: lake.directory.path, lake: 5, log: 3)) {
        try await LakeExporter.export(store, to: lake.directory)
      }
    }
    try await withStore { store in
      try await append(9, from: 1, to: store)
      // A database that was copied from the template has its identity as well.
      try await store.pool.execute("update aisle.log_head set log_id = gen_random_uuid()")
      let error = await #expect(throws: LakeError.self) {
        try await LakeExporter.export(store, to: lake.directory)
      }
      guard case .anotherLog = error else {
        Issue.record("expected .anotherLog, got \(String(describing: error))")
        return
      }
    }
  }
}

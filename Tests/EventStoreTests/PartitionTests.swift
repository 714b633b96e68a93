import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite("The log's partitions")
struct PartitionTests {
  /// A log that has got so far, as far as anybody can tell; the first partition ends at 10,000,000.
  private func withLog(at position: Int64, _ body: (EventStore) async throws -> Void) async throws {
    try await withStore { store in
      try await store.pool.execute("update aisle.log_head set position = \(position)")
      try await body(store)
    }
  }

  /// Their names, without the schema, which is in the search path of some roles.
  private func partitions(_ store: EventStore) async throws -> [String] {
    try await store.partitions().map { String($0.name.trimmingPrefix("aisle.")) }
  }

  private func versions(_ events: [RecordedEvent]) -> [Int64] { events.map(\.version) }

  @Test("an append over the border of two partitions is one append, and reads go over it too")
  func border() async throws {
    try await withLog(at: 9_999_990) { store in
      try await #expect(
        store.append(to: stream("a"), expecting: .noStream, .happened(20)).summary
          == "committed test-a 20@10000010")
      let counts: [Int64] = [
        try await store.one("select count(*) from aisle.events_1"),
        try await store.one("select count(*) from aisle.events_10000001"),
      ]
      #expect(counts == [10, 10])
      try await #expect(versions(store.read(stream("a"))) == Array(1...20))
      try await #expect(versions(store.read(stream("a"), direction: .backward)) == Array(1...20).reversed())
      try await #expect(store.readAll(after: Position(9_999_995)).count == 15)
      try await #expect(store.readAll(after: .start, categories: ["test"], types: ["happened"]).count == 20)
      let exported = Shared(0)
      try await store.export(after: Position(9_999_990), through: Position(10_000_010)) { events in
        exported.update { $0 += events.count }
      }
      #expect(exported.value == 20)
    }
  }

  @Test("when the last partition is full, the append makes room itself")
  func full() async throws {
    try await withLog(at: 19_999_999) { store in
      let before = try await partitions(store)
      #expect(before == ["events_1", "events_10000001"])
      try await #expect(
        store.append(to: stream("a"), expecting: .noStream, .happened(3)).summary
          == "committed test-a 3@20000002")
      let after = try await partitions(store)
      #expect(after.contains("events_20000001"))
    }
  }

  @Test("partitions are added ahead of the log, once, however many processes see to it")
  func ahead() async throws {
    try await withLog(at: 25_000_000) { store in
      let added = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 { group.addTask { try await store.addPartitions() } }
        return try await group.reduce(0, +)
      }
      #expect(added == 3)
      let present = try await partitions(store)
      #expect(
        present == [
          "events_1", "events_10000001", "events_20000001", "events_30000001",
          "events_40000001",
        ])
      // With the indexes and guards of the first one, whatever they are called.
      let differences = try await store.pool.query(
        """
        select d.definition
        from (
          select indrelid, regexp_replace(pg_get_indexdef(indexrelid), ' INDEX .* USING ', ' USING ') as definition
          from pg_index
          where indrelid in ('aisle.events_1'::regclass, 'aisle.events_40000001'::regclass)
        ) d
        group by d.definition having count(*) <> 2
        """
      ).map { try $0.decode(String.self) }
      #expect(differences == [])
    }
  }

  @Test("the partitions are listed with their positions, one after the other")
  func list() async throws {
    try await withStore { store in
      let listed = try await store.partitions()
      #expect(listed.map(\.first) == [Position(1), Position(10_000_001)])
      #expect(listed.map(\.last) == [Position(10_000_000), Position(20_000_000)])
      #expect(listed.allSatisfy { $0.bytes > 0 })
      try await #expect(store.archivedThrough() == .start)
    }
  }

  @Test("views see every partition, not only the one that was the whole log once")
  func views() async throws {
    try await withStore { store in
      let fixed = try await store.pool.query(
        """
        select distinct r.ev_class::regclass::text
        from pg_depend d
        join pg_rewrite r on r.oid = d.objid
        where d.refobjid = 'aisle.events_1'::regclass and d.classid = 'pg_rewrite'::regclass
        """
      ).map { try $0.decode(String.self) }
      #expect(fixed == [])
    }
  }

  @Test("what has been detached is refused by name, never passed over; what came later is read")
  func detached() async throws {
    try await withLog(at: 9_999_990) { store in
      let old = [NewEvent].happened(20)
      _ = try await store.append(to: stream("old"), expecting: .noStream, old)
      _ = try await store.append(to: stream("young"), expecting: .noStream, .happened(5))
      let detached = try await store.pool.query("select aisle.detach_event_partitions(10000005)").map {
        try $0.decode(String.self)
      }
      #expect(detached.count == 1 && detached[0].hasSuffix("events_1"))

      func refused(_ read: () async throws -> [RecordedEvent]) async {
        let error = await #expect(throws: EventsArchived.self) { try await read() }
        #expect(error?.through == Position(10_000_000))
        #expect(error?.description.contains("up to position 10000000 have been archived") == true)
      }
      await refused { try await store.read(stream("old")) }
      await refused { try await store.read(stream("old"), from: 10) }
      await refused { try await store.read(stream("old"), direction: .backward) }
      await refused { try await store.read(stream("old"), from: 5, direction: .backward) }
      await refused { try await store.readAll(after: .start) }
      await refused { try await store.readAll(after: Position(9_999_999)) }
      await refused { try await store.readAll(after: .start, categories: ["test"]) }
      await refused { try await store.readAll(after: .start, types: ["happened"]) }

      try await #expect(versions(store.read(stream("old"), from: 11)) == Array(11...20))
      try await #expect(versions(store.read(stream("old"), direction: .backward, limit: 3)) == [20, 19, 18])
      try await #expect(versions(store.read(stream("young"))) == Array(1...5))
      try await #expect(store.readAll(after: Position(10_000_000)).count == 15)
      try await #expect(store.read(stream("nobody")).isEmpty)
      try await #expect(store.read(stream("old"), from: 21).isEmpty)

      // Appends go on, and an old one is still recognised.
      try await #expect(
        store.append(to: stream("old"), expecting: .version(20), .happened(1)).summary
          == "committed test-old 21@10000016")
      try await #expect(
        store.append(to: stream("old"), expecting: .noStream, old).summary == "duplicate test-old 20@10000010"
      )
    }
  }

  @Test("a partition that a subscription still needs is not detached")
  func needed() async throws {
    try await withLog(at: 10_000_010) { store in
      try await store.pool.execute(
        "insert into aisle.checkpoints (tenant, subscription, position) values (1, 'slow', 9000000)")
      let error = await #expect(throws: PostgresError.self) {
        try await store.pool.query("select aisle.detach_event_partitions(10000000)")
      }
      #expect(error?.sqlState == "55000")
      #expect(error?.description.contains("subscription slow of tenant 1 is at position 9000000") == true)
      let kept = try await partitions(store)
      #expect(kept.contains("events_1"))
    }
  }
}

import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@Suite("Snapshots")
struct SnapshotTests {
  private static let now = Timestamp(microseconds: 0)

  private func folder(_ store: EventStore, every events: Int64 = 1, schema: Int16 = 1) -> StreamFolder<Purse>
  {
    StreamFolder(store: store, snapshots: .every(events, schema: schema))
  }

  private func put(_ amounts: Int..., by giver: String = "ann", into store: EventStore) async throws {
    let events = try amounts.map { try NewEvent(Purse.Fact(change: $0, by: giver)) }
    try await store.append(to: stream("a"), expecting: .any, events)
  }

  private func keptVersions(_ store: EventStore) async throws -> [Int64] {
    try await store.pool.query("select version from aisle.snapshots order by stream")
      .map { try $0.decode(Int64.self) }
  }

  /// Makes the kept state tell itself from what the stream says.
  private func forge(_ store: EventStore, _ state: String = #"{"balance":1000,"givers":[],"isClosed":false}"#)
    async throws
  {
    let changed = try await store.pool.execute(
      "update aisle.snapshots set state = \(Array(state.utf8))")
    #expect(changed == 1)
  }

  @Test("a stream is opened from its snapshot and the events after it")
  func open() async throws {
    try await withStore { store in
      try await put(1, 2, into: store)
      let folder = folder(store)
      let first = try await folder.load(stream("a"))
      #expect(await folder.keep(first, of: stream("a")))
      // Events before it are not read again: the forged state shows.
      try await forge(store)
      try await put(4, into: store)
      let second = try await folder.load(stream("a"))
      #expect(second.state.balance == 1004 && second.version == 3 && second.position == Position(3))
    }
  }

  @Test("whenever it is taken, snapshot and rest give the same state as the whole stream")
  func equal() async throws {
    var random = SeededRandom(for: "a snapshot and the events after it give the state")
    try await withStore { store in
      let folder = folder(store)
      var folded = try await folder.load(stream("a"))
      for _ in 0..<40 {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          try await put(.random(in: -9...9, using: &random), by: "giver-\(random.next() % 3)", into: store)
        }
        if Bool.random(using: &random) {
          _ = try await folder.readOn(&folded, of: stream("a"))
          await folder.keep(folded, of: stream("a"))
        }
        let opened = try await folder.load(stream("a"))
        let states = try await store.purseStates(stream("a"))
        #expect(opened.state == states.last && opened.version == Int64(states.count - 1))
      }
      #expect(try await keptVersions(store).count == 1)
    }
  }

  @Test("they are taken by themselves: after so many events, and then when the stream grew by a quarter")
  func policy() async throws {
    try await withStore { store in
      let purses = DeciderRepository<Purse>(store: store, snapshots: .every(3, schema: 1))
      for _ in 1...2 { _ = try await purses.execute(.put(1), on: stream("a"), at: Self.now) }
      #expect(try await keptVersions(store) == [])
      _ = try await purses.execute(.put(1), on: stream("a"), at: Self.now)
      _ = try await eventually("a snapshot of version 3", within: patience) {
        try await keptVersions(store)
      } until: {
        $0 == [3]
      }
      for _ in 1...97 { _ = try await purses.execute(.put(1), on: stream("a"), at: Self.now) }
      // The last one at 82 or later: 100 would have been due for any before 80.
      let versions = try await eventually("a snapshot of the last fifth", within: patience) {
        try await keptVersions(store)
      } until: {
        $0.first ?? 0 >= 80
      }
      #expect(versions.count == 1)
    }
  }

  @Test("without a policy nothing is kept")
  func never() async throws {
    try await withStore { store in
      try await put(1, into: store)
      let folder = StreamFolder<Purse>(store: store)
      let folded = try await folder.load(stream("a"))
      #expect(await !folder.keep(folded, of: stream("a")))
      #expect(try await keptVersions(store) == [])
    }
  }

  @Test("an older state never takes the place of a later one")
  func order() async throws {
    try await withStore { store in
      let folder = folder(store)
      try await put(1, into: store)
      let old = try await folder.load(stream("a"))
      try await put(2, into: store)
      let new = try await folder.load(stream("a"))
      #expect(await folder.keep(new, of: stream("a")))
      #expect(await !folder.keep(old, of: stream("a")))
      #expect(try await keptVersions(store) == [2])
    }
  }

  @Test("one of another schema is not read, and makes way for one of a later schema")
  func schema() async throws {
    try await withStore { store in
      try await put(1, into: store)
      let (old, new) = (folder(store), folder(store, schema: 2))
      #expect(await old.keep(try await old.load(stream("a")), of: stream("a")))
      try await forge(store)
      let read = try await new.load(stream("a"))
      #expect(read.state.balance == 1)
      #expect(await new.keep(read, of: stream("a")))
      #expect(try await new.load(stream("a")).state.balance == 1)
      // The release before goes on without one.
      try await forge(store)
      #expect(try await old.load(stream("a")).state.balance == 1)
      #expect(await !old.keep(read, of: stream("a")))
    }
  }

  @Test("one that cannot be read costs time only", arguments: ["{", "[]", #"{"balance":"much"}"#, ""])
  func damaged(_ state: String) async throws {
    try await withStore { store in
      let folder = folder(store)
      try await put(1, into: store)
      #expect(await folder.keep(try await folder.load(stream("a")), of: stream("a")))
      try await forge(store, state)
      #expect(try await folder.load(stream("a")).state.balance == 1)
    }
  }

  @Test("a state whose last event the log does not have is neither kept nor used")
  func otherHistory() async throws {
    try await withStore { store in
      let folder = folder(store)
      try await put(1, into: store)
      let folded = try await folder.load(stream("a"))
      #expect(await folder.keep(folded, of: stream("a")))
      try await forge(store)
      // The same version and position, another event
      let other = UUID()
      try await store.pool.execute("update aisle.event_ids set id = \(other)")
      #expect(try await folder.load(stream("a")).state.balance == 1)
      try await store.pool.execute("delete from aisle.snapshots")
      #expect(await !folder.keep(folded, of: stream("a")))
      #expect(try await keptVersions(store) == [])
    }
  }

  @Test("an operator sees how old they are, and deletes one or all without changing any decision")
  func operators() async throws {
    try await withStore { store in
      try await put(1, 2, into: store)
      let folder = folder(store)
      #expect(await folder.keep(try await folder.load(stream("a")), of: stream("a")))
      try await put(3, into: store)
      let entries = try await store.snapshots()
      #expect(entries.map(\.stream) == [stream("a")] && entries.map(\.version) == [2])
      #expect(entries[0].streamVersion == 3 && entries[0].bytes > 0 && entries[0].schema == 1)
      try await store.dropSnapshots(of: stream("b"))
      #expect(try await store.snapshots(of: stream("a")).count == 1)
      #expect(try await store.snapshots(of: stream("b")).isEmpty)
      try await forge(store)
      try await store.dropSnapshots()
      #expect(try await store.snapshots().isEmpty)
      #expect(try await folder.load(stream("a")).state.balance == 6)
    }
  }

  @Test("a stream whose beginning is in an archive is opened from its snapshot")
  func archived() async throws {
    try await withStore { store in
      try await put(1, 2, into: store)
      let folder = folder(store)
      #expect(await folder.keep(try await folder.load(stream("a")), of: stream("a")))
      try await store.pool.execute("update aisle.log_head set position = 10000000")
      try await put(4, into: store)
      try await store.pool.query("select aisle.detach_event_partitions(10000000)")
      let opened = try await folder.load(stream("a"))
      #expect(opened.state.balance == 7 && opened.version == 3)
      await #expect(throws: EventsArchived.self) {
        try await StreamFolder<Purse>(store: store).load(stream("a"))
      }
    }
  }

  // MARK: Privacy

  private static let ann = DataSubject(kind: "buyer", name: "ann")

  private func forget(_ store: EventStore, scrub: () async throws -> Void = {}) async throws {
    let receipt = try await store.pool.transaction { connection in
      try await store.forget(
        Self.ann, at: Self.now, metadata: EventMetadata(), on: connection, scrub: scrub)
    }
    #expect(receipt != nil)
  }

  @Test("whoever was forgotten is in no snapshot, and in no state that is kept in memory")
  func forgotten() async throws {
    try await withStore { store in
      let purses = DeciderRepository<Purse>(store: store, snapshots: .every(1, schema: 1))
      _ = try await purses.execute(.put(5, by: "ann"), on: stream("a"), at: Self.now)
      _ = try await eventually("a snapshot", within: patience) {
        try await keptVersions(store)
      } until: {
        $0 == [1]
      }
      let folder = folder(store)
      let before = try await folder.load(stream("a"))
      #expect(before.state.givers == ["ann"])
      try await forget(store)
      store.vault.doubt()
      #expect(try await keptVersions(store) == [])
      // A state from before is not kept any more
      #expect(await !folder.keep(before, of: stream("a")))
      #expect(try await keptVersions(store) == [])
      // nor used.
      let after = try await purses.state(of: stream("a"))
      #expect(after.state.givers == [forgottenText] && after.state.balance == 5)
    }
  }

  @Test("a snapshot that is taken while somebody is being forgotten waits, and is not kept")
  func forgottenMeanwhile() async throws {
    try await withStores(2) { stores in
      try await put(5, into: stores[0])
      let folder = folder(stores[1])
      let folded = try await folder.load(stream("a"))
      #expect(folded.state.givers == ["ann"])
      try await withThrowingTaskGroup(of: Bool.self) { group in
        try await forget(stores[0]) {
          group.addTask { await folder.keep(folded, of: stream("a")) }
          _ = try await eventually("the snapshot waits for the end of forgetting", within: patience) {
            try await stores[0].count(
              "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%aisle.privacy%'"
            )
          } until: {
            $0 == 1
          }
        }
        #expect(try await group.next() == false)
      }
      #expect(try await keptVersions(stores[0]) == [])
    }
  }
}

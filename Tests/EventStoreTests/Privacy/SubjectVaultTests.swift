import EventStore
import Foundation
import Migrations
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@Suite("Sealed personal data")
struct SubjectVaultTests {
  private static let ann = DataSubject(kind: "buyer", name: "ann-1815")

  private static func held(
    _ subject: DataSubject = ann, id: UUID = UUID(), schemaVersion: Int16 = 1
  ) -> NewEvent {
    NewEvent(
      id: id, type: "held", schemaVersion: schemaVersion,
      data: Array(#"{"seats": ["A-1"], "buyer": "\#(subject.name)", "total": 4500}"#.utf8),
      personal: [PersonalField("buyer", of: subject)])
  }

  private static func buyer(_ event: RecordedEvent) throws -> String? {
    let fields = try JSONSerialization.jsonObject(with: Data(event.data)) as? [String: Any]
    return fields?["buyer"] as? String
  }

  private static func text(_ event: RecordedEvent) -> String { String(decoding: event.data, as: UTF8.self) }

  private func forget(_ subject: DataSubject, in store: EventStore) async throws -> Bool {
    try await store.pool.transaction { connection in
      try await store.forget(
        subject, at: Timestamp(microseconds: 0), metadata: EventMetadata(), on: connection, scrub: {}) != nil
    }
  }

  @Test("a name is in no row of the database, and readers get it all the same")
  func sealed() async throws {
    try await withStore { store in
      let outcome = try await store.append(to: stream("a"), expecting: .noStream, [Self.held(), .happened()])
      #expect(outcome.isCommitted)
      let stored = try await store.one("select string_agg(e::text, ' ') from aisle.events e", as: String.self)
      #expect(stored.contains(#""$sealed""#) && !stored.contains("ann-1815"))
      let keys = try await store.one(
        "select string_agg(k::text, ' ') from aisle.subject_keys k", as: String.self)
      #expect(!keys.contains("ann-1815"))
      let read = try await store.read(stream("a"))
      #expect(try read.map(Self.buyer) == ["ann-1815", nil])
      let all = try await store.readAll(after: .start, categories: ["test"])
      #expect(all.map(Self.text) == read.map(Self.text))
      // Two events of one person have one key, and nothing in common to be seen.
      try await store.append(to: stream("b"), expecting: .noStream, [Self.held()])
      let count = try await store.count("select count(*) from aisle.subject_keys")
      let distinct = try await store.count(
        "select count(distinct data -> 'buyer') from aisle.events where type = 'held'")
      #expect(count == 1 && distinct == 2)
    }
  }

  @Test(
    "after forgetting, the field reads as a placeholder in every way of reading, and others are as before")
  func forgotten() async throws {
    try await withStore { store in
      let bob = DataSubject(kind: "buyer", name: "bob-1815")
      try await store.append(to: stream("a"), expecting: .any, [Self.held(), Self.held(bob)])
      let before = try await store.read(stream("a"))
      #expect(try before.map(Self.buyer) == ["ann-1815", "bob-1815"])
      try await #expect(forget(Self.ann, in: store))
      store.vault.doubt()
      let received = Shared<[RecordedEvent]>([])
      let subscription = Subscription("s", types: ["held"]) { events, _ in received.update { $0 += events } }
      try await SubscriptionRunner(subscription, of: store).catchUp()
      for events in [
        try await store.read(stream("a")), try await store.readAll(after: .start, types: ["held"]),
        received.value,
        try await store.read(at: [Position(1), Position(2)]),
      ] { #expect(try events.map(Self.buyer) == [forgottenText, "bob-1815"]) }
      // The fact itself names nobody.
      let facts = try await store.readAll(after: .start, categories: [SubjectForgotten.category])
      #expect(facts.map(\.type) == ["subject-forgotten"] && !Self.text(facts[0]).contains("ann"))
      // Who comes back is somebody new.
      try await #expect(!forget(Self.ann, in: store))
      try await store.append(to: stream("a"), expecting: .any, [Self.held()])
      let after = try await store.read(stream("a"))
      #expect(try after.map(Self.buyer) == [forgottenText, "bob-1815", "ann-1815"])
    }
  }

  @Test("a key is on disk before the first event that uses it is sent")
  func keyFirst() async throws {
    try await withStores(2) { stores in
      try await withThrowingTaskGroup(of: Void.self) { group in
        try await stores[1].holdingTheLog {
          group.addTask { try await stores[0].append(to: stream("a"), expecting: .noStream, [Self.held()]) }
          try await stores[1].waiters(1)
          let keys = try await stores[1].count("select count(*) from aisle.subject_keys")
          let events = try await stores[1].count("select count(*) from aisle.events")
          #expect(keys == 1 && events == 0)
        }
        try await group.waitForAll()
      }
    }
  }

  @Test(
    "a sealed field that was moved to another event, type or field does not open, and the error says where")
  func moved() async throws {
    for sabotage in [
      "update aisle.events set data = (select data from aisle.events where position = 1) where position = 2",
      "update aisle.events set type = 'sold' where position = 2",
      "update aisle.events set data = jsonb_build_object('seller', data -> 'buyer') where position = 2",
      """
      update aisle.events set data = jsonb_set(data, '{buyer,$sealed,box}', to_jsonb(
        translate(data #>> '{buyer,$sealed,box}', 'ABCDEFGH', 'BCDEFGHA'))) where position = 2
      """,
    ] {
      try await withStore { store in
        try await store.append(to: stream("a"), expecting: .any, [Self.held(), Self.held()])
        try await store.pool.execute(SQL(sabotage, []))
        let error = await #expect(throws: SealedFieldDamaged.self, "\(sabotage)") {
          try await store.read(stream("a"))
        }
        #expect(error?.position == Position(2))
      }
    }
  }

  @Test("an export keeps personal data sealed, also where an upcaster has moved it")
  func exported() async throws {
    struct Old: Decodable {
      let buyer: String
    }
    struct New: Encodable {
      let customer: String
    }
    try await withStore { plain in
      let store = EventStore(
        pool: plain.pool,
        upcasters: try Upcasters([
          Upcaster(from: EventSchema("held", 1), to: EventSchema("held", 2)) { (old: Old) in
            New(customer: old.buyer)
          }
        ]), logger: .silent)
      try await store.append(to: stream("a"), expecting: .any, [Self.held()])
      let read = try await store.read(stream("a"))
      #expect(read.map(Self.text) == [#"{"customer":"ann-1815"}"#])
      let stored = try await store.one("select data ->> 'buyer' from aisle.events", as: String.self)
      let exported = try await store.exported(after: .start, through: Position(1))
      #expect(exported.map(Self.text) == [#"{"customer":\#(stored)}"#])
      #expect(exported.map(\.schemaVersion) == [2])
      let raw = try await plain.exported(after: .start, through: Position(1))
      #expect(raw.map(Self.text).allSatisfy { $0.contains("$sealed") && !$0.contains("ann-1815") })
    }
  }

  @Test("a retry under the same event id is recognised, although it was sealed anew")
  func retried() async throws {
    try await withStore { store in
      let event = Self.held()
      let first = try await store.append(to: stream("a"), expecting: .noStream, [event])
      let second = try await store.append(to: stream("a"), expecting: .noStream, [event])
      #expect(first.summary == "committed test-a 1@1")
      #expect(second.summary == "duplicate test-a 1@1")
    }
  }

  @Test(
    "another process stops opening what was forgotten: at once in a transaction, within seconds without a NOTIFY"
  )
  func otherProcess() async throws {
    try await withStores(2) { stores in
      try await stores[0].append(to: stream("a"), expecting: .any, [Self.held()])
      let known = try await stores[1].read(stream("a"))
      #expect(try known.map(Self.buyer) == ["ann-1815"])
      try await #expect(forget(Self.ann, in: stores[0]))
      let inTransaction = try await stores[1].pool.transaction {
        try await stores[1].readAll(after: .start, types: ["held"], on: $0)
      }
      #expect(try inTransaction.map(Self.buyer) == [forgottenText])
      _ = try await eventually("the cached key is dropped", within: .seconds(30)) {
        try await stores[1].read(stream("a")).map(Self.buyer)
      } until: {
        $0 == [forgottenText]
      }
    }
  }

  @Test("who listens hears of it at once, long before the cache would be doubted")
  func notified() async throws {
    try await withStores(2) { stores in
      let watcher = LogWatcher(of: stores[1])
      let listening = Task { await watcher.run() }
      defer { listening.cancel() }
      _ = try await eventually("the watcher listens") {
        try await stores[0].count(
          "select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%privacy%'"
        )
      } until: {
        $0 == 1
      }
      try await stores[0].append(to: stream("a"), expecting: .any, [Self.held()])
      // Looked at just now, and so trusted for seconds to come.
      let known = try await stores[1].read(stream("a"))
      #expect(try known.map(Self.buyer) == ["ann-1815"])
      let generation = try await stores[1].vault.generation()
      try await #expect(forget(Self.ann, in: stores[0]))
      let start = ContinuousClock.now
      _ = try await eventually("the message has arrived") {
        try await stores[1].vault.generation()
      } until: {
        $0 > generation
      }
      #expect(start.duration(to: .now) < SubjectVault.longestIgnorance)
    }
  }

  @Test("whoever derives tables is waited for, so that what it has read is scrubbed too")
  func projectionInFlight() async throws {
    try await withStores(2) { stores in
      try await stores[0].append(to: stream("a"), expecting: .any, [Self.held()])
      try await stores[0].pool.execute("create table derived (buyer text)")
      try await withThrowingTaskGroup(of: Void.self) { group in
        try await stores[1].pool.transaction { connection in
          let read = try await stores[1].readAll(after: .start, types: ["held"], on: connection)
          #expect(try read.map(Self.buyer) == ["ann-1815"])
          group.addTask {
            let isForgotten = try await stores[0].pool.transaction { forgetting in
              try await stores[0].forget(
                Self.ann, at: Timestamp(microseconds: 0), metadata: EventMetadata(), on: forgetting,
                scrub: {
                  try await forgetting.execute("update derived set buyer = 'nobody' where buyer = 'ann-1815'")
                })
                != nil
            }
            #expect(isForgotten)
          }
          _ = try await eventually("forgetting waits", within: patience) {
            try await stores[0].count(
              """
              select count(*) from pg_stat_activity
              where datname = current_database() and wait_event_type = 'Lock' and query like '%aisle.privacy%'
              """)
          } until: {
            $0 == 1
          }
          try await connection.execute("insert into derived values ('ann-1815')")
        }
        try await group.waitForAll()
      }
      let derived = try await stores[0].one("select buyer from derived", as: String.self)
      #expect(derived == "nobody")
    }
  }

  @Test("a thousand new people at once get one key each, whichever process meets them first")
  func rush() async throws {
    try await withStores(2) { stores in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<1000 {
          for store in stores {
            group.addTask {
              let subject = DataSubject(kind: "buyer", name: "buyer-\(number)")
              let name = StreamName(category: "test", id: "\(number)")
              let outcome = try await store.append(to: name, expecting: .any, [Self.held(subject)])
              #expect(outcome.isCommitted)
            }
          }
        }
        try await group.waitForAll()
      }
      let keys = try await stores[0].count("select count(*) from aisle.subject_keys")
      #expect(keys == 1000)
      let names = try await stores[0].readAll(after: .start, limit: 5000).map(Self.buyer)
      #expect(names.count == 2000 && Set(names).count == 1000 && !names.contains(forgottenText))
    }
  }
}

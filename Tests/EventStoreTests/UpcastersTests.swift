import EventStore
import Foundation
import TestSupport
import Testing
import Vocabulary

@Suite("Upcasters")
struct UpcastersTests {
  /// Adds its own schema to the list in the payload, so that the way is written down.
  private static func step(_ from: EventSchema, _ to: EventSchema) -> Upcaster {
    Upcaster(from: from, to: to) { (old: Path) in Path(path: old.path + ["\(to)"]) }
  }

  private struct Path: Codable, Equatable {
    var path: [String] = []
  }

  private static func stored(_ schema: EventSchema, _ data: String = #"{"path": []}"#) -> NewEvent {
    NewEvent(type: schema.type, schemaVersion: schema.version, data: Array(data.utf8))
  }

  private func mistake(_ upcasters: [Upcaster]) -> Upcasters.Mistake? {
    do throws(Upcasters.Mistake) {
      _ = try Upcasters(upcasters)
      return nil
    } catch {
      return error
    }
  }

  @Test("a set of upcasters in which the way is not clear, or has no end, is refused")
  func mistakes() {
    let (a1, a2, b1) = (EventSchema("a", 1), EventSchema("a", 2), EventSchema("b", 1))
    #expect(mistake([Self.step(a1, a2), Self.step(a2, b1)]) == nil)
    #expect(mistake([Self.step(a1, a2), Self.step(a1, b1)]) == .ambiguous(a1))
    #expect(mistake([Self.step(a1, a1)]) == .endless(a1))
    #expect(mistake([Self.step(a2, a1)]) == .backward(from: a2, to: a1))
    #expect(mistake([Self.step(EventSchema("a", 0), a1)]) == .unnamed(EventSchema("a", 0)))
    let endless = mistake([
      Self.step(a1, b1), Self.step(b1, a2), Self.step(a2, EventSchema("c", 1)),
      Self.step(EventSchema("c", 1), b1),
    ])
    guard case .endless = endless else {
      Issue.record("a cycle over several types was not refused: \(String(describing: endless))")
      return
    }
  }

  @Test("property: reading any version of any chain gives what going step by step gives")
  func chains() async throws {
    var random = SeededRandom(for: "chains of upcasters")
    try await withStore { plain in
      for round in 0..<30 {
        // A chain over a few type names, with versions that grow within each name.
        var versions: [String: Int16] = [:]
        let schemas = (0...Int.random(in: 0...6, using: &random)).map { _ in
          let type = "t\(round)-\("abc".randomElement(using: &random) ?? "a")"
          versions[type, default: 0] += Int16.random(in: 1...3, using: &random)
          return EventSchema(type, versions[type] ?? 1)
        }
        let steps = zip(schemas, schemas.dropFirst()).map { Self.step($0, $1) }
        let store = EventStore(
          pool: plain.pool, upcasters: try Upcasters(steps.shuffled(using: &random)), logger: .silent)
        try await store.append(to: stream("\(round)"), expecting: .noStream, schemas.map { Self.stored($0) })

        let read = try await store.read(stream("\(round)"))
        let last = try #require(schemas.last)
        #expect(read.allSatisfy { EventSchema($0.type, $0.schemaVersion) == last })
        let paths = try read.map { try JSONDecoder().decode(Path.self, from: Data($0.data)).path }
        #expect(paths == schemas.indices.map { start in schemas[(start + 1)...].map { "\($0)" } })
        // The log itself has not changed.
        let raw = try await plain.read(stream("\(round)"))
        #expect(raw.map { EventSchema($0.type, $0.schemaVersion) } == schemas)
      }
    }
  }

  @Test("every way of reading gives the present shape: a stream, the log, an export, a subscription")
  func everywhere() async throws {
    try await withStore { plain in
      let (old, new) = (EventSchema("seat-taken", 1), EventSchema("seat-held", 2))
      let store = EventStore(
        pool: plain.pool, upcasters: try Upcasters([Self.step(old, new)]), logger: .silent)
      try await store.append(to: stream("a"), expecting: .noStream, [Self.stored(old), .happened()])
      let received = Shared<[RecordedEvent]>([])
      let subscription = Subscription("s") { events, _ in received.update { $0 += events } }
      try await SubscriptionRunner(subscription, of: store).catchUp()
      for events in [
        try await store.read(stream("a")), try await store.read(stream("a"), direction: .backward).reversed(),
        try await store.readAll(after: .start), try await store.readAll(after: .start, categories: ["test"]),
        try await store.exported(after: .start, through: Position(.max)), received.value,
      ] {
        #expect(events.map(\.type) == ["seat-held", "happened"])
        #expect(events.map(\.schemaVersion) == [2, 1])
        #expect(
          events.first.map { String(decoding: $0.data, as: UTF8.self) }
            == #"{"path":["seat-held version 2"]}"#)
      }
    }
  }

  @Test("a filter by type finds what was stored under an old name, and not what is read under another one")
  func filters() async throws {
    try await withStore { plain in
      let upcasters = try Upcasters([
        .renaming(EventSchema("a", 1), to: EventSchema("b", 1)),
        .renaming(EventSchema("b", 1), to: EventSchema("b", 2)),
        .renaming(EventSchema("c", 1), to: EventSchema("d", 1)),
      ])
      let store = EventStore(pool: plain.pool, upcasters: upcasters, logger: .silent)
      let schemas = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1), ("c", 2), ("d", 1)]
      for (type, version) in schemas {
        try await store.append(
          to: stream("s"), expecting: .any, [Self.stored(EventSchema(type, Int16(version)))])
      }
      func positions(_ types: [String], limit: Int = 100) async throws -> [[Int64]] {
        let all = try await store.readAll(after: .start, types: types, limit: limit)
        let some = try await store.readAll(after: .start, categories: ["test"], types: types, limit: limit)
        return [all.map(\.position.rawValue), some.map(\.position.rawValue)]
      }
      try await #expect(positions(["a"]) == [[2], [2]])
      try await #expect(positions(["b"]) == [[1, 3, 4], [1, 3, 4]])
      try await #expect(positions(["c"]) == [[6], [6]])
      try await #expect(positions(["d"]) == [[5, 7], [5, 7]])
      try await #expect(positions(["a", "d"]) == [[2, 5, 7], [2, 5, 7]])
      try await #expect(positions(["b"], limit: 2) == [[1, 3], [1, 3]])

      // A full batch is recognised by its size, so the database must be the one that filters.
      let received = Shared<[Int64]>([])
      let subscription = Subscription("b", types: ["b"], batchSize: 1) { events, _ in
        received.update { $0 += events.map(\.position.rawValue) }
      }
      try await SubscriptionRunner(subscription, of: store).catchUp()
      #expect(received.value == [1, 3, 4])
    }
  }

  @Test("an upcaster that fails names the event and the step, and the reader does not go on")
  func failure() async throws {
    try await withStore { plain in
      let store = EventStore(
        pool: plain.pool,
        upcasters: try Upcasters([
          Self.step(EventSchema("a", 1), EventSchema("a", 2)),
          Self.step(EventSchema("a", 2), EventSchema("a", 3)),
        ]), logger: .silent)
      let bad = NewEvent(type: "a", schemaVersion: 2, data: Array(#"{"path": 7}"#.utf8))
      try await store.append(to: stream("s"), expecting: .any, [.happened(), bad])
      let error = await #expect(throws: UpcastFailed.self) { try await store.readAll(after: .start) }
      #expect(error?.eventID == bad.id)
      #expect(error?.position == Position(2))
      #expect(error?.stored == EventSchema("a", 2))
      #expect(error?.step == EventSchema("a", 2))

      let subscription = Subscription("s", types: ["a"]) { _, _ in }
      await #expect(throws: UpcastFailed.self) {
        try await SubscriptionRunner(subscription, of: store).catchUp()
      }
      let checkpoint = try await store.checkpoint(of: "s")
      #expect(checkpoint == .start)
    }
  }
}

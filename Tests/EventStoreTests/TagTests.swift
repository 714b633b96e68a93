import Foundation
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@testable import EventStore

@Suite("Tags, and appends on condition of tags")
struct TagTests {
  private func event(_ tags: [String], type: String = "happened") -> NewEvent {
    NewEvent(type: type, data: Array("{}".utf8), tags: tags)
  }

  private func append(
    _ event: NewEvent, to id: String = "log", in store: EventStore,
    requiring conditions: [AppendCondition] = []
  ) async throws -> AppendOutcome {
    try await store.append([StreamAppend(stream(id), expecting: .any, [event])], requiring: conditions)
  }

  @Test("an event is read with its tags, whatever characters they have")
  func roundTrip() async throws {
    try await withStore { store in
      let tags = ["seat:A-1", "a,b", "{}", "\"", "\\", "NULL", "é\u{301}", " ", "\t"]
      _ = try await append(event(tags), in: store)
      _ = try await append(event([]), in: store)
      let read = try await store.readAll(after: .start).map(\.tags)
      #expect(read == [tags, []])
      let exported = Shared<[[String]]>([])
      try await store.export(after: .start, through: Position(2)) { events in
        exported.update { $0 += events.map(\.tags) }
      }
      #expect(exported.value == [tags, []])
      for tag in tags {
        let found = try await store.readAll(after: .start, tags: [tag])
        #expect(found.map(\.position) == [Position(1)], "\(tag)")
      }
    }
  }

  @Test(
    "reading by tags finds the events that have all of them, and of the categories and types that are named")
  func reading() async throws {
    try await withStore { store in
      _ = try await append(event(["x"]), in: store)
      _ = try await append(event(["x", "y"]), in: store)
      _ = try await append(event(["y", "x"], type: "other"), in: store)
      _ = try await store.append(
        to: StreamName(category: "else", id: "1"), expecting: .any, [event(["x", "y"])])
      func positions(
        _ tags: [String], after: Int64 = 0, categories: [String] = [], types: [String] = []
      ) async throws -> [Int64] {
        try await store.readAll(after: Position(after), categories: categories, types: types, tags: tags)
          .map(\.position.rawValue)
      }
      try await #expect(positions(["x"]) == [1, 2, 3, 4])
      try await #expect(positions(["x", "y"]) == [2, 3, 4])
      try await #expect(positions(["y", "x"], after: 2) == [3, 4])
      try await #expect(positions(["x"], types: ["other"]) == [3])
      try await #expect(positions(["x"], categories: ["else"]) == [4])
      try await #expect(positions(["x", "z"]) == [])
    }
  }

  @Test(
    "an append is refused if an event with all of the tags has come, and the conflict says where it stands")
  func condition() async throws {
    try await withStore { store in
      _ = try await append(event(["seat:A-1", "show:1"]), to: "one", in: store)
      func outcome(_ tags: [String], types: [String] = [], after: Int64) async throws -> String {
        try await append(
          event(["seat:A-1"]), to: "two", in: store,
          requiring: [AppendCondition(noEventsTagged: tags, ofTypes: types, after: Position(after))]
        ).summary
      }
      try await #expect(outcome(["seat:A-1"], after: 0) == "conflict with event 1")
      try await #expect(outcome(["show:1", "seat:A-1"], after: 0) == "conflict with event 1")
      try await #expect(
        outcome(["seat:A-1"], types: ["other", "happened"], after: 0) == "conflict with event 1")
      try await #expect(outcome(["seat:A-1"], types: ["other"], after: 0) == "committed test-two 1@2")
      try await #expect(outcome(["seat:A-1"], after: 1) == "conflict with event 2")
      try await #expect(outcome(["show:1", "seat:A-1"], after: 1) == "committed test-two 2@3")
    }
  }

  @Test("a condition without a tag, or with too many, is refused before anything is sent")
  func invalid() async throws {
    try await withStore { store in
      for tags in [[], [""], (0...20).map { "\($0)" }] {
        let error = await #expect(throws: AppendError.self) {
          try await append(
            event([]), in: store, requiring: [AppendCondition(noEventsTagged: tags, after: .start)])
        }
        #expect(error?.summary == "invalid")
      }
      try await #expect(store.audit().isEmpty)
    }
  }

  @Test("a retry is recognised although its own events are now what its condition excludes")
  func retry() async throws {
    try await withStore { store in
      let booking = event(["seat:A-1"])
      let free = [AppendCondition(noEventsTagged: ["seat:A-1"], after: .start)]
      try await #expect(append(booking, in: store, requiring: free).summary == "committed test-log 1@1")
      try await #expect(append(booking, in: store, requiring: free).summary == "duplicate test-log 1@1")
    }
  }

  @Test(
    "of many who append at once on condition that nobody else has, one wins each tag, through any process")
  func race() async throws {
    try await withStores(3) { stores in
      let winners = try await withThrowingTaskGroup(of: String?.self) { group in
        for seat in 0..<20 {
          for buyer in 0..<12 {
            group.addTask {
              let outcome = try await append(
                event(["seat:\(seat)"]), to: "buyer\(buyer)", in: stores[buyer % 3],
                requiring: [AppendCondition(noEventsTagged: ["seat:\(seat)"], after: .start)])
              return outcome.isCommitted ? "\(seat)" : nil
            }
          }
        }
        return try await group.reduce(into: []) { $0 += [$1].compactMap(\.self) }
      }
      #expect(winners.sorted() == (0..<20).map(String.init).sorted())
      try await #expect(stores[0].audit().count == 20)
    }
  }

  // MARK: Against a reference

  /// What conditions mean, in a few lines.
  private struct ReferenceLog {
    var events: [(tags: Set<String>, type: String)] = []

    mutating func append(_ append: AtomicAppend) -> String {
      for condition in append.conditions {
        for position in events.indices where position + 1 > condition.after.rawValue {
          let event = events[position]
          if event.tags.isSuperset(of: condition.tags),
            condition.types.isEmpty || condition.types.contains(event.type)
          {
            return "refused"
          }
        }
      }
      for event in append.parts.flatMap(\.events) { events.append((Set(event.tags), event.type)) }
      return "committed \(events.count)"
    }
  }

  @Test("every outcome of random batches is the one of the reference, also between the appends of one batch")
  func reference() async throws {
    var random = SeededRandom(for: "conditions on tags are those of the reference")
    try await withStore { store in
      var reference = ReferenceLog()
      for _ in 0..<60 {
        let head = reference.events.count
        let batch = (0..<Int.random(in: 1...20, using: &random)).map { _ in
          Self.randomAppend(after: head, using: &random)
        }
        let expected = batch.map { reference.append($0) }
        let call = AppendBatch(batch, tenant: store.tenant)
        let outcomes = try call.outcomes(try await store.pool.query(call.sql)).map { result in
          switch try result.get() {
          case .committed(let receipt): "committed \(receipt.position)"
          case .conflict(let conflict): conflict.excludedEvent == nil ? "conflict of versions" : "refused"
          case .duplicate, .unknown: "neither"
          }
        }
        #expect(outcomes == expected)
      }
      let stored = try await store.readAll(after: .start, limit: 10_000)
      #expect(stored.map { Set($0.tags) } == reference.events.map(\.tags))
      let index: Int = try await store.count("select count(*) from aisle.event_tags")
      #expect(index == reference.events.reduce(0) { $0 + $1.tags.count })
    }
  }

  private static func randomAppend(after head: Int, using random: inout SeededRandom) -> AtomicAppend {
    func tags(_ count: ClosedRange<Int>) -> [String] {
      Array(["a", "b", "c", "d"].shuffled(using: &random).prefix(Int.random(in: count, using: &random)))
    }
    let events = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      NewEvent(
        type: ["up", "down"].randomElement(using: &random) ?? "up", data: Array("1".utf8), tags: tags(0...3))
    }
    let conditions = (0..<Int.random(in: 0...2, using: &random)).map { _ in
      AppendCondition(
        noEventsTagged: tags(1...3), ofTypes: Bool.random(using: &random) ? ["up"] : [],
        after: Position(Int64(max(0, head - Int.random(in: -3...5, using: &random)))))
    }
    let name = stream("\(Int.random(in: 0...3, using: &random))")
    return AtomicAppend(parts: [StreamAppend(name, expecting: .any, events)], conditions: conditions)
  }
}

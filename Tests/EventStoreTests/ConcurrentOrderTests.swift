import EventStore
import Foundation
import TestSupport
import Testing

@Suite("Many writers at once", .timeLimit(.minutes(2)))
struct ConcurrentOrderTests {
  /// What a writer will do, drawn beforehand so that the seed alone decides.
  private struct Intention: Sendable {
    enum Expectation: Sendable, CaseIterable { case any, none, exists, asLastSeen }
    let store: Int
    let parts: [(stream: Int, expectation: Expectation, events: [NewEvent])]
    /// On which stores it is sent again, all at once.
    let retries: [Int]
  }

  private struct Answer: Sendable {
    let append: [StreamAppend]
    let outcomes: [AppendOutcome]
  }

  private static let stores = 3
  private static let streams = (0..<6).map { stream("\($0)") }

  @Test(
    "positions and versions have no gaps, what was acknowledged is there once and in its place, what was refused is not"
  )
  func anyOrder() async throws {
    var random = SeededRandom(for: "concurrent appends are gapless, ordered and truthful")
    let plans = (0..<12).map { _ in (0..<30).map { _ in intention(using: &random) } }
    try await withStores(Self.stores, poolSize: 2) { stores in
      let answers = try await withThrowingTaskGroup(of: [Answer].self) { group in
        for plan in plans { group.addTask { try await carryOut(plan, in: stores) } }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      let events = try await stores[0].audit()
      let places = Dictionary(uniqueKeysWithValues: events.map { ($0.id, $0) })
      for answer in answers { check(answer, against: events, places) }
      let stored = answers.filter { $0.outcomes.contains { $0.receipt != nil } }
      #expect(events.count == stored.reduce(0) { $0 + $1.append.reduce(0) { $0 + $1.events.count } })
      // Neither is a property of an idle run.
      #expect(stored.count > 50 && answers.count - stored.count > 50)
    }
  }

  private func carryOut(_ plan: [Intention], in stores: [EventStore]) async throws -> [Answer] {
    var seen: [Int: Int64] = [:]
    var answers: [Answer] = []
    for intention in plan {
      let append = intention.parts.map { part in
        let expected: ExpectedVersion =
          switch part.expectation {
          case .any: .any
          case .none: .noStream
          case .exists: .streamExists
          case .asLastSeen: .version(seen[part.stream] ?? 0)
          }
        return StreamAppend(Self.streams[part.stream], expecting: expected, part.events)
      }
      let outcomes = try await withThrowingTaskGroup(of: AppendOutcome.self) { group in
        for store in [intention.store] + intention.retries {
          group.addTask { try await stores[store].append(append) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      answers.append(Answer(append: append, outcomes: outcomes))
      for part in intention.parts {
        seen[part.stream] = try await stores[intention.store].version(of: Self.streams[part.stream])
      }
    }
    return answers
  }

  private func check(_ answer: Answer, against events: [StoredEvent], _ places: [UUID: StoredEvent]) {
    let ids = answer.append.flatMap { $0.events.map(\.id) }
    for case .conflict(let conflict) in answer.outcomes {
      for stream in conflict.streams { #expect(!stream.expected.isMet(by: stream.actual)) }
    }
    let receipts = answer.outcomes.compactMap(\.receipt)
    guard !receipts.isEmpty else {
      #expect(ids.allSatisfy { places[$0] == nil }, "a conflict was stored: \(answer)")
      return
    }
    #expect(answer.outcomes.filter(\.isCommitted).count == 1, "\(answer)")
    for case .committed(let receipt) in answer.outcomes {
      var position = receipt.position.rawValue - Int64(ids.count)
      let before = events.prefix(Int(position))
      for (part, place) in zip(answer.append, receipt.streams) {
        let version = place.version - Int64(part.events.count)
        #expect(part.expecting.isMet(by: version), "\(answer)")
        #expect(version == Int64(before.count { $0.stream == part.stream.description }), "\(answer)")
        for (index, event) in part.events.enumerated() {
          position += 1
          #expect(places[event.id]?.position == position)
          #expect(places[event.id]?.version == version + Int64(index) + 1)
          #expect(places[event.id]?.stream == part.stream.description)
        }
        #expect(place.position == (part.events.isEmpty ? nil : Position(position)))
      }
    }
    // Of a part without events a retry learns the present version.
    let written = receipts.map { $0.streams.filter { $0.position != nil } }
    #expect(Set(written).count == 1, "retries disagree: \(answer)")
  }

  private func intention(using random: inout SeededRandom) -> Intention {
    let streams = Self.streams.indices.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
    let withEvents = streams[0]
    let parts = streams.sorted().map { stream in
      let count = Int.random(in: (stream == withEvents ? 1 : 0)...3, using: &random)
      let expectation: Intention.Expectation =
        Bool.random(using: &random)
        ? .asLastSeen : Intention.Expectation.allCases.randomElement(using: &random) ?? .any
      return (stream: stream, expectation: expectation, events: (0..<count).map { _ in NewEvent.happened() })
    }
    let retries = Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 1...2, using: &random) : 0
    return Intention(
      store: Int.random(in: 0..<Self.stores, using: &random), parts: parts,
      retries: (0..<retries).map { _ in Int.random(in: 0..<Self.stores, using: &random) })
  }
}

extension ExpectedVersion {
  fileprivate func isMet(by actual: Int64) -> Bool {
    switch self {
    case .any: true
    case .noStream: actual == 0
    case .streamExists: actual > 0
    case .version(let version): actual == version
    }
  }
}

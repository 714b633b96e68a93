import EventStore
import Foundation
import TestSupport
import Testing

/// What an event store is, in a page: a dictionary of versions and one of ids.
private struct ReferenceLog {
  private var head = 0
  private var versions: [StreamName: Int64] = [:]
  private var stored: [UUID: (stream: StreamName, version: Int64, position: Int)] = [:]

  func version(of stream: StreamName) -> Int64 { versions[stream] ?? 0 }

  /// Does it, and tells the outcome in one line.
  mutating func append(_ append: [StreamAppend]) -> String {
    let ids = append.flatMap { $0.events.map(\.id) }
    if stored[ids[0]] != nil { return retry(append) }
    let wrong = append.filter { !isMet($0.expecting, version(of: $0.stream)) }
    if !wrong.isEmpty {
      return "conflict " + wrong.map { "\($0.stream) is \(version(of: $0.stream))" }.joined(separator: ", ")
    }
    if ids.contains(where: { stored[$0] != nil }) { return "event id reused" }
    let parts = append.map { part in
      for event in part.events {
        head += 1
        versions[part.stream, default: 0] += 1
        stored[event.id] = (part.stream, version(of: part.stream), head)
      }
      return "\(part.stream) \(version(of: part.stream))" + (part.events.isEmpty ? "" : "@\(head)")
    }
    return "committed " + parts.joined(separator: ", ")
  }

  private func retry(_ append: [StreamAppend]) -> String {
    var parts: [String] = []
    for part in append {
      let found = part.events.compactMap { stored[$0.id] }
      guard found.count == part.events.count, found.allSatisfy({ $0.stream == part.stream }) else {
        return "event id reused"
      }
      let last = found.max { $0.position < $1.position }
      parts.append(
        last.map { "\(part.stream) \($0.version)@\($0.position)" }
          ?? "\(part.stream) \(version(of: part.stream))")
    }
    return "duplicate " + parts.joined(separator: ", ")
  }

  private func isMet(_ expected: ExpectedVersion, _ actual: Int64) -> Bool {
    switch expected {
    case .any: true
    case .noStream: actual == 0
    case .streamExists: actual > 0
    case .version(let version): actual == version
    }
  }
}

@Suite("The store against its reference model")
struct ReferenceModelTests {
  @Test("every answer to a random series of appends, retries and reused ids is the reference model's")
  func oneByOne() async throws {
    var random = SeededRandom(for: "answers are those of the reference model")
    try await withStore { store in
      var model = ReferenceLog()
      var history: [[StreamAppend]] = []
      for number in 0..<400 {
        let append = append(after: history, of: model, using: &random)
        history.append(append)
        let expected = model.append(append)
        let outcome = await store.outcome(of: append)
        try #require(outcome == expected, "append \(number): \(append)")
      }
      for name in Self.streams {
        try await #expect(store.version(of: name) == model.version(of: name))
        try await #expect(store.read(name, limit: 10_000).count == Int(model.version(of: name)))
      }
      _ = try await store.audit()
    }
  }

  @Test("the same in batches of random size")
  func inBatches() async throws {
    var random = SeededRandom(for: "answers to batches are those of the reference model")
    try await withStore { store in
      var model = ReferenceLog()
      for _ in 0..<40 {
        // Ids are new: one that is used twice fails a whole batch, which only the sequencer takes apart.
        let batch = (0..<Int.random(in: 1...30, using: &random)).map { _ in
          append(after: [], of: model, using: &random)
        }
        let expected = batch.map { model.append($0) }
        let outcomes = try await store.pool.transaction { connection in
          try await store.append(batch, inTransactionOf: connection).map(\.summary)
        }
        try #require(outcomes == expected)
      }
      _ = try await store.audit()
    }
  }

  private static let streams = (0..<5).map { stream("\($0)") }

  private func append(
    after history: [[StreamAppend]], of model: ReferenceLog, using random: inout SeededRandom
  ) -> [StreamAppend] {
    if let old = history.randomElement(using: &random) {
      switch Int.random(in: 0..<10, using: &random) {
      case 0: return old
      case 1:  // some old events among the new ones
        let id = old.flatMap(\.events)[0].id
        var events: [NewEvent] = [.happened(), .happened(id: id)]
        events.shuffle(using: &random)
        return [StreamAppend(old[0].stream, expecting: .any, events)]
      default: break
      }
    }
    let streams = Self.streams.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
    let withEvents = streams.randomElement(using: &random)
    return streams.map { stream in
      let count =
        stream == withEvents ? Int.random(in: 1...3, using: &random) : Int.random(in: 0...2, using: &random)
      let version = model.version(of: stream)
      let expected: ExpectedVersion =
        switch Int.random(in: 0..<10, using: &random) {
        case 0: .noStream
        case 1: .version(max(0, version + Int64.random(in: -2...2, using: &random)))
        case 2...5: .any
        case 6: .streamExists
        default: .version(version)
        }
      return StreamAppend(stream, expecting: expected, .happened(count))
    }
  }
}

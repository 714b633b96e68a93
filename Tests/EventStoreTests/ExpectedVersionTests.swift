import EventStore
import TestSupport
import Testing

@Suite("Expected versions")
struct ExpectedVersionTests {
  @Test(
    "what is expected of a stream that does not exist",
    arguments: [
      (ExpectedVersion.any, "committed test-a 1@1"), (.noStream, "committed test-a 1@1"),
      (.streamExists, "conflict test-a is 0"), (.version(0), "committed test-a 1@1"),
      (.version(1), "conflict test-a is 0"), (.version(.max), "conflict test-a is 0"),
    ])
  func newStream(expected: ExpectedVersion, outcome: String) async throws {
    try await withStore { store in
      #expect(await store.outcome(of: stream("a"), expected, [.happened()]) == outcome)
      try await #expect(store.audit().count == (outcome.hasPrefix("committed") ? 1 : 0))
    }
  }

  @Test(
    "what is expected of a stream with three events",
    arguments: [
      (ExpectedVersion.any, "committed test-a 5@5"), (.noStream, "conflict test-a is 3"),
      (.streamExists, "committed test-a 5@5"), (.version(3), "committed test-a 5@5"),
      (.version(2), "conflict test-a is 3"), (.version(4), "conflict test-a is 3"),
      (.version(0), "conflict test-a is 3"),
    ])
  func existingStream(expected: ExpectedVersion, outcome: String) async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .noStream, .happened(3))
      #expect(await store.outcome(of: stream("a"), expected, .happened(2)) == outcome)
      try await #expect(store.audit().count == (outcome.hasPrefix("committed") ? 5 : 3))
    }
  }

  @Test("a conflict names the stream, what was expected and what is true, and has no receipt")
  func conflict() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .noStream, .happened(3))
      let outcome = try await store.append(to: stream("a"), expecting: .version(7), [.happened()])
      guard case .conflict(let conflict) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(conflict.streams.count == 1)
      #expect(conflict.streams.first?.name == stream("a"))
      #expect(conflict.streams.first?.expected == .version(7))
      #expect(conflict.streams.first?.actual == 3)
      #expect(outcome.receipt == nil)
    }
  }

  @Test("of many writers who expect the same version, from several processes, one wins each round")
  func race() async throws {
    try await withStores(3, poolSize: 2) { stores in
      for round in 0..<10 {
        let outcomes = await withTaskGroup(of: String.self) { group in
          for number in 0..<12 {
            group.addTask {
              await stores[number % 3].outcome(of: stream("a"), .version(Int64(round)), [.happened(number)])
            }
          }
          return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == "committed test-a \(round + 1)@\(round + 1)" }.count == 1)
        #expect(outcomes.filter { $0 == "conflict test-a is \(round + 1)" }.count == 11)
      }
      try await #expect(stores[0].audit().count == 10)
    }
  }
}

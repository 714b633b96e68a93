import EventStore
import Foundation
import TestSupport
import Testing

@Suite("Retried appends")
struct IdempotencyTests {
  @Test("the same events again are a duplicate, at the original versions and positions")
  func retry() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .noStream, .happened(3))
      let events: [NewEvent] = .happened(2)
      #expect(await store.outcome(of: stream("a"), .version(3), events) == "committed test-a 5@5")
      #expect(await store.outcome(of: stream("a"), .version(3), events) == "duplicate test-a 5@5")
      try await #expect(store.audit().count == 5)
    }
  }

  @Test("a retry is a duplicate whatever it expects, long after the stream and the log have moved on")
  func lateRetry() async throws {
    try await withStore { store in
      let events: [NewEvent] = .happened(2)
      try await store.append(to: stream("a"), expecting: .noStream, events)
      try await store.append(to: stream("a"), expecting: .version(2), .happened(4))
      try await store.append(to: stream("b"), expecting: .noStream, .happened(4))
      for expected in [ExpectedVersion.any, .noStream, .streamExists, .version(2), .version(99)] {
        #expect(await store.outcome(of: stream("a"), expected, events) == "duplicate test-a 2@2")
      }
      try await #expect(store.audit().count == 10)
    }
  }

  @Test("a retry from another process is a duplicate too")
  func otherProcess() async throws {
    try await withStores(2) { stores in
      let events: [NewEvent] = .happened(2)
      #expect(await stores[0].outcome(of: stream("a"), .noStream, events) == "committed test-a 2@2")
      #expect(await stores[1].outcome(of: stream("a"), .noStream, events) == "duplicate test-a 2@2")
    }
  }

  @Test("a retry of an append to several streams is a duplicate in all of them, whatever happened since")
  func severalStreams() async throws {
    try await withStore { store in
      try await store.append(to: stream("read"), expecting: .noStream, .happened(1))
      let append = [
        StreamAppend(stream("read"), expecting: .version(1)),
        StreamAppend(stream("a"), expecting: .noStream, .happened(2)),
        StreamAppend(stream("b"), expecting: .noStream, .happened(3)),
      ]
      #expect(await store.outcome(of: append) == "committed test-read 1, test-a 2@3, test-b 3@6")
      try await store.append(to: stream("b"), expecting: .version(3), .happened(4))
      try await store.append(to: stream("a"), expecting: .version(2), .happened(4))
      #expect(await store.outcome(of: append) == "duplicate test-read 1, test-a 2@3, test-b 3@6")
      try await #expect(store.audit().count == 14)
    }
  }

  @Test("an append that was refused left no trace of its ids: it may be sent again")
  func afterConflict() async throws {
    try await withStore { store in
      let events: [NewEvent] = .happened(2)
      #expect(await store.outcome(of: stream("a"), .version(1), events) == "conflict test-a is 0")
      try await store.append(to: stream("a"), expecting: .noStream, .happened(1))
      #expect(await store.outcome(of: stream("a"), .version(1), events) == "committed test-a 3@3")
    }
  }

  @Test(
    "identical retries at the same time, from several processes, are stored once and all get the same receipt"
  )
  func concurrent() async throws {
    try await withStores(3) { stores in
      for round in 0..<10 {
        let append = [
          StreamAppend(stream("a-\(round)"), expecting: .noStream, .happened(2)),
          StreamAppend(stream("b-\(round)"), expecting: .noStream, .happened(1)),
        ]
        let outcomes = await withTaskGroup(of: String.self) { group in
          for number in 0..<9 { group.addTask { await stores[number % 3].outcome(of: append) } }
          return await group.reduce(into: []) { $0.append($1) }
        }
        let last = (round + 1) * 3
        let receipt = "test-a-\(round) 2@\(last - 1), test-b-\(round) 1@\(last)"
        #expect(outcomes.filter { $0 == "committed \(receipt)" }.count == 1, "\(outcomes)")
        #expect(outcomes.filter { $0 == "duplicate \(receipt)" }.count == 8, "\(outcomes)")
      }
      try await #expect(stores[0].audit().count == 30)
    }
  }
}

@Suite("Event ids that were used for something else")
struct ReusedEventIDTests {
  /// Each is sent after events 1 and 2 were stored in stream a.
  private static let appends: [String: [StreamAppend]] = [
    "another stream": [StreamAppend(stream("b"), expecting: .any, [event(1), event(2)])],
    "an event more": [StreamAppend(stream("a"), expecting: .any, [event(1), event(2), event(3)])],
    "first an event more": [StreamAppend(stream("a"), expecting: .any, [event(3), event(1), event(2)])],
    "one old, one new event": [StreamAppend(stream("a"), expecting: .any, [event(2), event(3)])],
    "one new, one old event": [StreamAppend(stream("a"), expecting: .any, [event(3), event(2)])],
    "the second event in another stream": [
      StreamAppend(stream("a"), expecting: .any, [event(1)]),
      StreamAppend(stream("b"), expecting: .any, [event(2)]),
    ],
    "a stream more": [
      StreamAppend(stream("a"), expecting: .any, [event(1), event(2)]),
      StreamAppend(stream("b"), expecting: .any, [event(3)]),
    ],
    "first a stream more": [
      StreamAppend(stream("b"), expecting: .any, [event(3)]),
      StreamAppend(stream("a"), expecting: .any, [event(1), event(2)]),
    ],
  ]

  private static func event(_ number: UInt8) -> NewEvent {
    .happened(id: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number)))
  }

  @Test(
    "an append that holds stored events and differs from theirs is refused, and nothing is stored",
    arguments: appends.keys.sorted())
  func refused(difference: String) async throws {
    let append = try #require(Self.appends[difference])
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .noStream, [Self.event(1), Self.event(2)])
      #expect(await store.outcome(of: append) == "event id reused")
      try await #expect(store.audit().map(\.id) == [Self.event(1).id, Self.event(2).id])
      // And the store goes on
      #expect(await store.outcome(of: stream("a"), .version(2), [Self.event(3)]) == "committed test-a 3@3")
    }
  }
}

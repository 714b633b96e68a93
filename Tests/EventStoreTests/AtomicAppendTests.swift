import EventStore
import TestSupport
import Testing

@Suite("Appends to several streams")
struct AtomicAppendTests {
  @Test("several streams are written in the order given, at consecutive positions")
  func severalStreams() async throws {
    try await withStore { store in
      try await store.append(to: stream("b"), expecting: .noStream, [.happened()])
      let outcome = await store.outcome(of: [
        StreamAppend(stream("a"), expecting: .noStream, .happened(2)),
        StreamAppend(stream("b"), expecting: .version(1), .happened(1)),
        StreamAppend(stream("c"), expecting: .any, .happened(3)),
      ])
      #expect(outcome == "committed test-a 2@3, test-b 2@4, test-c 3@7")
      #expect(
        try await store.audit().map(\.stream)
          == ["test-b", "test-a", "test-a", "test-b", "test-c", "test-c", "test-c"])
    }
  }

  @Test("one part that is wrong refuses all of them; only the wrong ones are named, and nothing is stored")
  func allOrNothing() async throws {
    try await withStore { store in
      try await store.append(to: stream("b"), expecting: .noStream, [.happened()])
      let outcome = await store.outcome(of: [
        StreamAppend(stream("a"), expecting: .noStream, .happened(2)),
        StreamAppend(stream("b"), expecting: .noStream, .happened(1)),
        StreamAppend(stream("c"), expecting: .streamExists, .happened(1)),
        StreamAppend(stream("d"), expecting: .any, .happened(1)),
      ])
      #expect(outcome == "conflict test-b is 1, test-c is 0")
      try await #expect(store.audit().map(\.stream) == ["test-b"])
      try await #expect(store.version(of: stream("a")) == 0)
    }
  }

  @Test("a part without events is a condition: it lets the append through, or refuses it, and writes nothing")
  func condition() async throws {
    try await withStore { store in
      try await store.append(to: stream("read"), expecting: .noStream, .happened(2))
      func write(if version: Int64) async -> String {
        await store.outcome(of: [
          StreamAppend(stream("read"), expecting: .version(version)),
          StreamAppend(stream("written"), expecting: .any, [.happened()]),
        ])
      }
      #expect(await write(if: 2) == "committed test-read 2, test-written 1@3")
      #expect(await write(if: 1) == "conflict test-read is 2")
      try await #expect(store.audit().map(\.stream) == ["test-read", "test-read", "test-written"])
    }
  }

  @Test("a condition on a stream that does not exist does not make it")
  func conditionOnNothing() async throws {
    try await withStore { store in
      let outcome = await store.outcome(of: [
        StreamAppend(stream("none"), expecting: .noStream),
        StreamAppend(stream("written"), expecting: .any, [.happened()]),
      ])
      #expect(outcome == "committed test-none 0, test-written 1@1")
      try await #expect(store.audit().count == 1)
    }
  }

  @Test("a receipt's position is that of the last event, also when a condition comes last")
  func receiptPosition() async throws {
    try await withStore { store in
      let outcome = try await store.append([
        StreamAppend(stream("a"), expecting: .any, .happened(3)),
        StreamAppend(stream("b"), expecting: .noStream),
      ])
      #expect(outcome.receipt?.position == Position(3))
    }
  }

  @Test("two appends that each read the stream the other one writes: one of them is refused")
  func writeSkew() async throws {
    try await withStores(2) { stores in
      for round in 0..<20 {
        let (left, right) = (stream("left-\(round)"), stream("right-\(round)"))
        async let one = stores[0].outcome(of: [
          StreamAppend(right, expecting: .noStream), StreamAppend(left, expecting: .noStream, [.happened()]),
        ])
        async let other = stores[1].outcome(of: [
          StreamAppend(left, expecting: .noStream), StreamAppend(right, expecting: .noStream, [.happened()]),
        ])
        let outcomes = await [one, other]
        #expect(outcomes.filter { $0.hasPrefix("committed") }.count == 1, "\(outcomes)")
        #expect(outcomes.filter { $0.hasPrefix("conflict") }.count == 1, "\(outcomes)")
      }
      try await #expect(stores[0].audit().count == 20)
    }
  }
}

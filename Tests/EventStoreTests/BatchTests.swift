import EventStore
import TestSupport
import Testing

/// A batch is what goes to the database in one call. `append(_:inTransactionOf:)` sends exactly the batch it is given.
@Suite("Appends that share a batch")
struct BatchTests {
  private func outcomes(of batch: [[StreamAppend]], in store: EventStore) async throws -> [String] {
    try await store.pool.transaction { connection in
      try await store.append(batch, inTransactionOf: connection).map(\.summary)
    }
  }

  @Test("a conflicting append fails alone; those before and behind it commit without a gap")
  func conflictAlone() async throws {
    try await withStore { store in
      let outcomes = try await outcomes(
        of: [
          [StreamAppend(stream("a"), expecting: .noStream, .happened(2))],
          [
            StreamAppend(stream("b"), expecting: .any, .happened(5)),
            StreamAppend(stream("c"), expecting: .streamExists, .happened(5)),
          ],
          [StreamAppend(stream("b"), expecting: .noStream, .happened(1))],
        ], in: store)
      #expect(outcomes == ["committed test-a 2@2", "conflict test-c is 0", "committed test-b 1@3"])
      try await #expect(store.audit().map(\.stream) == ["test-a", "test-a", "test-b"])
    }
  }

  @Test("of two appends that expect the same version of a stream, the first wins")
  func sameVersion() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .noStream, .happened(3))
      let batch = (0..<2).map { _ in [StreamAppend(stream("a"), expecting: .version(3), .happened(2))] }
      try await #expect(outcomes(of: batch, in: store) == ["committed test-a 5@5", "conflict test-a is 5"])
      try await #expect(store.audit().count == 5)
    }
  }

  @Test("an append sees the effect of those before it in the batch, on streams old and new")
  func chain() async throws {
    try await withStore { store in
      try await store.append(to: stream("old"), expecting: .noStream, .happened(1))
      let outcomes = try await outcomes(
        of: [
          [StreamAppend(stream("new"), expecting: .noStream, .happened(1))],
          [StreamAppend(stream("old"), expecting: .version(1), .happened(2))],
          [StreamAppend(stream("new"), expecting: .version(1), .happened(1))],
          [StreamAppend(stream("new"), expecting: .streamExists, .happened(1))],
          [
            StreamAppend(stream("old"), expecting: .version(3)),
            StreamAppend(stream("new"), expecting: .version(3), .happened(1)),
          ],
          [StreamAppend(stream("new"), expecting: .noStream, .happened(1))],
        ], in: store)
      #expect(
        outcomes == [
          "committed test-new 1@2", "committed test-old 3@4", "committed test-new 2@5",
          "committed test-new 3@6",
          "committed test-old 3, test-new 4@7", "conflict test-new is 4",
        ])
      try await #expect(store.audit().count == 7)
    }
  }

  @Test("a duplicate in a batch is answered from the log and takes no position")
  func duplicate() async throws {
    try await withStore { store in
      let first = [StreamAppend(stream("a"), expecting: .noStream, .happened(2))]
      try await store.append(first)
      let outcomes = try await outcomes(
        of: [
          [StreamAppend(stream("a"), expecting: .version(2), .happened(1))], first,
          [StreamAppend(stream("b"), expecting: .noStream, .happened(1))],
        ], in: store)
      #expect(outcomes == ["committed test-a 3@3", "duplicate test-a 2@2", "committed test-b 1@4"])
      try await #expect(store.audit().count == 4)
    }
  }

  @Test("a batch in which all conflict writes nothing and wakes nobody")
  func nothingAccepted() async throws {
    try await withStore { store in
      let listener = try await LogListener(to: store)
      let outcomes = try await outcomes(
        of: [[StreamAppend(stream("a"), expecting: .streamExists, .happened(1))]], in: store)
      #expect(outcomes == ["conflict test-a is 0"])
      // When something is stored after it
      try await store.append(to: stream("b"), expecting: .any, .happened(3))
      // Then that is the first message: tenant and head
      try await #expect(listener.next() == "1 3")
      await listener.close()
    }
  }

  @Test("a batch of many appends wakes subscribers with one message")
  func oneMessage() async throws {
    try await withStore { store in
      let listener = try await LogListener(to: store)
      let batch = (0..<50).map { [StreamAppend(stream("\($0)"), expecting: .noStream, .happened(2))] }
      try await #expect(outcomes(of: batch, in: store).allSatisfy { $0.hasPrefix("committed") })
      try await store.append(to: stream("last"), expecting: .any, .happened(1))
      try await #expect(listener.next() == "1 100")
      try await #expect(listener.next() == "1 101")
      await listener.close()
    }
  }

  @Test("appends of a transaction that rolls back were never there, and their positions are used again")
  func rolledBack() async throws {
    struct ChangedMyMind: Error {}
    try await withStore { store in
      let append = [StreamAppend(stream("a"), expecting: .noStream, .happened(2))]
      await #expect(throws: ChangedMyMind.self) {
        try await store.pool.transaction { connection in
          let outcomes = try await store.append([append], inTransactionOf: connection)
          #expect(outcomes.map(\.summary) == ["committed test-a 2@2"])
          throw ChangedMyMind()
        }
      }
      try await #expect(store.audit().isEmpty)
      #expect(await store.outcome(of: append) == "committed test-a 2@2")
    }
  }

  @Test("an event id that was used before fails the caller's whole transaction")
  func reusedInTransaction() async throws {
    try await withStore { store in
      let event = NewEvent.happened()
      try await store.append(to: stream("a"), expecting: .noStream, [event])
      let error = await #expect(throws: AppendError.self) {
        try await outcomes(
          of: [
            [StreamAppend(stream("b"), expecting: .any, .happened(1))],
            [StreamAppend(stream("c"), expecting: .any, [event])],
          ], in: store)
      }
      #expect(error?.summary == "event id reused")
      try await #expect(store.audit().count == 1)
    }
  }
}

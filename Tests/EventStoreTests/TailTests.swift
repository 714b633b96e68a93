import EventStore
import PostgreSQL
import TestSupport
import Testing

@Suite("A reader at the end of the log", .timeLimit(.minutes(2)))
struct TailTests {
  private struct ChangedMyMind: Error {}

  /// One append of a writer; every third writer uses transactions.
  private struct Step: Sendable {
    let events: Int
    let isInTransaction: Bool
    let statements: Int
    let isKept: Bool

    init(of writer: Int, using random: inout SeededRandom) {
      events = Int.random(in: 1...3, using: &random)
      isInTransaction = writer.isMultiple(of: 3)
      statements = Int.random(in: 0...5, using: &random)
      isKept = Int.random(in: 0..<4, using: &random) > 0
    }
  }

  @Test("what a transaction has appended appears at its commit, before everything that waited for it")
  func openTransaction() async throws {
    try await withStores(2) { stores in
      let (slow, quick) = (stores[0], stores[1])
      try await slow.append(to: stream("before"), expecting: .any, .happened(2))
      // Given an append inside an open transaction
      let later = try await slow.pool.transaction { connection in
        try await slow.append(
          [[StreamAppend(stream("slow"), expecting: .any, .happened(3))]], inTransactionOf: connection)
        // When another process appends meanwhile
        let later = Task { await quick.outcome(of: stream("quick"), .any, [.happened()]) }
        try await slow.waiters(1)
        // Then a reader sees neither
        try await #expect(quick.readAll(after: .start).map(\.position.rawValue) == [1, 2])
        try await #expect(quick.head() == Position(2))
        return later
      }
      #expect(await later.value == "committed test-quick 1@6")
      try await #expect(
        quick.readAll(after: Position(2)).map(\.stream.id) == ["slow", "slow", "slow", "quick"])
    }
  }

  @Test("who stops between an append and its commit loses the log's lock, and nobody waits for ever")
  func pausedBeforeCommit() async throws {
    try await withStores(2) { stores in
      let other = Shared<String?>(nil)
      await #expect(throws: PostgresError.self) {
        try await stores[0].pool.transaction { connection in
          try await stores[0].append(
            [[StreamAppend(stream("paused"), expecting: .any, .happened(3))]], inTransactionOf: connection)
          // As if this process were paused here until somebody else has appended
          let outcome = await stores[1].outcome(of: stream("other"), .any, [.happened()])
          other.update { $0 = outcome }
        }
      }
      #expect(other.value == "committed test-other 1@1")
      try await #expect(stores[1].readAll(after: .start).map(\.stream.id) == ["other"])
    }
  }

  @Test("an append that waited for a transaction that was rolled back takes its positions")
  func rolledBack() async throws {
    try await withStores(2) { stores in
      let later = Shared<Task<String, Never>?>(nil)
      await #expect(throws: ChangedMyMind.self) {
        try await stores[0].pool.transaction { connection in
          try await stores[0].append(
            [[StreamAppend(stream("slow"), expecting: .any, .happened(3))]], inTransactionOf: connection)
          let task = Task { await stores[1].outcome(of: stream("quick"), .any, [.happened()]) }
          later.update { $0 = task }
          try await stores[0].waiters(1)
          throw ChangedMyMind()
        }
      }
      #expect(await later.value?.value == "committed test-quick 1@1")
      try await #expect(stores[0].readAll(after: .start).map(\.stream.id) == ["quick"])
    }
  }

  @Test(
    "a reader that follows many writers, some in transactions that stay open or roll back, never skips an event"
  )
  func following() async throws {
    var random = SeededRandom(for: "a tail never skips an event")
    let plans = (0..<9).map { writer in (0..<25).map { _ in Step(of: writer, using: &random) } }
    try await withStores(3) { stores in
      let isOver = Shared(false)
      async let read = [follow(stores[0], until: isOver), follow(stores[2], until: isOver)]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (writer, plan) in plans.enumerated() {
          group.addTask { try await carryOut(plan, to: stream("\(writer)"), in: stores[writer % 3]) }
        }
        defer { isOver.update { $0 = true } }
        try await group.waitForAll()
      }
      let events = try await stores[0].audit()
      for seen in try await read { #expect(seen == events.map(\.position)) }
      #expect(events.count > 100)
    }
  }

  private func carryOut(_ plan: [Step], to stream: StreamName, in store: EventStore) async throws {
    for step in plan {
      let append = [StreamAppend(stream, expecting: .any, .happened(step.events))]
      guard step.isInTransaction else {
        try await store.append(append)
        continue
      }
      do {
        try await store.pool.transaction { connection in
          try await store.append([append], inTransactionOf: connection)
          // The lock is held while these go to and fro.
          for _ in 0..<step.statements { try await connection.query("select 1") }
          if !step.isKept { throw ChangedMyMind() }
        }
      } catch is ChangedMyMind {}
    }
  }

  /// The positions in the order in which they were seen, up to the end of the log after `isOver`.
  private func follow(_ store: EventStore, until isOver: Shared<Bool>) async throws -> [Int64] {
    var seen: [Int64] = []
    while true {
      let isLastLook = isOver.value
      let events = try await store.readAll(after: Position(seen.last ?? 0), limit: 7)
      seen += events.map(\.position.rawValue)
      if isLastLook && events.isEmpty { return seen }
    }
  }
}

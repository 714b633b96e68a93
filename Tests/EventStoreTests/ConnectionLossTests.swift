import EventStore
import Foundation
import TestSupport
import Testing

@Suite("Appends whose connection dies", .timeLimit(.minutes(2)))
struct ConnectionLossTests {
  @Test("an append whose connection dies before it was stored is sent again, and stored once")
  func sentAgain() async throws {
    try await withStores(2) { stores in
      let append = try await stores[0].holdingTheLog {
        let append = Task { await stores[1].outcome(of: stream("a"), .noStream, .happened(2)) }
        for _ in 0..<3 { try await stores[0].terminateWriters(stores[0].waiters(1)) }
        try await stores[0].waiters(1)
        return append
      }
      #expect(await append.value == "committed test-a 2@2")
      try await #expect(stores[0].audit().count == 2)
    }
  }

  @Test("when there is no time left to send it again the answer is unknown; appending it again is safe")
  func unknown() async throws {
    try await withStores(2) { stores in
      let impatient = EventStore(pool: stores[1].pool, retryAppendsFor: .zero, logger: .silent)
      let events: [NewEvent] = .happened(2)
      try await stores[0].holdingTheLog {
        let append = Task { await impatient.outcome(of: stream("a"), .noStream, events) }
        try await stores[0].terminateWriters(stores[0].waiters(1))
        #expect(await append.value == "unknown")
      }
      try await #expect(stores[0].audit().isEmpty)
      #expect(await impatient.outcome(of: stream("a"), .noStream, events) == "committed test-a 2@2")
    }
  }

  @Test(
    "a conflict is told as one even if the connection died before, unless it could still turn out otherwise")
  func conflictAfterLoss() async throws {
    try await withStores(2) { stores in
      try await stores[0].append(to: stream("a"), expecting: .noStream, .happened(5))
      let expectations: [(ExpectedVersion, String)] = [
        (.noStream, "conflict test-a is 5"), (.version(4), "conflict test-a is 5"), (.version(6), "unknown"),
      ]
      for (expected, outcome) in expectations {
        let append = try await stores[0].holdingTheLog {
          let append = Task { await stores[1].outcome(of: stream("a"), expected, [.happened()]) }
          try await stores[0].terminateWriters(stores[0].waiters(1))
          try await stores[0].waiters(1)
          return append
        }
        #expect(await append.value == outcome)
      }
      try await #expect(stores[0].audit().count == 5)
    }
  }

  @Test("while writers' connections are killed again and again, every answer is true and the store goes on")
  func storm() async throws {
    try await withStores(3) { stores in
      let impatient = EventStore(pool: stores[2].pool, retryAppendsFor: .zero, logger: .silent)
      let isOver = Shared(false)
      let answers = try await withThrowingTaskGroup(of: [Answer].self) { group in
        for number in 0..<12 {
          let store = number % 3 == 0 ? impatient : stores[1]
          group.addTask { await write(number: number, to: store, until: isOver) }
        }
        defer { isOver.update { $0 = true } }
        for _ in 0..<25 {
          let head = try await stores[0].head()
          let writers = try await eventually("somebody writes", within: patience) {
            try await stores[0].activeWriters()
          } until: {
            !$0.isEmpty
          }
          try await stores[0].terminateWriters(writers)
          _ = try await eventually("the store goes on", within: patience) {
            try await stores[0].head()
          } until: {
            $0 > head
          }
        }
        isOver.update { $0 = true }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      let events = try await stores[0].audit()
      let places = Dictionary(uniqueKeysWithValues: events.map { ($0.id, $0) })
      for answer in answers { check(answer, against: places) }
      #expect(events.count <= answers.count * 2)
      #expect(
        await impatient.outcome(of: stream("after"), .noStream, [.happened()])
          == "committed test-after 1@\(events.count + 1)")
    }
  }

  private struct Answer: Sendable {
    let events: [NewEvent]
    /// Those of one append that was sent until it was known, or given up after a few times.
    var receipts: [AppendReceipt] = []
    var committed = 0
    var isKnown = false
  }

  private func write(number: Int, to store: EventStore, until isOver: Shared<Bool>) async -> [Answer] {
    var answers: [Answer] = []
    while !isOver.value {
      var answer = Answer(events: .happened(2))
      for _ in 0...(answers.count % 3) where !answer.isKnown {
        do throws(AppendError) {
          let outcome = try await store.append(to: stream("\(number)"), expecting: .any, answer.events)
          if case .unknown = outcome { continue }
          answer.isKnown = true
          answer.receipts += outcome.receipt.map { [$0] } ?? []
          answer.committed += outcome.isCommitted ? 1 : 0
        } catch {
          // No connection: this time nothing was stored.
          guard case .unavailable = error else {
            Issue.record("\(error)")
            return answers
          }
        }
      }
      // Once more: a retry is safe for ever.
      if answer.isKnown,
        let again = try? await store.append(to: stream("\(number)"), expecting: .any, answer.events)
      {
        answer.receipts += again.receipt.map { [$0] } ?? []
      }
      answers.append(answer)
    }
    return answers
  }

  private func check(_ answer: Answer, against places: [UUID: StoredEvent]) {
    let found = answer.events.compactMap { places[$0.id] }
    // All or nothing, and something if that was the answer.
    #expect(found.count == answer.events.count || (found.isEmpty && !answer.isKnown), "\(answer)")
    for receipt in answer.receipts {
      #expect(receipt.position.rawValue == found.last?.position, "\(answer)")
      #expect(receipt.streams.first?.version == found.last?.version, "\(answer)")
    }
  }
}

extension EventStore {
  fileprivate func activeWriters() async throws -> [Int32] {
    try await pool.query(
      """
      select pid from pg_stat_activity
      where datname = current_database() and state = 'active' and query like '%append_batch%'
        and pid <> pg_backend_pid()
      """
    ).map { try $0.decode(Int32.self) }
  }

  /// Ends backends and waits until they are gone.
  fileprivate func terminateWriters(_ backends: [Int32]) async throws {
    try await pool.query("select pg_terminate_backend(pid, 30000) from unnest(\(backends)) pid")
  }
}

import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("Events that the database cannot store")
struct PoisonTests {
  private static let poisons: [String: NewEvent] = [
    "not JSON": .poison(),
    "a NUL character in JSON": NewEvent(type: "happened", data: Array(#"{"reason": "\u0000"}"#.utf8)),
    "half a surrogate pair": NewEvent(type: "happened", data: Array(#"{"reason": "\ud800"}"#.utf8)),
    "bytes that are not UTF-8": NewEvent(type: "happened", data: [0x22, 0xFF, 0x22]),
    "no data": NewEvent(type: "happened", data: []),
    "a number beyond every range": NewEvent(type: "happened", data: Array("1e1000000".utf8)),
    "JSON nested deeper than the server's stack": NewEvent(
      type: "happened", data: Array(repeating: UInt8(ascii: "["), count: 100_000)),
  ]

  @Test(
    "each poisonous event is refused with the database's reason, and the next append is not affected",
    arguments: poisons.keys.sorted())
  func refused(kind: String) async throws {
    let event = try #require(Self.poisons[kind])
    try await withStore { store in
      let error = await #expect(throws: AppendError.self) {
        try await store.append(to: stream("a"), expecting: .noStream, [.happened(), event])
      }
      guard case .rejected(let reason) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reason.sqlState != nil)
      #expect(await store.outcome(of: stream("a"), .noStream, [.happened()]) == "committed test-a 1@1")
      try await #expect(store.audit().count == 1)
    }
  }

  @Test(
    "a poisonous append fails alone; the neighbours of its batch commit", arguments: poisons.keys.sorted())
  func alone(kind: String) async throws {
    let event = try #require(Self.poisons[kind])
    try await withStore { store in
      try await store.recordBatchSizes()
      let outcomes = try await outcomesOfOneBatch(in: store) { number in
        number == 7 ? [.happened(), event] : [.happened()]
      }
      // A half that has no poison in it; some poisons are found before the function is called.
      try await #expect(store.largestBatch() >= 40, "they shared a batch")
      for (number, outcome) in outcomes.enumerated() {
        if number == 7 {
          #expect(outcome == "rejected")
        } else {
          #expect(outcome.hasPrefix("committed test-\(number) 1@"))
        }
      }
      try await #expect(store.audit().count == 99)
    }
  }

  @Test("an event id that is already stored fails alone; the neighbours of its batch commit")
  func reusedID() async throws {
    try await withStore { store in
      let used = NewEvent.happened()
      try await store.append(to: stream("before"), expecting: .noStream, [used])
      try await store.recordBatchSizes()
      let outcomes = try await outcomesOfOneBatch(in: store) { number in
        number % 20 == 7 ? [.happened(), used] : [.happened()]
      }
      try await #expect(store.largestBatch() >= 40, "they shared a batch")
      #expect(outcomes.filter { $0 == "event id reused" }.count == 5)
      #expect(outcomes.filter { $0.hasPrefix("committed") }.count == 95)
      try await #expect(store.audit().count == 96)
    }
  }

  @Test("an event id that two appends of one batch use for the first time is stored once, with the first")
  func sharedID() async throws {
    try await withStore { store in
      try await store.recordBatchSizes()
      let shared = UUID()
      let outcomes = try await outcomesOfOneBatch(in: store) { number in
        number % 20 == 7 ? [.happened(), .happened(id: shared)] : [.happened()]
      }
      try await #expect(store.largestBatch() >= 40, "they shared a batch")
      #expect(outcomes.filter { $0 == "event id reused" }.count == 4)
      #expect(outcomes.filter { $0.hasPrefix("committed") }.count == 96)
      try await #expect(store.audit().filter { $0.id == shared }.count == 1)
    }
  }

  /// What becomes of 100 appends, each to a stream of its own, that arrive while an earlier batch is under way.
  private func outcomesOfOneBatch(
    in store: EventStore, events: (Int) -> [NewEvent]
  ) async throws -> [String] {
    let appends = (0..<100).map { StreamAppend(stream("\($0)"), expecting: .noStream, events($0)) }
    // The appends wait outside of the store until all can go.
    return try await withThrowingTaskGroup(of: (Int, String).self) { group in
      let arrived = Shared(0)
      try await store.holdingTheLog {
        // One batch is under way. It holds no event that stays.
        group.addTask { (-1, await store.outcome(of: stream("first"), .streamExists, [.happened()])) }
        try await store.waiters(1)
        for (number, append) in appends.enumerated() {
          group.addTask {
            arrived.update { $0 += 1 }
            return (number, await store.outcome(of: [append]))
          }
        }
        _ = try await eventually("all appends wait", within: patience) {
          arrived.value
        } until: {
          $0 == appends.count
        }
      }
      return try await group.reduce(into: Array(repeating: "", count: appends.count)) { outcomes, answer in
        if answer.0 >= 0 { outcomes[answer.0] = answer.1 }
      }
    }
  }
}

extension EventStore {
  /// From now on the database remembers the size of the largest batch it was asked to store, also of one it refused:
  /// a sequence does not roll back.
  fileprivate func recordBatchSizes() async throws {
    try await pool.execute("create sequence largest_batch minvalue 0 start 0")
    let signature: String = try await one(
      "select oid::regprocedure::text from pg_proc where proname = 'append_batch' order by pronargs desc limit 1"
    )
    try await pool.withConnection {
      try await $0.executeScript("alter function \(signature) rename to append_batch_itself")
    }
    let parameters: String = try await one(
      "select pg_get_function_arguments(oid) from pg_proc where proname = 'append_batch_itself'")
    let arguments: String = try await one(
      "select string_agg('$' || i, ', ') from generate_series(1, 23) i")
    try await pool.withConnection { connection in
      try await connection.executeScript(
        """
        create function aisle.append_batch(\(parameters)) language plpgsql as $$
        begin
          perform setval('largest_batch', greatest(last_value, cardinality(op_append))) from largest_batch;
          select i.outcomes, i.versions, i.positions into outcomes, versions, positions
          from aisle.append_batch_itself(\(arguments)) i;
        end $$
        """)
    }
  }

  fileprivate func largestBatch() async throws -> Int {
    try await count("select last_value from largest_batch")
  }
}

import Foundation
import TestSupport
import Testing
import Vocabulary

@testable import EventStore

@Suite("Bounds of an append")
struct AppendBoundsTests {
  private static let twice = NewEvent.happened()

  private static func typed(_ type: String) -> [NewEvent] { [NewEvent(type: type, data: Array("{}".utf8))] }
  private static func to(
    _ category: String, _ id: String, _ event: NewEvent = .happened()
  ) -> [StreamAppend] {
    [StreamAppend(StreamName(category: category, id: id), expecting: .any, [event])]
  }
  private static func tagged(_ tags: [String]) -> NewEvent {
    NewEvent(type: "happened", data: Array("{}".utf8), tags: tags)
  }
  private static func by(_ metadata: EventMetadata) -> NewEvent {
    NewEvent(type: "happened", data: Array("{}".utf8), metadata: metadata)
  }

  private static let invalid: [(append: [StreamAppend], reason: String)] = [
    ([], "it names no stream"),
    ([StreamAppend(stream("a"), expecting: .any)], "it has no events"),
    ([StreamAppend(stream("a"), expecting: .any, .happened(10_001))], "10001 events are more than 10000"),
    (
      [StreamAppend(stream("a"), expecting: .any, .happened(1)), StreamAppend(stream("a"), expecting: .any)],
      "stream test-a appears twice"
    ),
    (to("", "a"), "\"-a\" is not a stream name"), (to("test", ""), "\"test-\" is not a stream name"),
    (to("te-st", "a"), "\"te-st-a\" is not a stream name"),
    (to("te-\u{301}st", "a"), "is not a stream name"),
    (to("test", String(repeating: "x", count: 496)), "longer than 500 bytes"),
    (to("test", "a\0"), "NUL"),
    ([StreamAppend(stream("a"), expecting: .version(-1), .happened(1))], "version -1 is expected of test-a"),
    ([StreamAppend(stream("a"), expecting: .any, typed(""))], "1 to 200 bytes"),
    (
      [StreamAppend(stream("a"), expecting: .any, typed(String(repeating: "é", count: 101)))],
      "1 to 200 bytes"
    ),
    ([StreamAppend(stream("a"), expecting: .any, typed("a\0b"))], "no NUL"),
    (to("test", "a", tagged([""])), "a tag has 1 to 200 bytes"),
    (to("test", "a", tagged(["a\0b"])), "a tag has 1 to 200 bytes and no NUL"),
    (to("test", "a", tagged((0...20).map { "\($0)" })), "21 tags, more than 20"),
    (to("test", "a", tagged(["a", "b", "a"])), "a tag of event happened appears twice"),
    (to("test", "a", by(EventMetadata(actor: "a\0b"))), "the actor of event happened"),
    (
      to("test", "a", by(EventMetadata(traceparent: String(repeating: "0", count: 1001)))),
      "the traceparent of event happened has more than 1,000 bytes"
    ),
    (
      [
        StreamAppend(stream("a"), expecting: .any, [twice]),
        StreamAppend(stream("b"), expecting: .any, [twice]),
      ], "appears twice"
    ),
  ]

  @Test(
    "an append that makes no sense is refused with the reason, before anything is sent",
    arguments: invalid.indices)
  func refused(index: Int) async throws {
    let (append, reason) = Self.invalid[index]
    try await withStore { store in
      let error = await #expect(throws: AppendError.self) { try await store.append(append) }
      #expect(error?.summary == "invalid")
      #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
      let inTransaction = await #expect(throws: AppendError.self) {
        try await store.pool.transaction { try await store.append([append], inTransactionOf: $0) }
      }
      #expect(inTransaction?.summary == "invalid")
      try await #expect(store.audit().isEmpty)
    }
  }

  @Test("events that are too large, alone or together, are refused")
  func bytes() async throws {
    try await withStore { store in
      func event(_ bytes: Int) -> NewEvent {
        NewEvent(type: "happened", data: Array(repeating: UInt8(ascii: " "), count: bytes))
      }
      let alone = await #expect(throws: AppendError.self) {
        try await store.append(to: stream("a"), expecting: .any, [event(16 << 20 + 1)])
      }
      #expect(alone?.description.contains("16777217 bytes, more than 16777216") == true)
      let together = await #expect(throws: AppendError.self) {
        try await store.append(to: stream("a"), expecting: .any, (0..<4).map { _ in event(16 << 20) })
      }
      #expect(together?.description.contains("more than 67108864, the most of one append") == true)
      try await #expect(store.audit().isEmpty)
    }
  }

  @Test("what is just within the bounds is stored")
  func within() async throws {
    try await withStore { store in
      let name = StreamName(category: "test", id: String(repeating: "x", count: 495))
      #expect(await store.outcome(of: name, .noStream, .happened(10_000)) == "committed \(name) 10000@10000")
      let type = String(repeating: "é", count: 100)
      #expect(await store.outcome(of: stream("a"), .any, Self.typed(type)) == "committed test-a 1@10001")
      let large = "\"" + String(repeating: "x", count: 16 << 20 - 2) + "\""
      let event = NewEvent(type: "large", data: Array(large.utf8))
      #expect(await store.outcome(of: stream("b"), .any, [event]) == "committed test-b 1@10002")
      try await #expect(store.read(stream("b")).first?.data.count == large.utf8.count)
    }
  }

  @Test(
    "when the queue is full, appends are refused as overloaded at once, and those that wait are stored",
    .timeLimit(.minutes(1)))
  func overloaded() async throws {
    try await withStore { store in
      let sequencer = AppendSequencer(
        pool: store.pool, tenant: store.tenant, limits: .init(batchAppends: 2, waitingAppends: 4, lanes: 1),
        retryFor: .seconds(10), logger: .silent)
      try await withThrowingTaskGroup(of: Void.self) { group in
        let refused = Shared(0)
        try await store.holdingTheLog {
          // Given one batch of one append under way
          group.addTask { _ = try await sequencer.append(.happening("first")) }
          try await store.waiters(1)
          // When ten more come
          for number in 0..<10 {
            group.addTask {
              do throws(AppendError) {
                _ = try await sequencer.append(.happening("\(number)"))
              } catch {
                #expect(error.description.contains("4 appends are already waiting"))
                refused.update { $0 += 1 }
              }
            }
          }
          // Then four may wait and six are told now, while nothing moves
          _ = try await eventually("six are refused", within: patience) {
            refused.value
          } until: {
            $0 == 6
          }
        }
        try await group.waitForAll()
        #expect(refused.value == 6)
        try await #expect(store.audit().count == 5)
        // And when it is over, there is room again
        _ = try await sequencer.append(.happening("later"))
      }
    }
  }

  @Test("a tenant that has no log is told so, and what to do")
  func noLog() async throws {
    try await withStore { store in
      let other = EventStore(pool: store.pool, tenant: TenantID(7), logger: .silent)
      let error = await #expect(throws: AppendError.self) {
        try await other.append(to: stream("a"), expecting: .any, [.happened()])
      }
      #expect(error?.summary == "unavailable")
      #expect(error?.description.contains("tenant 7 has no log") == true)
      #expect(error?.description.contains("insert a row for it into aisle.log_head") == true)
    }
  }
}

extension AtomicAppend {
  fileprivate static func happening(_ id: String) -> AtomicAppend {
    AtomicAppend(parts: [StreamAppend(stream(id), expecting: .noStream, [.happened()])])
  }
}

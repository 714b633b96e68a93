import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("Projections in the transaction of the append", .timeLimit(.minutes(2)))
struct InlineProjectionTests {
  private struct Unhappy: Error, CustomStringConvertible { let description = "no such thing here" }

  private static let effects = Subscription("effects", batchSize: 10) { events, connection in
    if events.contains(where: { $0.type == "unwanted" }) { throw Unhappy() }
    try await connection.takeEffect(events)
  }

  private func with(
    _ stores: [EventStore], _ body: (_ inline: EventStore, _ plain: EventStore) async throws -> Void
  ) async throws {
    try await stores[0].makeEffects()
    try await body(EventStore(pool: stores[0].pool, inline: [Self.effects], logger: .silent), stores[1])
  }

  @Test("whoever has the answer to an append finds it in the tables, however many append at once")
  func readYourWrites() async throws {
    try await withStores(2) { stores in
      try await with(stores) { inline, _ in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<8 {
            group.addTask {
              for _ in 0..<10 {
                let receipt = try #require(
                  try await inline.append(to: stream("s\(number)"), expecting: .any, .happened(2)).receipt)
                let seen = try await inline.count(
                  "select count(*) from effects where position = \(receipt.position.rawValue)")
                #expect(seen == 1)
              }
            }
          }
          try await group.waitForAll()
        }
        try await #expect(inline.effects() == Array(1...160))
        try await #expect(inline.status(of: "effects")?.events == 160)
      }
    }
  }

  @Test(
    "a projection that cannot handle an event refuses that append alone, with its own error, and nothing is stored"
  )
  func refusal() async throws {
    try await withStores(2) { stores in
      try await with(stores) { inline, _ in
        try await inline.append(to: stream("first"), expecting: .any, .happened(1))
        // Together in batches, because the log is held meanwhile
        let outcomes = try await withThrowingTaskGroup(of: (Int, String).self) { group in
          try await inline.holdingTheLog {
            for number in 0..<20 {
              group.addTask {
                let event =
                  number % 5 == 2 ? NewEvent(type: "unwanted", data: Array("1".utf8)) : NewEvent.happened()
                return (number, await inline.outcome(of: stream("s\(number)"), .noStream, [event]))
              }
            }
            _ = try await eventually("an append waits for the log", within: patience) {
              try await inline.backendsWaitingForTheLog().count
            } until: {
              $0 > 0
            }
          }
          return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        for (number, outcome) in outcomes {
          #expect(
            number % 5 == 2 ? outcome == "refused" : outcome.hasPrefix("committed"), "\(number): \(outcome)")
        }
        try await #expect(inline.audit().count == 17)
        try await #expect(inline.effects() == Array(1...17))
        let error = await #expect(throws: AppendError.self) {
          try await inline.append(
            to: stream("z"), expecting: .any, [NewEvent(type: "unwanted", data: Array("1".utf8))])
        }
        #expect(error?.description == "projection effects refused the events: no such thing here")
      }
    }
  }

  @Test(
    "what a process without the projection has appended is made up for first, in order, however much it is")
  func mixed() async throws {
    try await withStores(2) { stores in
      try await with(stores) { inline, plain in
        try await plain.append(to: stream("p"), expecting: .any, .happened(30))
        try await inline.append(to: stream("i"), expecting: .any, .happened(1))
        try await #expect(inline.effects() == Array(1...31))
        // More than an append makes up for in its own transaction
        for _ in 0..<6 { try await plain.append(to: stream("p"), expecting: .any, .happened(1000)) }
        try await inline.append(to: stream("i"), expecting: .version(1), .happened(1))
        try await #expect(inline.effects() == Array(1...6032))
        // Both at the same time
        try await withThrowingTaskGroup(of: Void.self) { group in
          for store in [inline, plain] {
            group.addTask {
              for _ in 0..<40 { try await store.append(to: stream("x"), expecting: .any, .happened(3)) }
            }
          }
          try await group.waitForAll()
        }
        try await inline.append(to: stream("i"), expecting: .version(2), .happened(1))
        try await #expect(inline.effects() == Array(1...Int64(6032 + 241)))
      }
    }
  }

  @Test("beside a worker that runs the same projection each event takes effect once")
  func besideWorker() async throws {
    try await withStores(2) { stores in
      try await with(stores) { inline, plain in
        let worker = TestWorker([Self.effects], of: plain)
        for number in 0..<60 {
          try await (number % 2 == 0 ? inline : plain).append(to: stream("x"), expecting: .any, .happened(2))
        }
        try await inline.effects(120)
        await worker.end()
        try await #expect(inline.effects() == Array(1...120))
      }
    }
  }

  @Test("a conflict and a repetition are answered as ever, and have no effect")
  func outcomes() async throws {
    try await withStores(2) { stores in
      try await with(stores) { inline, _ in
        let id = UUID()
        await #expect(
          inline.outcome(of: stream("a"), .noStream, [.happened(id: id)]) == "committed test-a 1@1")
        await #expect(inline.outcome(of: stream("a"), .noStream, [.happened()]) == "conflict test-a is 1")
        await #expect(
          inline.outcome(of: stream("a"), .noStream, [.happened(id: id)]) == "duplicate test-a 1@1")
        await #expect(inline.outcome(of: stream("b"), .any, [.poison()]) == "rejected")
        try await #expect(inline.effects() == [1])
      }
    }
  }
}

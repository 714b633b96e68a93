import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite("Export")
struct ExportTests {
  @Test("an export is the log: every event, every field, in order")
  func everything() async throws {
    try await withStore { store in
      for number in 1...10 {
        let event = NewEvent(
          type: "happened", schemaVersion: 3, data: Array(#"{"text": "☂", "number": \#(number)}"#.utf8),
          metadata: number % 2 == 0
            ? EventMetadata()
            : EventMetadata(
              actor: "ann", correlationID: UUID(), causationID: UUID(), traceparent: "00-1-2-01"))
        try await store.append(to: stream("\(number % 3)"), expecting: .any, [event] + .happened(50))
      }
      let exported = try await store.exported(after: .start, through: Position(.max))
      let read = try await store.readAll(after: .start, limit: 10_000)
      #expect(exported.map(\.fields) == read.map(\.fields))
      #expect(exported.count == 510)
    }
  }

  @Test("an export is bounded on both sides: after one position, through another")
  func bounded() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(20))
      func positions(after: Int64, through: Int64) async throws -> [Int64] {
        try await store.exported(after: Position(after), through: Position(through)).map(\.position.rawValue)
      }
      try await #expect(positions(after: 5, through: 8) == [6, 7, 8])
      try await #expect(positions(after: 0, through: 1) == [1])
      try await #expect(positions(after: 18, through: 99) == [19, 20])
      try await #expect(positions(after: 8, through: 8).isEmpty)
      try await #expect(positions(after: 20, through: 99).isEmpty)
    }
  }

  @Test(
    "an export is handed over in batches, none of them empty, and events appended meanwhile do not disturb it"
  )
  func batches() async throws {
    try await withStore { store in
      let text = String(repeating: "x", count: 4000)
      let events = (0..<1000).map { _ in NewEvent(type: "long", data: Array("\"\(text)\"".utf8)) }
      try await store.append(to: stream("a"), expecting: .any, events)
      let sizes = Shared<[Int]>([])
      let positions = Shared<[Int64]>([])
      try await store.export(after: .start, through: Position(1000)) { events in
        if sizes.value.isEmpty { try await store.append(to: stream("a"), expecting: .any, .happened(10)) }
        sizes.update { $0.append(events.count) }
        positions.update { $0 += events.map(\.position.rawValue) }
      }
      #expect(positions.value == Array(1...1000))
      // 4 MB in chunks of 256 KiB
      #expect(sizes.value.count > 10 && sizes.value.allSatisfy { $0 > 0 })
    }
  }

  @Test("an export whose reader gives up throws that error, and the store goes on")
  func givenUp() async throws {
    struct DiskFull: Error {}
    try await withStore(poolSize: 1) { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(5000))
      await #expect(throws: DiskFull.self) {
        try await store.export(after: .start, through: Position(5000)) { _ in throw DiskFull() }
      }
      #expect(
        await store.outcome(of: stream("a"), .version(5000), .happened(1)) == "committed test-a 5001@5001")
    }
  }
}

extension EventStore {
  func exported(after: Position, through: Position) async throws -> [RecordedEvent] {
    let all = Shared<[RecordedEvent]>([])
    try await export(after: after, through: through) { events in all.update { $0 += events } }
    return all.value
  }
}

extension RecordedEvent {
  /// Every field, comparable.
  fileprivate var fields: [String] {
    [
      "\(position)", "\(stream)", "\(version)", "\(id)", type, "\(schemaVersion)",
      "\(recordedAt.microseconds)",
      "\(metadata)", String(decoding: data, as: UTF8.self),
    ]
  }
}

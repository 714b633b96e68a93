import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@Suite("Reading")
struct ReadingTests {
  /// Three categories in turn, two types in turn: event n has position n.
  private func withLog(of count: Int, _ body: (EventStore) async throws -> Void) async throws {
    try await withStore { store in
      for number in 1...count {
        let category = ["show", "order", "bill"][number % 3]
        try await store.append(
          to: StreamName(category: category, id: "a"), expecting: .any,
          [NewEvent(type: number % 2 == 0 ? "even" : "odd", data: Array("\(number)".utf8))])
      }
      try await body(store)
    }
  }

  @Test("a stream is read forward, from a version, up to a limit")
  func forward() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(10))
      try await store.append(to: stream("b"), expecting: .any, .happened(2))
      func versions(from: Int64? = nil, limit: Int = 1000) async throws -> [Int64] {
        try await store.read(stream("a"), from: from, limit: limit).map(\.version)
      }
      try await #expect(versions() == Array(1...10))
      try await #expect(versions(from: 8) == [8, 9, 10])
      try await #expect(versions(from: 3, limit: 2) == [3, 4])
      try await #expect(versions(from: 11).isEmpty)
      try await #expect(versions(limit: 0).isEmpty)
    }
  }

  @Test("a stream is read backward, from its end or a version, up to a limit")
  func backward() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(10))
      try await store.append(to: stream("b"), expecting: .any, .happened(2))
      func versions(from: Int64? = nil, limit: Int = 1000) async throws -> [Int64] {
        try await store.read(stream("a"), from: from, direction: .backward, limit: limit).map(\.version)
      }
      try await #expect(versions() == (1...10).reversed())
      try await #expect(versions(limit: 3) == [10, 9, 8])
      try await #expect(versions(from: 2) == [2, 1])
      try await #expect(versions(from: 99, limit: 1) == [10])
      try await #expect(versions(from: 0).isEmpty)
    }
  }

  @Test("what does not exist is empty, not an error")
  func nothing() async throws {
    try await withStore { store in
      try await #expect(store.read(stream("a")).isEmpty)
      try await #expect(store.read(stream("a"), direction: .backward).isEmpty)
      try await #expect(store.version(of: stream("a")) == 0)
      try await #expect(store.readAll(after: .start).isEmpty)
      try await #expect(store.readAll(after: .start, categories: ["test"]).isEmpty)
      try await #expect(store.head() == .start)
      try await #expect(store.subscriptions().isEmpty)
    }
  }

  @Test("the log is read after a position, up to a limit, in order")
  func log() async throws {
    try await withLog(of: 12) { store in
      func positions(after position: Int64, limit: Int = 1000) async throws -> [Int64] {
        try await store.readAll(after: Position(position), limit: limit).map(\.position.rawValue)
      }
      try await #expect(positions(after: 0) == Array(1...12))
      try await #expect(positions(after: 9) == [10, 11, 12])
      try await #expect(positions(after: 3, limit: 2) == [4, 5])
      try await #expect(positions(after: 12).isEmpty)
      try await #expect(store.head() == Position(12))
    }
  }

  @Test("categories and types select events, alone and together, in the order of the log")
  func selection() async throws {
    try await withLog(of: 12) { store in
      func positions(
        after position: Int64 = 0, _ categories: [String], _ types: [String] = [], limit: Int = 1000
      ) async throws -> [Int64] {
        try await store.readAll(after: Position(position), categories: categories, types: types, limit: limit)
          .map(\.position.rawValue)
      }
      try await #expect(positions(["order"]) == [1, 4, 7, 10])
      try await #expect(positions(after: 4, ["order"]) == [7, 10])
      try await #expect(positions(["order", "show"]) == [1, 3, 4, 6, 7, 9, 10, 12])
      try await #expect(positions(after: 3, ["show", "order"], limit: 3) == [4, 6, 7])
      try await #expect(positions(["order", "order"]) == [1, 4, 7, 10])
      try await #expect(positions([], ["even"]) == [2, 4, 6, 8, 10, 12])
      try await #expect(positions([], ["even", "odd"], limit: 3) == [1, 2, 3])
      try await #expect(positions(["order"], ["even"]) == [4, 10])
      try await #expect(positions(["order", "none"], ["odd", "none"]) == [1, 7])
      try await #expect(positions(["none"]).isEmpty)
      try await #expect(positions([], ["none"]).isEmpty)
    }
  }

  @Test("a transaction reads what it has appended itself")
  func ownWrites() async throws {
    try await withStore { store in
      try await store.pool.transaction { connection in
        try await store.append(
          [[StreamAppend(stream("a"), expecting: .any, .happened(2))]], inTransactionOf: connection)
        try await #expect(store.readAll(after: .start, on: connection).count == 2)
        try await #expect(store.head(on: connection) == Position(2))
      }
    }
  }

  @Test("every field of an event comes back as it was written, the log's own ones as they stand in the table")
  func roundTrip() async throws {
    try await withStore { store in
      let event = NewEvent(
        id: UUID(), type: "größer ☂", schemaVersion: .max,
        data: Array(#"{"text":"„\"\n☂\ud83d\ude00","big":12345678901234567890.10,"list":[null,true]}"#.utf8),
        metadata: EventMetadata(
          actor: "ann ☂", correlationID: UUID(), causationID: UUID(),
          traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
      let bare = NewEvent(type: "bare", schemaVersion: 0, data: Array("null".utf8))
      try await store.append(to: stream("a"), expecting: .noStream, [event, bare])
      let stored: String = try await store.one("select data::text from aisle.events where position = 1")
      let recordedAt: Timestamp = try await store.one(
        "select recorded_at from aisle.events where position = 1")
      for read in [
        try await store.read(stream("a")), try await store.readAll(after: .start, categories: ["test"]),
      ] {
        try #require(read.count == 2)
        #expect(read[0].id == event.id)
        #expect(read[0].stream == stream("a"))
        #expect(read[0].version == 1)
        #expect(read[0].position == Position(1))
        #expect(read[0].type == event.type)
        #expect(read[0].schemaVersion == .max)
        #expect(read[0].metadata == event.metadata)
        #expect(String(decoding: read[0].data, as: UTF8.self) == stored)
        #expect(stored.contains("12345678901234567890.10") && stored.contains("☂😀"))
        #expect(read[0].recordedAt == recordedAt)
        #expect(read[1].recordedAt == recordedAt, "one append has one time")
        #expect(read[1].metadata == EventMetadata())
        #expect(read[1].schemaVersion == 0)
        #expect(String(decoding: read[1].data, as: UTF8.self) == "null")
      }
    }
  }

  @Test("the time of an event is the database's, and does not go back when that clock does")
  func clock() async throws {
    try await withStore { store in
      let (before, after): (Timestamp, Timestamp)
      before = try await store.one("select clock_timestamp()")
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      after = try await store.one("select clock_timestamp()")
      let time = try #require(try await store.read(stream("a")).first).recordedAt
      #expect(before <= time && time <= after)
      // Given a last batch that lies an hour ahead, which is what a clock that was set back looks like
      try await store.pool.execute("update aisle.log_head set recorded_at = recorded_at + interval '1 hour'")
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      let next = try #require(try await store.read(stream("a"), from: 2).first).recordedAt
      #expect(next == time + .seconds(3600))
    }
  }
}

import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

/// Longer than anything takes on the busiest machine: who waits for something waits until it is there.
let patience = Duration.seconds(60)

/// Runs `body` with the store of an empty log.
func withStore(poolSize: Int = 4, _ body: (EventStore) async throws -> Void) async throws {
  try await withStores(1, poolSize: poolSize) { try await body($0[0]) }
}

/// The same log used by several processes, as far as they can tell: each store has a pool of its own.
func withStores(_ count: Int, poolSize: Int = 4, _ body: ([EventStore]) async throws -> Void) async throws {
  try await withTestDatabase(from: .migrated) { conninfo in
    try await withStores(count, poolSize: poolSize, on: conninfo, before: [], body)
  }
}

private func withStores(
  _ count: Int, poolSize: Int, on conninfo: String, before: [EventStore],
  _ body: ([EventStore]) async throws -> Void
) async throws {
  guard before.count < count else { return try await body(before) }
  try await withPool(conninfo, size: poolSize) { pool in
    let store = EventStore(pool: pool, logger: .silent)
    try await withStores(count, poolSize: poolSize, on: conninfo, before: before + [store], body)
  }
}

func stream(_ id: String) -> StreamName { StreamName(category: "test", id: id) }

extension NewEvent {
  static func happened(id: UUID = UUID(), _ number: Int = 0) -> NewEvent {
    NewEvent(id: id, type: "happened", data: Array(#"{"number": \#(number)}"#.utf8))
  }

  /// Not JSON: the database refuses it.
  static func poison(id: UUID = UUID()) -> NewEvent {
    NewEvent(id: id, type: "happened", data: Array("{".utf8))
  }
}

extension [NewEvent] {
  static func happened(_ count: Int) -> [NewEvent] { (0..<count).map { .happened($0) } }
}

extension AppendOutcome {
  /// In one line, such as `committed test-a 2@7, test-b 5` (version 2 at position 7; version 5, nothing stored).
  var summary: String {
    func list(_ receipt: AppendReceipt) -> String {
      receipt.streams.map { "\($0.name) \($0.version)" + ($0.position.map { "@\($0)" } ?? "") }
        .joined(separator: ", ")
    }
    return switch self {
    case .committed(let receipt): "committed \(list(receipt))"
    case .duplicate(let receipt): "duplicate \(list(receipt))"
    case .conflict(let conflict) where conflict.excludedEvent != nil:
      "conflict with event \(conflict.excludedEvent.map(\.description) ?? "")"
    case .conflict(let conflict):
      "conflict " + conflict.streams.map { "\($0.name) is \($0.actual)" }.joined(separator: ", ")
    case .unknown: "unknown"
    }
  }

  var isCommitted: Bool { if case .committed = self { true } else { false } }
}

extension AppendError {
  /// The name of the case.
  var summary: String {
    switch self {
    case .invalid: "invalid"
    case .overloaded: "overloaded"
    case .rejected: "rejected"
    case .eventIDReused: "event id reused"
    case .unavailable: "unavailable"
    }
  }
}

extension EventStore {
  /// How an append ended, in one line.
  func outcome(of append: [StreamAppend]) async -> String {
    do throws(AppendError) {
      return try await self.append(append).summary
    } catch {
      return error.summary
    }
  }

  func outcome(of stream: StreamName, _ expecting: ExpectedVersion, _ events: [NewEvent]) async -> String {
    await outcome(of: [StreamAppend(stream, expecting: expecting, events)])
  }

  /// Keeps every writer waiting while `body` runs.
  func holdingTheLog<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    try await pool.transaction { connection in
      try await connection.query("select from aisle.log_head where tenant = \(tenant.rawValue) for update")
      return try await body()
    }
  }

  /// The server's processes that wait for the log's lock.
  func backendsWaitingForTheLog() async throws -> [Int32] {
    let rows = try await pool.query(
      """
      select pid from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%append_batch%'
      """)
    return try rows.map { try $0.decode(Int32.self) }
  }

  /// Waits until so many appends wait for the log's lock.
  @discardableResult
  func waiters(_ count: Int) async throws -> [Int32] {
    try await eventually("\(count) appends wait for the log", within: patience) {
      try await backendsWaitingForTheLog()
    } until: {
      $0.count == count
    }
  }

  func one<Value: PostgresValue>(_ statement: SQL, as _: Value.Type = Value.self) async throws -> Value {
    try #require(try await pool.query(statement).first).decode(Value.self)
  }

  func count(_ statement: SQL) async throws -> Int { try await one(statement) }
}

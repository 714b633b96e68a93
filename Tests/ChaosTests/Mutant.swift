import Chaos
import EventStore
import Foundation
import PostgreSQL
import TestSupport

/// A mistake that event stores on PostgreSQL really were shipped with, planted into `aisle.append_batch` of a test
/// database.
enum AppendMutant: String, CaseIterable {
  /// Positions and versions are read without the head's lock.
  case noLock
  /// A conflict with a stored row is taken for success.
  case onConflictDoNothing
  /// Positions come from a sequence, before the commit.
  case naiveTail

  struct TextNotFound: Error, CustomStringConvertible {
    let description: String
  }

  func plant(in pool: PostgresPool) async throws {
    if self == .naiveTail { try await Self.makeSequence(pool) }
    let definitions = try await pool.query(
      """
      select pg_get_functiondef(oid) from pg_proc
      where proname = 'append_batch' and pronamespace = 'aisle'::regnamespace
      """
    ).map { try $0.decode(String.self) }
    for (pattern, replacement) in changes where !definitions.contains(where: { $0.contains(pattern) }) {
      throw TextNotFound(
        description:
          "aisle.append_batch has changed: the text that \(rawValue) replaces by \"\(replacement)\" is gone")
    }
    for definition in definitions {
      let mutated = changes.reduce(definition) { $0.replacing($1.0, with: $1.1) }
      try await pool.withConnection { try await $0.executeScript(mutated) }
    }
  }

  private var changes: [(Regex<Substring>, String)] {
    let lock = /from aisle\.log_head h\s+where h\.tenant = for_tenant\s+for update;/
    let lockless = "from aisle.log_head h where h.tenant = for_tenant;"
    switch self {
    case .noLock: return [(lock, lockless)]
    case .onConflictDoNothing:
      return [
        (/where base_position\[e\.op\] >= 0/, "where base_position[e.op] >= 0 on conflict do nothing")
      ]
    case .naiveTail:
      return [
        (lock, lockless),
        (/select h\.position, h\.last_stream,/, "select public.take(cardinality(event_op)), h.last_stream,"),
        // Nobody waits for anybody any more, and the head stays where it is.
        (
          /update aisle\.log_head h\s+set position = head, last_stream = stream_count, recorded_at = batch_time\s+where h\.tenant = for_tenant;/,
          "select 1 into i;"
        ),
      ]
    }
  }

  /// A run of numbers at once, as `nextval` with an increment would give them.
  private static func makeSequence(_ pool: PostgresPool) async throws {
    try await pool.withConnection { connection in
      try await connection.executeScript(
        """
        create sequence public.positions;
        select setval('public.positions', (select max(position) from aisle.events));
        create function public.take(count bigint) returns bigint language plpgsql volatile as $$
        declare
          first bigint;
        begin
          perform pg_advisory_lock(7);
          select last_value into first from public.positions;
          perform setval('public.positions', first + count);
          perform pg_advisory_unlock(7);
          return first;
        end
        $$;
        """)
    }
  }
}

/// Subscriptions written as they should not be, for the checker to find.
enum CarelessRunner {
  /// Goes on behind the last event that it sees, whether or not one before it is still to be committed.
  static let tail: InProcessRun.Follower = { store, recorder in
    var last = Position.start
    while true {
      let events = try await store.readAll(after: last, limit: 100)
      if let position = events.last?.position {
        try recorder.record(.delivered(Delivery("tail", events.map(LoggedEvent.init))))
        last = position
      } else {
        try await Task.sleep(for: .milliseconds(1))
      }
    }
  }

  /// Writes in one transaction and moves the checkpoint in the next; what dies in between does it again.
  static let checkpointOutside: InProcessRun.Follower = { store, _ in
    try await makeCheckpoint(store)
    var batches = 0
    while true {
      let checkpoint = try await read(store)
      let events = try await store.readAll(after: checkpoint, limit: 10)
      guard let last = events.last else {
        try await Task.sleep(for: .milliseconds(1))
        continue
      }
      try await store.pool.transaction {
        try await ChaosTables.add(events, tenant: store.tenant.rawValue, on: $0)
      }
      batches += 1
      // As if the process had been killed here and started again.
      if batches.isMultiple(of: 5) { continue }
      _ = try await store.pool.transaction { try await move(store, to: last.position, on: $0) }
    }
  }

  /// Table and checkpoint in one transaction, but nobody looks whether another has gone on meanwhile.
  static let unfenced: InProcessRun.Follower = { store, _ in
    try await makeCheckpoint(store)
    while true {
      let checkpoint = try await read(store)
      let events = try await store.readAll(after: checkpoint, limit: 10)
      guard let last = events.last else {
        try await Task.sleep(for: .milliseconds(1))
        continue
      }
      do {
        try await store.pool.transaction { connection in
          try await ChaosTables.add(events, tenant: store.tenant.rawValue, on: connection)
          try await move(store, to: last.position, on: connection)
        }
      } catch let error as PostgresError where error.sqlState == .deadlockDetected {
        continue
      }
    }
  }

  private static func makeCheckpoint(_ store: EventStore) async throws {
    try await store.pool.execute(
      """
      insert into aisle.checkpoints (tenant, subscription) values (\(store.tenant.rawValue), \(ChaosTables.projection))
      on conflict (tenant, subscription) do nothing
      """)
  }

  private static func read(_ store: EventStore) async throws -> Position {
    let position: Int64? = try await store.pool.query(
      """
      select position from aisle.checkpoints
      where tenant = \(store.tenant.rawValue) and subscription = \(ChaosTables.projection)
      """
    ).first?.decode(Int64.self)
    return Position(position ?? 0)
  }

  private static func move(
    _ store: EventStore, to position: Position, on connection: PostgresConnection
  ) async throws {
    try await connection.execute(
      """
      update aisle.checkpoints set position = \(position.rawValue)
      where tenant = \(store.tenant.rawValue) and subscription = \(ChaosTables.projection)
      """)
  }
}

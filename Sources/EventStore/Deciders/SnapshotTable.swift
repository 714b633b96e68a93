import Foundation
import PostgreSQL
import Vocabulary

/// A state as it was after one event of its stream.
struct Snapshot<State: Sendable>: Sendable {
  let state: State
  let version: Int64
  let position: Position
  let lastEvent: UUID
}

/// The statements on `aisle.snapshots`: one row a stream, the latest.
struct SnapshotTable: Sendable {
  /// A larger state is not kept.
  static let maximumBytes = 64 << 20

  let store: EventStore

  private var tenant: Int32 { store.tenant.rawValue }

  func load<State>(_ stream: StreamName, _ codec: SnapshotPolicy<State>.Codec) async throws -> Snapshot<
    State
  >? {
    // The join proves that the log still has the event that the state ends with; it may be in an archive.
    let rows = try await store.pool.query(
      """
      select s.version, s.position, s.event_id, s.state
      from aisle.snapshots s
      join aisle.event_ids d on d.tenant = s.tenant and d.id = s.event_id and d.position = s.position
      where s.tenant = \(tenant) and s.stream = \(stream.description) and s.schema_version = \(codec.schema)
      """)
    guard let row = rows.first else { return nil }
    let (version, position, event, bytes) = try row.decode(Int64.self, Int64.self, UUID.self, [UInt8].self)
    return Snapshot(
      state: try codec.decode(bytes), version: version, position: Position(position), lastEvent: event)
  }

  /// Keeps a state, unless a later one is kept already, the log's history is another one, or somebody was forgotten
  /// since the state was read.
  ///
  /// - Parameter generation: of the people who were forgotten when the state was begun.
  /// - Returns: whether it was kept.
  func save<State>(
    _ snapshot: Snapshot<State>, of stream: StreamName, generation: Int64,
    _ codec: SnapshotPolicy<State>.Codec
  ) async throws -> Bool {
    let bytes = try codec.encode(snapshot.state)
    guard bytes.count <= Self.maximumBytes else { throw SnapshotTooLarge(stream: stream, bytes: bytes.count) }
    return try await store.pool.transaction { connection in
      // The state may hold names: until this ends nobody is forgotten, and what was forgotten before is seen.
      guard try await store.vault.keys.keepForgettingOut(on: connection) == generation else { return false }
      let written = try await connection.execute(
        """
        insert into aisle.snapshots as s (tenant, stream, schema_version, version, position, event_id, state)
        select \(tenant), \(stream.description), \(codec.schema), \(snapshot.version), \(snapshot.position.rawValue),
               \(snapshot.lastEvent), \(bytes)
        where exists (
          select
          from aisle.event_ids d
          where d.tenant = \(tenant) and d.id = \(snapshot.lastEvent) and d.position = \(snapshot.position.rawValue))
        on conflict (tenant, stream) do update
        set schema_version = excluded.schema_version, version = excluded.version, position = excluded.position,
            event_id = excluded.event_id, state = excluded.state, taken_at = excluded.taken_at
        where s.version < excluded.version or s.schema_version < excluded.schema_version
        """)
      return written > 0
    }
  }
}

/// A state takes more room than a snapshot may.
public struct SnapshotTooLarge: Error, CustomStringConvertible {
  public let stream: StreamName
  public let bytes: Int

  public var description: String {
    "the state of \(stream) takes \(bytes) bytes, a snapshot at most \(SnapshotTable.maximumBytes); the stream is folded "
      + "from its beginning instead. Let new streams begin before they are so long"
  }
}

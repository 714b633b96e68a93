import PostgreSQL
import Vocabulary

/// A snapshot as an operator sees it.
public struct SnapshotEntry: Sendable {
  public let stream: StreamName
  /// Of the encoded state.
  public let schema: Int16
  public let version: Int64
  /// What the stream has grown to meanwhile.
  public let streamVersion: Int64
  /// As stored, compressed.
  public let bytes: Int64
  public let takenAt: Timestamp
}

extension EventStore {
  /// The snapshots of one stream or of all, the latest first, at most 1,000.
  public func snapshots(of stream: StreamName? = nil) async throws -> [SnapshotEntry] {
    let names = [stream].compactMap { $0?.description }
    let rows = try await pool.query(
      """
      select s.stream, s.schema_version, s.version, coalesce(t.version, 0), pg_column_size(s.state)::bigint, s.taken_at
      from aisle.snapshots s
      left join aisle.streams t on t.tenant = s.tenant and t.name = s.stream
      where s.tenant = \(tenant.rawValue) and (cardinality(\(names)) = 0 or s.stream = any(\(names)))
      order by s.taken_at desc, s.stream
      limit 1000
      """)
    return try rows.compactMap { row in
      let (name, schema, version, streamVersion, bytes, takenAt) = try row.decode(
        String.self, Int16.self, Int64.self, Int64.self, Int64.self, Timestamp.self)
      guard let stream = StreamName(name) else { return nil }
      return SnapshotEntry(
        stream: stream, schema: schema, version: version, streamVersion: streamVersion, bytes: bytes,
        takenAt: takenAt)
    }
  }

  /// Deletes the snapshots of one stream or of all. They are made again.
  public func dropSnapshots(of stream: StreamName? = nil) async throws {
    let names = [stream].compactMap { $0?.description }
    try await pool.execute(
      """
      delete from aisle.snapshots
      where tenant = \(tenant.rawValue) and (cardinality(\(names)) = 0 or stream = any(\(names)))
      """)
  }
}

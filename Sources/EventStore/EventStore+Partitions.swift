import PostgreSQL

/// A partition of the log: a table with a range of positions.
public struct LogPartition: Sendable, Hashable {
  /// Its table.
  public let name: String
  public let first: Position
  public let last: Position
  /// With its indexes.
  public let bytes: Int64
}

extension EventStore {
  /// Makes room for the events to come: see that it is called now and then, or an append that finds the last
  /// partition full makes the next one itself, and takes longer. Returns how many partitions were added.
  @discardableResult
  public func addPartitions() async throws -> Int {
    let rows = try await pool.query("select aisle.add_event_partitions()")
    return try rows.first?.decode(Int.self) ?? 0
  }

  /// The log's partitions in order. Those that have been detached are no longer among them.
  public func partitions() async throws -> [LogPartition] {
    let rows = try await pool.query(
      """
      select p.name, p.bounds[1]::bigint, p.bounds[2]::bigint - 1, pg_total_relation_size(p.oid)
      from (
        select c.oid, c.oid::regclass::text as name,
               regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''(\\d+)''\\) TO \\(''(\\d+)''\\)') as bounds
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'aisle.events'::regclass
      ) p
      order by 2
      """)
    return try rows.map { row in
      let (name, first, last, bytes) = try row.decode(String.self, Int64.self, Int64.self, Int64.self)
      return LogPartition(name: name, first: Position(first), last: Position(last), bytes: bytes)
    }
  }

  /// Position of the last event that is in an archive and no longer in the log; `.start` if none is.
  public func archivedThrough() async throws -> Position { try await bounds().archived }
}

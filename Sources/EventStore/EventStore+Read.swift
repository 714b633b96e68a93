import Foundation
import PostgreSQL
import Vocabulary

extension EventStore {
  public enum Direction: Sendable { case forward, backward }

  /// Reads up to `limit` events of one stream, beginning with `version` (backward without a version: the last).
  public func read(
    _ stream: StreamName, from version: Int64? = nil, direction: Direction = .forward, limit: Int = 1000
  ) async throws -> [RecordedEvent] {
    let rows: Rows
    switch direction {
    case .forward:
      rows = try await pool.query(
        """
        select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
               e.type, e.actor, e.traceparent, e.data, s.name
        from aisle.streams s
        join aisle.events e on e.tenant = s.tenant and e.stream_id = s.id
        where s.tenant = \(tenant.rawValue) and s.name = \(stream.description) and e.version >= \(version ?? 1)
        order by e.version
        limit \(limit)
        """)
    case .backward:
      rows = try await pool.query(
        """
        select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
               e.type, e.actor, e.traceparent, e.data, s.name
        from aisle.streams s
        join aisle.events e on e.tenant = s.tenant and e.stream_id = s.id
        where s.tenant = \(tenant.rawValue) and s.name = \(stream.description) and e.version <= \(version ?? .max)
        order by e.version desc
        limit \(limit)
        """)
    }
    return try await present(rows.map(RecordedEvent.init))
  }

  /// The version of a stream's last event; 0 if there is none.
  public func version(of stream: StreamName) async throws -> Int64 {
    let rows = try await pool.query(
      "select version from aisle.streams where tenant = \(tenant.rawValue) and name = \(stream.description)")
    return try rows.first?.decode(Int64.self) ?? 0
  }

  /// Reads up to `limit` events of the whole log in order, after a position; of some categories or types only,
  /// if any are named. Types are those that events are read under, whatever they were stored as.
  public func readAll(
    after position: Position, categories: [String] = [], types: [String] = [], limit: Int = 1000
  ) async throws -> [RecordedEvent] {
    try await pool.withConnection {
      try await self.readAll(after: position, categories: categories, types: types, limit: limit, on: $0)
    }
  }

  /// The same on a connection of the caller, so that reading and writing share a transaction. In a transaction,
  /// nobody whose data was read is forgotten before its end.
  public func readAll(
    after position: Position, categories: [String] = [], types: [String] = [], limit: Int = 1000,
    on connection: PostgresConnection
  ) async throws -> [RecordedEvent] {
    let filter = upcasters.filter(types)
    let rows: Rows
    if categories.isEmpty {
      rows = try await connection.query(
        """
        select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
               e.type, e.actor, e.traceparent, e.data, s.name
        from aisle.events e
        join aisle.streams s on s.tenant = e.tenant and s.id = e.stream_id
        where e.tenant = \(tenant.rawValue) and e.position > \(position.rawValue)
          and (cardinality(\(filter.stored)) = 0 or e.type = any(\(filter.stored)))
          and (not \(filter.needsVersions) or (e.type || '@' || e.schema_version) = any(\(filter.included))
               or (e.type = any(\(filter.types)) and (e.type || '@' || e.schema_version) <> all(\(filter.excluded))))
        order by e.position
        limit \(limit)
        """)
    } else {
      rows = try await connection.query(
        """
        select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
               e.type, e.actor, e.traceparent, e.data, s.name
        from (select distinct n from unnest(\(categories)) n) c (name)
        cross join lateral (
          select *
          from aisle.events i
          where i.tenant = \(tenant.rawValue) and i.category = c.name and i.position > \(position.rawValue)
            and (cardinality(\(filter.stored)) = 0 or i.type = any(\(filter.stored)))
            and (not \(filter.needsVersions) or (i.type || '@' || i.schema_version) = any(\(filter.included))
                 or (i.type = any(\(filter.types)) and (i.type || '@' || i.schema_version) <> all(\(filter.excluded))))
          order by i.position
          limit \(limit)
        ) e
        join aisle.streams s on s.tenant = e.tenant and s.id = e.stream_id
        order by e.position
        limit \(limit)
        """)
    }
    return try await present(rows.map(RecordedEvent.init), on: connection)
  }

  /// The events at some positions, in the order of the log.
  public func read(at positions: [Position]) async throws -> [RecordedEvent] {
    let rows = try await pool.query(
      """
      select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
             e.type, e.actor, e.traceparent, e.data, s.name
      from aisle.events e
      join aisle.streams s on s.tenant = e.tenant and s.id = e.stream_id
      where e.tenant = \(tenant.rawValue) and e.position = any(\(positions.map(\.rawValue)))
      order by e.position
      """)
    return try await present(rows.map(RecordedEvent.init))
  }

  /// Position of the last event.
  public func head() async throws -> Position {
    try await pool.withConnection { try await self.head(on: $0) }
  }

  public func head(on connection: PostgresConnection) async throws -> Position {
    let rows = try await connection.query(
      "select position from aisle.log_head where tenant = \(tenant.rawValue)")
    return Position(try rows.first?.decode(Int64.self) ?? 0)
  }

  /// Identity of this log, made when it was created; an export or checkpoint of another log does not fit it.
  public func logID() async throws -> UUID {
    let rows = try await pool.query("select log_id from aisle.log_head where tenant = \(tenant.rawValue)")
    guard let row = rows.first else {
      throw PostgresError(.server, "tenant \(tenant.rawValue) has no log", hint: "Run aisle migrate")
    }
    return try row.decode(UUID.self)
  }
}

extension RecordedEvent {
  /// The columns that every reading statement selects, in this order.
  fileprivate init(row: Row) throws {
    let name = try row.column(11, as: String.self)
    guard let stream = StreamName(name) else {
      throw PostgresError(.decoding, "\"\(name)\" is not a stream name")
    }
    self.init(
      id: try row.column(4), stream: stream, version: try row.column(1),
      position: Position(try row.column(0)), type: try row.column(7), schemaVersion: try row.column(3),
      recordedAt: try row.column(2),
      metadata: EventMetadata(
        actor: try row.column(8), correlationID: try row.column(5), causationID: try row.column(6),
        traceparent: try row.column(9)),
      data: try row.column(10, as: JSONB.self).bytes)
  }
}

import Foundation
import PostgreSQL
import Vocabulary

extension EventStore {
  public enum Direction: Sendable { case forward, backward }

  /// Reads up to `limit` events of one stream, beginning with `version` (backward without a version: the last).
  public func read(
    _ stream: StreamName, from version: Int64? = nil, direction: Direction = .forward, limit: Int = 1000
  ) async throws -> [RecordedEvent] {
    let first = max(version ?? 1, 1)
    var events = try await readTable(stream, from: version, direction, limit)
    if events.isEmpty, limit > 0, try await self.version(of: stream) >= (direction == .forward ? first : 1) {
      // Appended since, or archived.
      events = try await readTable(stream, from: version, direction, limit)
    } else if events.isEmpty {
      return []
    }
    // Versions have no gaps: what is missing has been archived.
    let isComplete =
      switch direction {
      case .forward: events.first?.version == first
      case .backward: events.count == limit || events.last?.version == 1
      }
    guard isComplete || version ?? 1 < 1 && direction == .backward else {
      throw EventsArchived(what: "stream \(stream)", through: try await bounds().archived)
    }
    return events
  }

  private func readTable(
    _ stream: StreamName, from version: Int64?, _ direction: Direction, _ limit: Int
  ) async throws -> [RecordedEvent] {
    // The stream's id is looked up first, on its own. In a join, a partition that is too young for statistics would be
    // searched by version alone.
    let rows: Rows
    switch direction {
    case .forward:
      rows = try await pool.query(
        """
        select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
               e.type, e.actor, e.traceparent, e.data, e.stream, e.tags
        from aisle.events e
        where e.tenant = \(tenant.rawValue) and e.version >= \(version ?? 1)
          and e.stream_id = (
            select s.id from aisle.streams s
            where s.tenant = \(tenant.rawValue) and s.name = \(stream.description))
        order by e.version
        limit \(limit)
        """)
    case .backward:
      rows = try await pool.query(
        """
        select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
               e.type, e.actor, e.traceparent, e.data, e.stream, e.tags
        from aisle.events e
        where e.tenant = \(tenant.rawValue) and e.version <= \(version ?? .max)
          and e.stream_id = (
            select s.id from aisle.streams s
            where s.tenant = \(tenant.rawValue) and s.name = \(stream.description))
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

  /// Reads up to `limit` events of the whole log in order, after a position: those of some categories or types, and
  /// with all of some tags, if any are named. Types are those that events are read under, whatever they were stored as.
  public func readAll(
    after position: Position, categories: [String] = [], types: [String] = [], tags: [String] = [],
    limit: Int = 1000
  ) async throws -> [RecordedEvent] {
    try await pool.withConnection {
      try await self.readAll(
        after: position, categories: categories, types: types, tags: tags, limit: limit, on: $0)
    }
  }

  /// The same on a connection of the caller, so that reading and writing share a transaction. In a transaction,
  /// nobody whose data was read is forgotten before its end.
  public func readAll(
    after position: Position, categories: [String] = [], types: [String] = [], tags: [String] = [],
    limit: Int = 1000, on connection: PostgresConnection
  ) async throws -> [RecordedEvent] {
    let filter = upcasters.filter(types)
    let rows: Rows
    if let tag = tags.first {
      rows = try await connection.query(
        """
        select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
               e.type, e.actor, e.traceparent, e.data, e.stream, e.tags
        from aisle.event_tags a
        join aisle.events e on e.tenant = a.tenant and e.position = a.position
        where a.tenant = \(tenant.rawValue) and a.tag = \(tag) and a.position > \(position.rawValue)
          and (cardinality(\(filter.stored)) = 0 or a.type = any(\(filter.stored)))
          and (not \(filter.needsVersions) or (e.type || '@' || e.schema_version) = any(\(filter.included))
               or (e.type = any(\(filter.types)) and (e.type || '@' || e.schema_version) <> all(\(filter.excluded))))
          and (cardinality(\(categories)) = 0 or e.category = any(\(categories)))
          and e.tags @> \(tags)
        order by a.position
        limit \(limit)
        """)
    } else if categories.isEmpty {
      rows = try await connection.query(
        """
        select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
               e.type, e.actor, e.traceparent, e.data, e.stream, e.tags
        from aisle.events e
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
               e.type, e.actor, e.traceparent, e.data, e.stream, e.tags
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
        order by e.position
        limit \(limit)
        """)
    }
    let events = try await present(rows.map(RecordedEvent.init), on: connection)
    // Positions have no gaps; only what is filtered, or not there at all, leaves it open whether anything is missing.
    if events.first?.position.rawValue != position.rawValue + 1 {
      let archived = try await bounds(on: connection).archived
      guard position >= archived else {
        throw EventsArchived(what: "the log after position \(position)", through: archived)
      }
    }
    return events
  }

  /// Where the log begins and ends: events up to `archived` are no longer in the table.
  func bounds() async throws -> (archived: Position, head: Position) {
    try await pool.withConnection { try await self.bounds(on: $0) }
  }

  func bounds(on connection: PostgresConnection) async throws -> (archived: Position, head: Position) {
    let rows = try await connection.query(
      "select archived_through, position from aisle.log_head where tenant = \(tenant.rawValue)")
    guard let row = rows.first else { return (.start, .start) }
    let (archived, head) = try row.decode(Int64.self, Int64.self)
    return (Position(archived), Position(head))
  }

  /// The events at some positions, in the order of the log.
  public func read(at positions: [Position]) async throws -> [RecordedEvent] {
    let rows = try await pool.query(
      """
      select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
             e.type, e.actor, e.traceparent, e.data, e.stream, e.tags
      from aisle.events e
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
  /// How many columns ``init(row:)`` reads.
  static let columns = 13

  /// The columns that every reading statement selects, in this order.
  init(row: Row) throws {
    let name = try row.column(11, as: String.self)
    guard let stream = StreamName(name) else {
      throw PostgresError(.decoding, "\"\(name)\" is not a stream name")
    }
    self.init(
      id: try row.column(4), stream: stream, version: try row.column(1),
      position: Position(try row.column(0)), type: try row.column(7), schemaVersion: try row.column(3),
      recordedAt: try row.column(2), tags: try row.column(12, as: [String]?.self) ?? [],
      metadata: EventMetadata(
        actor: try row.column(8), correlationID: try row.column(5), causationID: try row.column(6),
        traceparent: try row.column(9)),
      data: try row.column(10, as: JSONB.self).bytes)
  }
}

/// Events that were asked for have been taken off the log into an archive.
public struct EventsArchived: Error, Sendable, CustomStringConvertible {
  let what: String
  /// Position of the last event that is in the archive.
  public let through: Position

  public var description: String {
    "\(what) cannot be read: events up to position \(through) have been archived. "
      + "Read them in the archive, or begin after that position"
  }
}

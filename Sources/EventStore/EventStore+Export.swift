import Foundation
import PostgreSQL
import Vocabulary

extension EventStore {
  /// Streams the events after one position through another, in order, through binary `COPY`, and hands them
  /// over in batches. The database waits while `body` works, so memory stays constant.
  ///
  /// Personal data stays sealed: what leaves the database becomes unreadable with the key as well.
  public func export(
    after: Position, through: Position, _ body: @Sendable ([RecordedEvent]) async throws -> Void
  ) async throws {
    // Only integers enter the text; COPY takes no parameters.
    let statement = """
      copy (
        select e.position, e.version, e.recorded_at, e.schema_version, e.id, e.correlation_id, e.causation_id,
               e.type, e.actor, e.traceparent, e.data, e.stream, e.tags
        from aisle.events e
        where e.tenant = \(tenant.rawValue)
          and e.position > \(after.rawValue) and e.position <= \(through.rawValue)
        order by e.position
      ) to stdout (format binary)
      """
    try await pool.withConnection { connection in
      // An export may take hours; the time-out is for statements that somebody waits for.
      try await connection.transaction {
        try await connection.liftStatementTimeout()
        try await connection.copyOut(statement) { chunk in
          var events: [RecordedEvent] = []
          events.reserveCapacity(chunk.rowCount)
          try chunk.forEachRow { row in
            if let event = try RecordedEvent(copyRow: row) { events.append(event) }
          }
          if !events.isEmpty { try await body(self.presentSealed(events)) }
        }
      }
    }
  }
}

extension RecordedEvent {
  /// Reads one row of the binary `COPY` format; nil for the trailer. The first row follows the file header.
  fileprivate init?(copyRow row: UnsafeRawBufferPointer) throws {
    var reader = CopyRowReader(row)
    guard try reader.begin(columns: 13) else { return nil }
    let position: Int64 = try reader.next(.int8)
    let version: Int64 = try reader.next(.int8)
    let recordedAt: Timestamp = try reader.next(.timestamptz)
    let schemaVersion: Int16 = try reader.next(.int2)
    let id: UUID = try reader.next(.uuid)
    let correlationID: UUID? = try reader.next(.uuid)
    let causationID: UUID? = try reader.next(.uuid)
    let type: String = try reader.next(.text)
    let actor: String? = try reader.next(.text)
    let traceparent: String? = try reader.next(.text)
    let data: JSONB = try reader.next(.jsonb)
    let name: String = try reader.next(.text)
    let tags: [String]? = try reader.next(PostgresType(oid: PostgresType.text.arrayOID, arrayOID: 0))
    guard let stream = StreamName(name) else {
      throw PostgresError(.decoding, "\"\(name)\" is not a stream name")
    }
    self.init(
      id: id, stream: stream, version: version, position: Position(position), type: type,
      schemaVersion: schemaVersion, recordedAt: recordedAt, tags: tags ?? [],
      metadata: EventMetadata(
        actor: actor, correlationID: correlationID, causationID: causationID, traceparent: traceparent),
      data: data.bytes)
  }
}

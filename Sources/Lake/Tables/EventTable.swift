import Parquet
import Vocabulary

import struct Foundation.UUID

/// The table of all events: the envelope as columns, the payload as JSON text.
enum EventTable {
  static let schema = DeltaSchema(
    name: LakeLayout.events, comment: "Every event of the log, once, in the order of its position.",
    columns: [
      DeltaColumn("position", .int64, "1, 2, 3… through the whole log, no gaps"),
      DeltaColumn("stream", .string, "<category>-<id>"),
      DeltaColumn("stream_version", .int64, "1, 2, 3… within the stream"),
      DeltaColumn("event_id", .string, "UUID", bounds: false),
      DeltaColumn("event_type", .string, "what happened, such as order-confirmed", few: true),
      DeltaColumn("schema_version", .int32, "of the payload", few: true),
      DeltaColumn("recorded_at", .timestamp, "when the log took it"),
      DeltaColumn("actor", .string, "who did it", optional: true, few: true),
      DeltaColumn("correlation_id", .string, "UUID of what it belongs to", optional: true, bounds: false),
      DeltaColumn("causation_id", .string, "UUID of what it follows from", optional: true, bounds: false),
      DeltaColumn("traceparent", .string, "W3C trace context", optional: true, bounds: false),
      DeltaColumn("payload", .string, "JSON, an object", bounds: false),
    ], partitionColumns: [.tenant, .category, .eventDate])

  static func append(_ record: LakeRecord, to writer: ParquetWriter) throws {
    try writer.append(record.position, to: 0)
    try writer.append(record.stream, to: 1)
    try writer.append(record.version, to: 2)
    try append(record.id, to: 3, of: writer)
    try writer.append(record.type, to: 4)
    try writer.append(Int32(record.schemaVersion), to: 5)
    try writer.append(record.recordedAt.microseconds, to: 6)
    try writer.append(record.actor, to: 7)
    try append(record.correlationID, to: 8, of: writer)
    try append(record.causationID, to: 9, of: writer)
    try writer.append(record.traceparent, to: 10)
    try record.data.withUnsafeBytes { try writer.append($0, to: 11) }
    try writer.endRow()
  }

  private static func append(_ id: UUID?, to column: Int, of writer: ParquetWriter) throws {
    guard let id else { return try writer.appendNull(to: column) }
    try withUnsafeTemporaryAllocation(byteCount: 36, alignment: 1) { text in
      UUIDText.write(id, to: text)
      try writer.append(UnsafeRawBufferPointer(text), to: column)
    }
  }

  /// The event of a row; nil if an export cannot have written it.
  static func record(_ row: [ParquetValue], category: String) -> LakeRecord? {
    guard row.count == schema.columns.count, let position = row[0].number, let stream = text(row[1]),
      stream.hasPrefix(category + "-"), let version = row[2].number,
      LakeLayout.numbers.contains(position), LakeLayout.numbers.contains(version),
      let id = row[3].bytes.flatMap(UUIDText.read), let type = text(row[4]),
      let schemaVersion = row[5].number.flatMap({ Int16(exactly: $0) }), let recordedAt = row[6].number,
      isTextOrNull(row[7]), isTextOrNull(row[10]), let payload = row[11].bytes,
      String(validating: payload, as: UTF8.self) != nil
    else { return nil }
    let (correlation, causation) = (row[8].bytes.flatMap(UUIDText.read), row[9].bytes.flatMap(UUIDText.read))
    guard (correlation == nil) == (row[8] == .null), (causation == nil) == (row[9] == .null) else {
      return nil
    }
    return LakeRecord(
      position: position, stream: stream, category: category, version: version, id: id, type: type,
      schemaVersion: schemaVersion, recordedAt: Timestamp(microseconds: recordedAt), actor: text(row[7]),
      correlationID: correlation, causationID: causation, traceparent: text(row[10]), data: Array(payload))
  }

  private static func text(_ value: ParquetValue) -> String? {
    value.bytes.flatMap { String(validating: $0, as: UTF8.self) }
  }

  private static func isTextOrNull(_ value: ParquetValue) -> Bool { value == .null || text(value) != nil }
}

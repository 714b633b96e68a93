import Parquet

import class Foundation.JSONEncoder

/// The columns of a table, as the log and its files name them.
struct DeltaSchema: Sendable {
  let name: String
  let comment: String
  let columns: [DeltaColumn]
  /// Known by a file's place in the table; not in the files.
  let partitionColumns: [DeltaColumn]

  var parquet: [ParquetColumn] { columns.map(\.parquet) }

  /// The JSON text that the table's metadata has, columns of partitions included.
  func text() throws -> String {
    let fields = (columns + partitionColumns).map { column in
      Field(
        name: column.name, type: column.type.deltaName, nullable: column.isOptional,
        metadata: ["comment": column.comment])
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(Document(fields: fields)), as: UTF8.self)
  }

  private struct Document: Encodable {
    var type = "struct"
    let fields: [Field]
  }

  private struct Field: Encodable {
    let name: String
    let type: String
    let nullable: Bool
    let metadata: [String: String]
  }
}

struct DeltaColumn: Sendable {
  let name: String
  let type: ParquetType
  let isOptional: Bool
  let comment: String
  fileprivate let encoding: ParquetColumn.Encoding
  fileprivate let hasBounds: Bool

  init(
    _ name: String, _ type: ParquetType, _ comment: String, optional: Bool = false, few: Bool = false,
    bounds: Bool = true
  ) {
    self.name = name
    self.type = type
    self.comment = comment
    isOptional = optional
    encoding = few ? .dictionary : .plain
    hasBounds = bounds
  }

  fileprivate var parquet: ParquetColumn {
    ParquetColumn(name, type, optional: isOptional, encoding: encoding, bounds: hasBounds)
  }

  static let tenant = DeltaColumn("tenant", .int32, "whose log it is")
  static let category = DeltaColumn(
    "category", .string, "the part of the stream's name before the first hyphen")
  static let eventDate = DeltaColumn("event_date", .date, "the UTC date of recorded_at")
}

extension ParquetType {
  /// What Delta calls it.
  fileprivate var deltaName: String {
    switch self {
    case .boolean: "boolean"
    case .int32: "integer"
    case .int64: "long"
    case .timestamp: "timestamp"
    case .date: "date"
    case .bytes: "binary"
    case .string, .json: "string"
    }
  }
}

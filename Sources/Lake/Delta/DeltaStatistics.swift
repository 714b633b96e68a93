import Parquet
import Vocabulary

import struct Foundation.Data
import class Foundation.JSONDecoder
import class Foundation.JSONEncoder

/// What a commit says of a file's values, so that readers can skip it: JSON within JSON, as Delta has it.
struct DeltaStatistics: Codable, Sendable {
  var numRecords: Int64
  var minValues: [String: Value]
  var maxValues: [String: Value]
  var nullCount: [String: Int64]

  enum Value: Codable, Sendable, Hashable {
    case number(Int64)
    case text(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int64.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .number(let number): try container.encode(number)
      case .text(let text): try container.encode(text)
      }
    }
  }

  /// Longer texts get no bounds: cutting one makes a bound that only some readers take for what it is.
  private static let longestText = 64

  init(_ statistics: [ParquetStatistics], of columns: [DeltaColumn], rows: Int64) {
    numRecords = rows
    minValues = [:]
    maxValues = [:]
    nullCount = [:]
    for (column, values) in zip(columns, statistics) {
      nullCount[column.name] = values.nullCount
      guard let least = Self.value(values.least, column.type, isGreatest: false),
        let greatest = Self.value(values.greatest, column.type, isGreatest: true)
      else { continue }
      minValues[column.name] = least
      maxValues[column.name] = greatest
    }
  }

  /// nil for a text that is none.
  init?(text: String?) {
    guard let text, let value = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else {
      return nil
    }
    self = value
  }

  private static func value(_ value: ParquetValue?, _ type: ParquetType, isGreatest: Bool) -> Value? {
    switch (value, type) {
    case (.number(let number), .timestamp): .text(instant(number, roundedUp: isGreatest))
    case (.number(let number), .int32), (.number(let number), .int64): .number(number)
    case (.bytes(let bytes), .string) where bytes.count <= longestText:
      String(validating: bytes, as: UTF8.self).map { .text($0) }
    default: nil
    }
  }

  /// To the millisecond, which is all that the format has here; outwards, so that no value is beyond it.
  private static func instant(_ microseconds: Int64, roundedUp: Bool) -> String {
    let floor = microseconds - ((microseconds % 1000) + 1000) % 1000
    let rounded = roundedUp && floor != microseconds ? floor + 1000 : floor
    let text = Timestamp(microseconds: rounded).rfc3339
    // "…:00Z" or "…:00.123000Z"
    return text.contains(".") ? String(text.dropLast(4)) + "Z" : String(text.dropLast()) + ".000Z"
  }

  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

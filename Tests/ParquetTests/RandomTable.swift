import Foundation
import Parquet
import TestSupport

/// A table of random columns and values, and the file that the module makes of it.
struct RandomTable {
  enum Value: Hashable {
    case null
    case boolean(Bool)
    case number(Int64)
    case bytes([UInt8])

    /// For another program to compare with: bytes in hexadecimal, texts too.
    var json: Any {
      switch self {
      case .null: NSNull()
      case .boolean(let value): value ? 1 : 0
      case .number(let value): NSNumber(value: value)
      case .bytes(let value): value.map { String(format: "%02x", $0) }.joined()
      }
    }
  }

  private(set) var columns: [ParquetColumn] = []
  private(set) var rows: [[Value]] = []
  private(set) var options = ParquetWriter.Options()

  init(using random: inout SeededRandom) {
    for index in 0..<Int.random(in: 1...9, using: &random) {
      columns.append(
        ParquetColumn(
          "column_\(index)", ParquetType.allCases.randomElement(using: &random) ?? .int64,
          optional: .random(using: &random), encoding: .random(using: &random) ? .plain : .dictionary))
    }
    options.compression =
      [.none, .snappy, .zstd(level: 1), .zstd(level: 3)].randomElement(using: &random) ?? .none
    options.pageBytes = Int.random(in: 1...5000, using: &random)
    options.pageRows = Int.random(in: 1...300, using: &random)
    options.dictionaryBytes = Int.random(in: 1...1500, using: &random)
    options.rowGroupBytes = Int.random(in: 1...60_000, using: &random)
    let styles = columns.map { _ in Style(using: &random) }
    let count = [0, 1, 7, 8, 9, 1000].randomElement(using: &random) ?? 0
    for _ in 0..<(count == 1000 ? Int.random(in: 10...1500, using: &random) : count) {
      rows.append(zip(columns, styles).map { $1.value(of: $0, using: &random) })
    }
  }

  /// How one column's values are distributed: runs, few different ones, nulls in between or nothing but nulls.
  private struct Style {
    let nullsInHundred: Int
    let different: Int?
    let longestRun: Int
    let longText: Bool
    private let seed: UInt64
    private var last = Last()

    private final class Last {
      var value = Value.null
      var left = 0
    }

    init(using random: inout SeededRandom) {
      nullsInHundred = [0, 3, 50, 100].randomElement(using: &random) ?? 0
      different = [1, 2, 5, 40, nil].randomElement(using: &random) ?? nil
      longestRun = [1, 1, 20, 200].randomElement(using: &random) ?? 1
      longText = Int.random(in: 0..<4, using: &random) == 0
      seed = random.next()
    }

    func value(of column: ParquetColumn, using random: inout SeededRandom) -> Value {
      if last.left == 0 {
        last.left = Int.random(in: 1...longestRun, using: &random)
        last.value = fresh(column, using: &random)
      }
      last.left -= 1
      return last.value
    }

    private func fresh(_ column: ParquetColumn, using random: inout SeededRandom) -> Value {
      if column.isOptional, Int.random(in: 0..<100, using: &random) < nullsInHundred { return .null }
      let choice = different.map { UInt64.random(in: 0..<UInt64($0), using: &random) } ?? random.next()
      return Self.value(of: column.type, choice: choice ^ seed, isLong: longText)
    }

    private static func value(of type: ParquetType, choice: UInt64, isLong: Bool) -> Value {
      let number = Int64(bitPattern: choice &* 0x9E37_79B9_7F4A_7C15)
      switch type {
      case .boolean: return .boolean(number > 0)
      case .int32: return .number(Int64(Int32(truncatingIfNeeded: number >> 20)))
      case .int64: return .number(number >> Int64(choice % 63))
      // Years that every reader can show.
      case .timestamp: return .number(number % 60_000_000_000_000_000)
      case .date: return .number(number % 700_000)
      case .bytes:
        let length = Int(choice % (isLong ? 200 : 12))
        return .bytes((0..<length).map { UInt8(truncatingIfNeeded: choice >> UInt64($0 % 57)) })
      case .string: return .bytes(Array(text(choice, isLong).utf8))
      case .json: return .bytes(Array(#"{"n": \#(number), "text": "\#(text(choice, isLong))"}"#.utf8))
      }
    }

    /// Of one to four bytes a character, up to the last that there is.
    private static func text(_ choice: UInt64, _ isLong: Bool) -> String {
      let letters: [Character] = [
        "a", "Z", " ", "é", "ß", "日", "本", "🎭", "\u{7F}", "\u{10FFFF}", "\u{D7FF}", "0",
      ]
      let length = Int(choice % (isLong ? 90 : 9))
      return String((0..<length).map { letters[Int((choice >> UInt64($0 % 50)) % UInt64(letters.count))] })
    }
  }

  /// The file.
  func encoded() throws -> [UInt8] {
    var file: [UInt8] = []
    let writer = try ParquetWriter(columns: columns, options: options, properties: [("made by", "a test")]) {
      file.append(contentsOf: $0)
    }
    for row in rows {
      for (column, value) in row.enumerated() {
        switch (value, columns[column].type) {
        case (.null, _): try writer.appendNull(to: column)
        case (.boolean(let value), _): try writer.append(value, to: column)
        case (.number(let value), .int32), (.number(let value), .date):
          try writer.append(Int32(truncatingIfNeeded: value), to: column)
        case (.number(let value), _): try writer.append(value, to: column)
        case (.bytes(let value), _): try value.withUnsafeBytes { try writer.append($0, to: column) }
        }
      }
      try writer.endRow()
    }
    try writer.finish()
    return file
  }

  /// What another program should find.
  var expectation: [String: Any] {
    [
      "rows": rows.count, "dictionary_bytes": options.dictionaryBytes,
      "columns": columns.enumerated().map { index, column in
        [
          "name": column.name, "type": "\(column.type)", "optional": column.isOptional,
          "values": rows.map { $0[index].json },
        ] as [String: Any]
      },
    ]
  }
}

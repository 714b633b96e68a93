import Parquet
import Vocabulary

import struct Foundation.Data
import class Foundation.JSONDecoder

/// The fields of a payload, found without decoding it: most are copied into a column as they are.
struct PayloadFields {
  /// A part of the payload, without what surrounds it.
  typealias Part = Range<Int>

  private let data: [UInt8]
  private let fields: [(key: Part, value: Part)]

  /// Refuses a payload that is not one JSON object.
  init(_ record: LakeRecord) throws(LakeError) {
    data = record.data
    do {
      try data.withBytes { (bytes) throws(JSONSyntax.Failure) in try JSONSyntax.checkObject(bytes) }
    } catch {
      throw .invalidPayload(position: record.position, reason: "\(error.reason) at byte \(error.offset)")
    }
    fields =
      FactTable.categories.contains(record.category)
      ? data.withUnsafeBufferPointer { Self.fields(of: $0, in: 0..<$0.count) } : []
  }

  /// A string's text; null for what is not there or is no string.
  func text(_ key: String) -> ParquetValue { value(key).map(text) ?? .null }

  /// When it happened: the first `…_at` of the payload that does not say what is to come.
  var instant: Timestamp? {
    for (key, value) in fields
    where data[key].suffix(3).elementsEqual("_at".utf8) && data[value.lowerBound] == .quote {
      if data[key].elementsEqual("expires_at".utf8) || data[key].elementsEqual("starts_at".utf8) { continue }
      return Timestamp(
        rfc3339: String(decoding: data[value.lowerBound + 1..<value.upperBound - 1], as: UTF8.self))
    }
    return nil
  }

  /// An amount and its currency, out of `{"amount": 4500, "currency": "EUR"}`; null for what is no such object.
  func money(_ key: String) -> (amount: ParquetValue, currency: ParquetValue) {
    guard let object = value(key), data[object.lowerBound] == .openBrace else { return (.null, .null) }
    let fields = data.withUnsafeBufferPointer { Self.fields(of: $0, in: object) }
    let amount = Self.value("amount", of: data, fields).flatMap {
      String(validating: data[$0], as: UTF8.self)
    }
    return (
      amount.flatMap { Int64($0) }.map { .number($0) } ?? .null,
      Self.value("currency", of: data, fields).map(text) ?? .null
    )
  }

  /// The strings of an array; what is no string is null.
  func texts(_ key: String) -> [ParquetValue] { elements(key).map(text) }

  /// How many elements an array has; null for what is no array.
  func count(_ key: String) -> ParquetValue {
    guard let array = value(key), data[array.lowerBound] == .openBracket else { return .null }
    return .number(Int64(elements(key).count))
  }

  private func value(_ key: String) -> Part? { Self.value(key, of: data, fields) }

  private static func value(_ key: String, of data: [UInt8], _ fields: [(key: Part, value: Part)]) -> Part? {
    fields.first { $0.key.count == key.utf8.count && data[$0.key].elementsEqual(key.utf8) }?.value
  }

  private func text(_ part: Part) -> ParquetValue {
    guard data[part.lowerBound] == .quote else { return .null }
    let inner = part.lowerBound + 1..<part.upperBound - 1
    if !data[inner].contains(.backslash) { return .bytes(data[inner]) }
    let text = try? JSONDecoder().decode(String.self, from: Data(data[part]))
    return text.map { .bytes(Array($0.utf8)[...]) } ?? .null
  }

  private func elements(_ key: String) -> [Part] {
    guard let array = value(key), data[array.lowerBound] == .openBracket else { return [] }
    return data.withUnsafeBufferPointer { Self.elements(of: $0, in: array) }
  }

  private static func elements(of data: UnsafeBufferPointer<UInt8>, in array: Part) -> [Part] {
    var elements: [Part] = []
    var at = afterSpace(data, array.lowerBound + 1)
    while data[at] != .closeBracket {
      let end = end(data, at)
      elements.append(at..<end)
      at = afterSpace(data, end)
      if data[at] == .comma { at = afterSpace(data, at + 1) }
    }
    return elements
  }

  // MARK: Finding. The syntax was checked, so that everything ends.

  private static func fields(of data: UnsafeBufferPointer<UInt8>, in object: Part) -> [(
    key: Part, value: Part
  )] {
    var fields: [(key: Part, value: Part)] = []
    fields.reserveCapacity(12)
    var at = afterSpace(data, object.lowerBound + 1)
    while data[at] != .closeBrace {
      let keyEnd = end(data, at)
      let key = at + 1..<keyEnd - 1
      let start = afterSpace(data, afterSpace(data, keyEnd) + 1)
      let valueEnd = end(data, start)
      fields.append((key, start..<valueEnd))
      at = afterSpace(data, valueEnd)
      if data[at] == .comma { at = afterSpace(data, at + 1) }
    }
    return fields
  }

  private static func afterSpace(_ data: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    var at = start
    while data[at] == 0x20 || (0x09...0x0D).contains(data[at]) { at += 1 }
    return at
  }

  /// The end of the value that begins at `start`.
  private static func end(_ data: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    var at = start
    var depth = 0
    while true {
      switch data[at] {
      case .quote:
        at += 1
        while data[at] != .quote { at += data[at] == .backslash ? 2 : 1 }
        at += 1
      case .openBrace, .openBracket:
        depth += 1
        at += 1
        continue
      case .closeBrace, .closeBracket:
        depth -= 1
        at += 1
      case .comma, .colon, 0x20, 0x09...0x0D:
        at += 1
        continue
      default:
        while !isEnd(data[at]) { at += 1 }
      }
      if depth == 0 { return at }
    }
  }

  /// Of a number or a word.
  private static func isEnd(_ byte: UInt8) -> Bool {
    byte == .comma || byte == .closeBrace || byte == .closeBracket || byte <= 0x20
  }
}

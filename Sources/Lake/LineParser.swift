import Glibc
import Vocabulary

import struct Foundation.Data
import class Foundation.JSONDecoder
import struct Foundation.UUID
import typealias Foundation.uuid_t

/// Reads a line in exactly the form that `LineEncoder` writes: every key, in order.
struct LineParser {
  struct Failure: Error, Hashable {
    /// From 0, in the line.
    let offset: Int
    let expected: String
  }

  private let bytes: UnsafeRawBufferPointer
  private var at = 0

  /// `line` has no line end.
  static func parse(_ line: UnsafeRawBufferPointer) throws(Failure) -> LakeRecord {
    var parser = LineParser(bytes: line)
    let record = try parser.record()
    try parser.checkForm(record)
    return record
  }

  /// A value can be written in several ways (an upper-case UUID, a needless escape); exports know one.
  private func checkForm(_ record: LakeRecord) throws(Failure) {
    var envelope: [UInt8] = []
    envelope.reserveCapacity(bytes.count)
    LineEncoder.append(envelopeOf: record, to: &envelope)
    guard !begins(with: envelope, at: 0) else { return }
    let offset = envelope.indices.first { $0 >= bytes.count || envelope[$0] != bytes[$0] } ?? 0
    throw Failure(offset: offset, expected: "the value as an export writes it")
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private mutating func record() throws(Failure) -> LakeRecord {
    typealias Key = LineEncoder.Key
    let position = try number(after: Key.position)
    let stream = try text(after: Key.stream)
    let category = try text(after: Key.category)
    guard stream.hasPrefix(category + "-") else { throw failure("a category that begins the stream's name") }
    let version = try number(after: Key.version)
    let id = try identifier(after: Key.id)
    let type = try text(after: Key.type)
    let schemaVersion = Int16(exactly: try integer(after: Key.schemaVersion))
    guard let schemaVersion else { throw failure("a 16-bit schema version") }
    let recordedAt = Timestamp(rfc3339: try text(after: Key.recordedAt))
    guard let recordedAt else { throw failure("an RFC 3339 instant") }
    return LakeRecord(
      position: position, stream: stream, category: category, version: version, id: id, type: type,
      schemaVersion: schemaVersion, recordedAt: recordedAt, actor: try optionalText(after: Key.actor),
      correlationID: try optionalIdentifier(after: Key.correlationID),
      causationID: try optionalIdentifier(after: Key.causationID),
      traceparent: try optionalText(after: Key.traceparent), data: try payload())
  }

  private mutating func expect(_ key: [UInt8]) throws(Failure) {
    guard has(key) else { throw failure(String(decoding: key, as: UTF8.self)) }
    at += key.count
  }

  private func has(_ text: [UInt8]) -> Bool {
    begins(with: text, at: at)
  }

  // C compares and searches: large lakes are also checked by debug builds.
  private func begins(with text: [UInt8], at offset: Int) -> Bool {
    guard let base = bytes.baseAddress, offset + text.count <= bytes.count else { return false }
    return text.withUnsafeBytes { $0.baseAddress.map { memcmp(base + offset, $0, text.count) == 0 } ?? true }
  }

  private func offset(of byte: UInt8) -> Int? {
    guard let base = bytes.baseAddress, at < bytes.count else { return nil }
    return memchr(base + at, Int32(byte), bytes.count - at).map { UnsafeRawPointer($0) - base }
  }

  private mutating func integer(after key: [UInt8]) throws(Failure) -> Int64 {
    try expect(key)
    let end = offset(of: .comma) ?? bytes.count
    let digits = String(decoding: bytes[at..<end], as: UTF8.self)
    // "+1" and "01" mean the same to a reader, but no export writes them.
    guard let number = Int64(digits), String(number) == digits else { throw failure("an integer") }
    at = end
    return number
  }

  /// Of an event, in the log or in its stream.
  private mutating func number(after key: [UInt8]) throws(Failure) -> Int64 {
    let start = at
    let number = try integer(after: key)
    guard LakeLayout.numbers.contains(number) else {
      throw Failure(offset: start + key.count, expected: "a number from 1 to 2^62")
    }
    return number
  }

  private mutating func optionalText(after key: [UInt8]) throws(Failure) -> String? {
    try expect(key)
    return try isNull() ? nil : string()
  }

  private mutating func text(after key: [UInt8]) throws(Failure) -> String {
    try expect(key)
    return try string()
  }

  private mutating func optionalIdentifier(after key: [UInt8]) throws(Failure) -> UUID? {
    try expect(key)
    return try isNull() ? nil : identifier()
  }

  private mutating func identifier(after key: [UInt8]) throws(Failure) -> UUID {
    try expect(key)
    return try identifier()
  }

  private mutating func isNull() -> Bool {
    guard has(LineEncoder.Key.null) else { return false }
    at += LineEncoder.Key.null.count
    return true
  }

  private mutating func identifier() throws(Failure) -> UUID {
    // By hand, because Foundation's initialiser takes longer than the rest of the line.
    let (start, text) = (at, try string().utf8)
    var id: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    let isValid = withUnsafeMutableBytes(of: &id) { bytes in
      var digits = 0
      for byte in text where byte != .minus {
        guard digits < 32, let digit = Self.hexadecimalDigit(byte) else { return false }
        bytes[digits / 2] = bytes[digits / 2] << 4 | digit
        digits += 1
      }
      return digits == 32
    }
    guard isValid else { throw Failure(offset: start, expected: "a UUID") }
    // Whether the hyphens are where they belong is a question of form, asked at the end.
    return UUID(uuid: id)
  }

  private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  private mutating func string() throws(Failure) -> String {
    guard at < bytes.count, bytes[at] == .quote else { throw failure("a string") }
    let start = at
    var hasEscape = false
    at += 1
    while at < bytes.count, bytes[at] != .quote {
      if bytes[at] == .backslash {
        hasEscape = true
        at += 1
      }
      at += 1
    }
    guard at < bytes.count else { throw failure("the end of the string") }
    at += 1
    let value =
      hasEscape
      ? try? JSONDecoder().decode(String.self, from: Data(bytes[start..<at]))
      : String(validating: bytes[start + 1..<at - 1], as: UTF8.self)
    guard let value else { throw Failure(offset: start, expected: "a valid JSON string") }
    return value
  }

  /// The object up to the brace that ends the line.
  private mutating func payload() throws(Failure) -> [UInt8] {
    try expect(LineEncoder.Key.data)
    let end = bytes.count - 1
    guard end > at, bytes[end] == .closeBrace else { throw failure("an object and }") }
    let object = UnsafeRawBufferPointer(rebasing: bytes[at..<end])
    do {
      try JSONSyntax.checkObject(object)
    } catch {
      throw Failure(offset: at + error.offset, expected: "a valid payload (\(error.reason))")
    }
    guard String(validating: object, as: UTF8.self) != nil else { throw failure("UTF-8") }
    return Array(object)
  }

  private func failure(_ expected: String) -> Failure { Failure(offset: at, expected: expected) }
}

import Glibc
import Vocabulary

import struct Foundation.UUID

/// Writes events as lines: one JSON object each, keys in a fixed order, every key always there.
///
/// A line is a pure function of its event, so a retry writes the same bytes.
struct LineEncoder {
  private var day: CivilDate?
  private var date = ""

  /// The UTC date of an instant, `2026-11-24`.
  mutating func eventDate(_ instant: Timestamp) -> String {
    let day = instant.civilDate()
    if day != self.day {
      self.day = day
      date = String(instant.rfc3339.prefix { $0 != "T" })
    }
    return date
  }

  func append(_ record: LakeRecord, to line: inout [UInt8]) throws(LakeError) {
    Self.append(envelopeOf: record, to: &line)
    try Self.append(payload: record.data, at: record.position, to: &line)
    line.append(.closeBrace)
    line.append(.newline)
  }

  /// Everything before the payload.
  static func append(envelopeOf record: LakeRecord, to line: inout [UInt8]) {
    line.append(contentsOf: Key.position)
    append(record.position, to: &line)
    line.append(contentsOf: Key.stream)
    append(record.stream, to: &line)
    line.append(contentsOf: Key.category)
    append(record.category, to: &line)
    line.append(contentsOf: Key.version)
    append(record.version, to: &line)
    line.append(contentsOf: Key.id)
    append(record.id, to: &line)
    line.append(contentsOf: Key.type)
    append(record.type, to: &line)
    line.append(contentsOf: Key.schemaVersion)
    append(Int64(record.schemaVersion), to: &line)
    line.append(contentsOf: Key.recordedAt)
    append(record.recordedAt.rfc3339, to: &line)
    line.append(contentsOf: Key.actor)
    append(record.actor, to: &line)
    line.append(contentsOf: Key.correlationID)
    append(record.correlationID, to: &line)
    line.append(contentsOf: Key.causationID)
    append(record.causationID, to: &line)
    line.append(contentsOf: Key.traceparent)
    append(record.traceparent, to: &line)
    line.append(contentsOf: Key.data)
  }

  /// The bytes between the values, in the order of the line.
  enum Key {
    static let position = Array(#"{"position":"#.utf8)
    static let stream = Array(#","stream":"#.utf8)
    static let category = Array(#","category":"#.utf8)
    static let version = Array(#","version":"#.utf8)
    static let id = Array(#","id":"#.utf8)
    static let type = Array(#","type":"#.utf8)
    static let schemaVersion = Array(#","schema_version":"#.utf8)
    static let recordedAt = Array(#","recorded_at":"#.utf8)
    static let actor = Array(#","actor":"#.utf8)
    static let correlationID = Array(#","correlation_id":"#.utf8)
    static let causationID = Array(#","causation_id":"#.utf8)
    static let traceparent = Array(#","traceparent":"#.utf8)
    static let data = Array(#","data":"#.utf8)
    static let null = Array("null".utf8)
  }

  private static func append(
    payload: [UInt8], at position: Int64, to line: inout [UInt8]
  ) throws(LakeError) {
    let start = line.count
    do {
      try payload.withBytes { (bytes) throws(JSONSyntax.Failure) in try JSONSyntax.checkObject(bytes) }
    } catch {
      throw .invalidPayload(position: position, reason: "\(error.reason) at byte \(error.offset)")
    }
    line.append(contentsOf: payload)
    // The check proved that line ends occur between tokens only, where a space means the same.
    line.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress, memchr(base + start, 0x0A, bytes.count - start) != nil else {
        return
      }
      for index in start..<bytes.count where bytes[index] == .newline { bytes[index] = 0x20 }
    }
  }

  private static func append(_ number: Int64, to line: inout [UInt8]) {
    var text = String(number)
    text.withUTF8 { line.append(contentsOf: $0) }
  }

  private static func append(_ text: String?, to line: inout [UInt8]) {
    guard var text else { return line.append(contentsOf: Key.null) }
    line.append(.quote)
    text.withUTF8 { bytes in
      if bytes.contains(where: { $0 < 0x20 || $0 == .quote || $0 == .backslash }) {
        for byte in bytes { append(escaping: byte, to: &line) }
      } else {
        line.append(contentsOf: bytes)
      }
    }
    line.append(.quote)
  }

  private static func append(escaping byte: UInt8, to line: inout [UInt8]) {
    switch byte {
    case .quote, .backslash:
      line.append(.backslash)
      line.append(byte)
    case 0..<0x20:
      line.append(contentsOf: Array("\\u00".utf8))
      line.append(contentsOf: Array([byte].hexadecimal.utf8))
    default:
      line.append(byte)
    }
  }

  private static let digits = Array("0123456789abcdef".utf8)

  private static func append(_ id: UUID?, to line: inout [UInt8]) {
    guard let id else { return line.append(contentsOf: Key.null) }
    line.append(.quote)
    withUnsafeBytes(of: id.uuid) { bytes in
      for index in bytes.indices {
        if index == 4 || index == 6 || index == 8 || index == 10 { line.append(.minus) }
        line.append(digits[Int(bytes[index] >> 4)])
        line.append(digits[Int(bytes[index] & 15)])
      }
    }
    line.append(.quote)
  }
}

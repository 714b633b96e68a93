/// The fields of a payload's outermost object, by where they stand in its bytes.
///
/// It reads what PostgreSQL or an encoder has written, so it checks only as much as it needs to find its way.
struct PayloadFields {
  /// By key; keys with escapes in them are left out, since no field that is looked for has one.
  private(set) var values: [String: Range<Int>] = [:]

  /// nil if the payload is not an object.
  init?(_ payload: [UInt8]) {
    var cursor = Cursor(bytes: payload)
    cursor.skipSpace()
    guard cursor.take(UInt8(ascii: "{")) else { return nil }
    cursor.skipSpace()
    if cursor.take(UInt8(ascii: "}")) { return }
    while true {
      cursor.skipSpace()
      guard let key = cursor.string() else { return nil }
      cursor.skipSpace()
      guard cursor.take(UInt8(ascii: ":")) else { return nil }
      cursor.skipSpace()
      let start = cursor.position
      guard cursor.value() else { return nil }
      if !payload[key].contains(UInt8(ascii: "\\")) {
        values[String(decoding: payload[key], as: UTF8.self)] = start..<cursor.position
      }
      cursor.skipSpace()
      if cursor.take(UInt8(ascii: "}")) { return }
      guard cursor.take(UInt8(ascii: ",")) else { return nil }
    }
  }

  private struct Cursor {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func skipSpace() {
      while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
      guard position < bytes.count, bytes[position] == byte else { return false }
      position += 1
      return true
    }

    /// What is between the quotes.
    mutating func string() -> Range<Int>? {
      guard take(UInt8(ascii: "\"")) else { return nil }
      let start = position
      while position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: "\""):
          position += 1
          return start..<position - 1
        case UInt8(ascii: "\\"): position += 2
        default: position += 1
        }
      }
      return nil
    }

    /// One value of any kind: brackets are counted, strings passed over.
    mutating func value() -> Bool {
      var depth = 0
      let start = position
      while position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: "\""):
          guard string() != nil else { return false }
          if depth == 0 { return true }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
          depth += 1
          position += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          // The end of the object around a number or a word.
          if depth == 0 { return position > start }
          depth -= 1
          position += 1
          if depth == 0 { return true }
        case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
          if depth == 0 { return position > start }
          position += 1
        default: position += 1
        }
      }
      return false
    }
  }
}

extension [UInt8] {
  /// The payload with some fields' values replaced.
  func replacing(_ replacements: [(range: Range<Int>, value: [UInt8])]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count + replacements.reduce(0) { $0 + $1.value.count })
    var position = 0
    for (range, value) in replacements.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      result += self[position..<range.lowerBound]
      result += value
      position = range.upperBound
    }
    return result + self[position...]
  }
}

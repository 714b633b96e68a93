import Foundation

/// Writes a value as compact JSON straight into bytes, in the order in which the value gives its fields.
///
/// Every event and every answer passes here. `JSONEncoder` builds a tree of the whole document first, which took a seventh of the
/// processor time of a rush; the decision and its figures are in `docs/decisions/0016-payloads-are-written-in-one-pass.md`.
/// What it writes, `JSONDecoder` reads. It refuses what has no one form in JSON: dates, decimals, numbers that are not finite, and
/// containers that are written to after their end.
package struct PayloadEncoder {
  package init() {}

  package func encode(_ value: some Encodable) throws -> [UInt8] {
    let document = JSONDocument()
    try document.write(encoding: value)
    if let mistake = document.mistake { throw mistake }
    return document.bytes
  }
}

/// A JSON document of which everything before the current place is written.
final class JSONDocument {
  private(set) var bytes: [UInt8] = []
  /// Of ``PayloadEncoder``'s protocols, some calls cannot throw; what went wrong in them is here.
  private(set) var mistake: EncodingError?
  private var open: [Bracket] = []

  private var begun = 0

  private struct Bracket {
    let number: Int
    let closing: UInt8
    var isEmpty = true
  }

  /// The inside of an object or array.
  struct Place {
    let depth: Int
    /// Which of the document's, so that one that has ended is not taken for another at the same depth.
    fileprivate let number: Int
  }

  enum Shape {
    case object
    case array

    fileprivate var opening: UInt8 { self == .object ? UInt8(ascii: "{") : UInt8(ascii: "[") }
    fileprivate var closing: UInt8 { self == .object ? UInt8(ascii: "}") : UInt8(ascii: "]") }
  }

  init() { bytes.reserveCapacity(512) }

  /// How many objects and arrays are open here.
  var depth: Int { open.count }

  // MARK: Structure

  /// Begins an object or array as the value that belongs at a depth, or goes on with the one that is there.
  func begin(_ shape: Shape, at depth: Int) -> Place {
    if open.count > depth {
      close(to: depth + 1)
      if open[depth].closing != shape.closing { fail("a value is an object and an array at once") }
      return Place(depth: depth + 1, number: open[depth].number)
    }
    if open.count < depth { fail("a container is begun after the end of the one around it") }
    begun += 1
    bytes.append(shape.opening)
    open.append(Bracket(number: begun, closing: shape.closing))
    return Place(depth: open.count, number: begun)
  }

  /// Prepares for the next element of an object or array. Those inside of it end here.
  func element(in place: Place) throws {
    guard open.count >= place.depth, open[place.depth - 1].number == place.number else {
      throw Self.mistake("a container is written to after its end")
    }
    close(to: place.depth)
    if open[place.depth - 1].isEmpty {
      open[place.depth - 1].isEmpty = false
    } else {
      bytes.append(UInt8(ascii: ","))
    }
  }

  func element(_ key: String, in place: Place) throws {
    try element(in: place)
    write(key)
    bytes.append(UInt8(ascii: ":"))
  }

  private func close(to depth: Int) {
    while open.count > depth { bytes.append(open.removeLast().closing) }
  }

  func fail(_ description: String) {
    if mistake == nil { mistake = Self.mistake(description) }
  }

  private static func mistake(_ description: String, _ value: Any = ()) -> EncodingError {
    .invalidValue(value, .init(codingPath: [], debugDescription: description))
  }

  // MARK: Values

  func write<Value: Encodable>(encoding value: Value) throws {
    if Value.self == Data.self, let data = value as? Data { return write(data.base64EncodedString()) }
    if Value.self == Date.self || Value.self == Decimal.self || Value.self == URL.self {
      throw Self.mistake(
        "\(Value.self) has several forms in JSON; use a timestamp, an integer or a text", value)
    }
    let (start, depth) = (bytes.count, open.count)
    try value.encode(to: ValueEncoder(document: self, depth: depth))
    close(to: depth)
    // A value without anything in it is an empty object.
    if bytes.count == start { bytes += "{}".utf8 }
  }

  func write(_ value: String) {
    var text = value
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { text in
      var written = 0
      for index in text.indices where Self.needsEscape(text[index]) {
        bytes.append(contentsOf: text[written..<index])
        escape(text[index])
        written = index + 1
      }
      bytes.append(contentsOf: text[written...])
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private func escape(_ byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
    case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
    case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
    default:
      let digits = Array("0123456789abcdef".utf8)
      bytes += "u00".utf8
      bytes.append(digits[Int(byte >> 4)])
      bytes.append(digits[Int(byte & 15)])
    }
  }

  func write(_ value: Bool) { bytes += (value ? "true" : "false").utf8 }

  func writeNull() { bytes += "null".utf8 }

  func write<Number: BinaryInteger>(_ value: Number) {
    guard let small = Int64(exactly: value) else {
      bytes += value.description.utf8
      return
    }
    var rest = small.magnitude
    if small < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  func write<Number: BinaryFloatingPoint & LosslessStringConvertible>(_ value: Number) throws {
    guard value.isFinite else { throw Self.mistake("JSON has no number \(value)", value) }
    bytes += value.description.utf8
  }
}

/// Reads a JSON document strictly by RFC 8259.
///
/// Foundation's decoder accepts trailing commas and repeated keys, and says neither where a syntax error is nor
/// which field holds a number that does not fit.
struct JSONParser {
  /// Deeper nesting is refused, so that no input can exhaust the stack.
  static let maximumDepth = 32

  private let bytes: [UInt8]
  private var index = 0
  private var depth = 0

  /// - Throws: ``JSONSyntaxError``, also for text that is not UTF-8.
  static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
    var parser = JSONParser(bytes: bytes)
    guard String(validating: bytes, as: UTF8.self) != nil else { throw parser.notUTF8() }
    let value = try parser.value()
    parser.skipSpace()
    guard parser.index == bytes.count else { throw parser.error("there is more after the document's end") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  // MARK: Values

  private mutating func value() throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    guard let byte = peek else {
      throw error(index == 0 ? "the body is empty" : "the document ends too early")
    }
    switch byte {
    case UInt8(ascii: "{"): return .object(try object())
    case UInt8(ascii: "["): return .array(try array())
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: throw error("a value is expected")
    }
  }

  private mutating func object() throws(JSONSyntaxError) -> [String: JSONValue] {
    try enter()
    defer { depth -= 1 }
    var members: [String: JSONValue] = [:]
    if take("}") { return members }
    while true {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw error("a name in double quotation marks is expected") }
      let start = index
      let name = try string()
      guard take(":") else { throw error("a colon is expected") }
      guard members.updateValue(try value(), forKey: name) == nil else {
        index = start
        throw error("the name \"\(name.prefix(64))\" is repeated in one object")
      }
      if take(",") { continue }
      guard take("}") else { throw error("a comma or } is expected") }
      return members
    }
  }

  private mutating func array() throws(JSONSyntaxError) -> [JSONValue] {
    try enter()
    defer { depth -= 1 }
    var elements: [JSONValue] = []
    if take("]") { return elements }
    while true {
      elements.append(try value())
      if take(",") { continue }
      guard take("]") else { throw error("a comma or ] is expected") }
      return elements
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> String {
    let start = index
    _ = takeByte("-")
    let first = index
    guard skipDigits() else { throw error("a digit is expected") }
    if bytes[first] == UInt8(ascii: "0"), index > first + 1 { throw error("a number has no leading zeros") }
    if takeByte("."), !skipDigits() { throw error("a digit is expected") }
    if takeByte("e") || takeByte("E") {
      if !takeByte("+") { _ = takeByte("-") }
      guard skipDigits() else { throw error("a digit is expected") }
    }
    return String(decoding: bytes[start..<index], as: UTF8.self)
  }

  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue
  {
    let end = index + word.utf8CodeUnitCount
    guard end <= bytes.count, "\(word)".utf8.elementsEqual(bytes[index..<end]) else {
      throw error("a value is expected")
    }
    index = end
    return value
  }

  // MARK: Strings

  private mutating func string() throws(JSONSyntaxError) -> String {
    index += 1
    var text: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        index += 1
        text.append(contentsOf: String(try escape()).utf8)
      case ..<0x20: throw error("a control character in a string must be escaped")
      default:
        text.append(byte)
        index += 1
      }
    }
    throw error("a string has no end")
  }

  private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
    guard let byte = peek else { throw error("a string has no end") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error("there is no such escape in a string")
    }
  }

  /// Characters beyond U+FFFF are written as two escapes, a high and a low surrogate.
  private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
    let high = try fourHexDigits()
    if let scalar = Unicode.Scalar(high) { return scalar }
    if high < 0xDC00, takeByte("\\"), takeByte("u") {
      let low = try fourHexDigits()
      if (0xDC00..<0xE000).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
      {
        return scalar
      }
    }
    throw error("half of a surrogate pair is not a character")
  }

  private mutating func fourHexDigits() throws(JSONSyntaxError) -> UInt32 {
    let end = index + 4
    guard end <= bytes.count, bytes[index..<end].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: bytes[index..<end], as: UTF8.self), radix: 16)
    else { throw error("four hexadecimal digits are expected") }
    index = end
    return value
  }

  // MARK: Bytes

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
  }

  /// Skips space, then takes the byte if it is there.
  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    skipSpace()
    return takeByte(scalar)
  }

  private mutating func takeByte(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: scalar) else { return false }
    index += 1
    return true
  }

  private mutating func skipDigits() -> Bool {
    let start = index
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
    return index > start
  }

  private mutating func enter() throws(JSONSyntaxError) {
    index += 1
    depth += 1
    if depth > Self.maximumDepth { throw error("more than \(Self.maximumDepth) levels of nesting") }
  }

  private func error(_ message: String) -> JSONSyntaxError {
    let before = bytes[..<min(index, bytes.count)]
    let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    return JSONSyntaxError(
      line: 1 + before.count { $0 == 0x0A }, column: index - lineStart + 1, message: message)
  }

  private mutating func notUTF8() -> JSONSyntaxError {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    while case .valid(let scalar) = parser.parseScalar(from: &iterator) { index += scalar.count }
    return error("the bytes are not UTF-8")
  }
}

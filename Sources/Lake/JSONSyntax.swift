/// Checks that bytes are exactly one JSON object (RFC 8259) without building anything from it.
///
/// A payload is embedded in a line as it is. Something that only looks like an object, such as
/// `{},"position":9`, would change the line's meaning, so every byte is checked.
struct JSONSyntax {
  struct Failure: Error, Hashable {
    let offset: Int
    let reason: String
  }

  private let bytes: UnsafeRawBufferPointer
  private var at = 0
  /// `{` or `[` of every container that is open.
  private var open: [UInt8] = []

  static func checkObject(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    var syntax = JSONSyntax(bytes: bytes)
    try syntax.checkObject()
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private mutating func checkObject() throws(Failure) {
    guard peek == .openBrace else { throw failure("an object was expected") }
    repeat {
      if try value() { while try endOfValue() {} }
    } while !open.isEmpty
    guard at == bytes.count else { throw failure("something follows the object") }
  }

  /// True when a whole value was passed, false when a container was opened and its first value is next.
  private mutating func value() throws(Failure) -> Bool {
    skipWhitespace()
    switch peek {
    case .openBrace:
      enter()
      if peek == .closeBrace { return leave() }
      try key()
      return false
    case .openBracket:
      enter()
      return peek == .closeBracket ? leave() : false
    case .quote: try string()
    case .minus, .digitZero ... .digitNine: try number()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: throw failure("a value was expected")
    }
    return true
  }

  /// True when the end of a container was passed, which is the end of a value in turn.
  private mutating func endOfValue() throws(Failure) -> Bool {
    guard let container = open.last else { return false }
    skipWhitespace()
    switch (container, peek) {
    case (.openBrace, .comma):
      at += 1
      skipWhitespace()
      try key()
      return false
    case (.openBracket, .comma):
      at += 1
      return false
    case (.openBrace, .closeBrace), (.openBracket, .closeBracket):
      return leave()
    default:
      throw failure("a comma or the end of the container was expected")
    }
  }

  private mutating func enter() {
    open.append(bytes[at])
    at += 1
    skipWhitespace()
  }

  private mutating func leave() -> Bool {
    open.removeLast()
    at += 1
    return true
  }

  private mutating func key() throws(Failure) {
    guard peek == .quote else { throw failure("a key was expected") }
    try string()
    skipWhitespace()
    guard peek == .colon else { throw failure("a colon was expected") }
    at += 1
  }

  private mutating func string() throws(Failure) {
    at += 1
    while at < bytes.count {
      let byte = bytes[at]
      if byte == .quote {
        at += 1
        return
      }
      if byte < 0x20 { throw failure("a control character in a string") }
      at += 1
      if byte == .backslash { try escape() }
    }
    throw failure("a string does not end")
  }

  private mutating func escape() throws(Failure) {
    switch peek {
    case .quote, .backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      at += 1
    case UInt8(ascii: "u"):
      at += 1
      for _ in 0..<4 {
        switch peek {
        case .digitZero ... .digitNine, UInt8(ascii: "a")...UInt8(ascii: "f"),
          UInt8(ascii: "A")...UInt8(ascii: "F"):
          at += 1
        default: throw failure("four hexadecimal digits were expected")
        }
      }
    default: throw failure("an unknown escape")
    }
  }

  private mutating func number() throws(Failure) {
    if peek == .minus { at += 1 }
    if peek == .digitZero { at += 1 } else { try digits() }
    if peek == UInt8(ascii: ".") {
      at += 1
      try digits()
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      at += 1
      if peek == UInt8(ascii: "+") || peek == .minus { at += 1 }
      try digits()
    }
  }

  private mutating func digits() throws(Failure) {
    let start = at
    while peek >= .digitZero && peek <= .digitNine { at += 1 }
    if at == start { throw failure("a digit was expected") }
  }

  private mutating func literal(_ text: StaticString) throws(Failure) {
    let end = at + text.utf8CodeUnitCount
    guard end <= bytes.count, text.withUTF8Buffer({ $0.elementsEqual(bytes[at..<end]) }) else {
      throw failure("\(text) was expected")
    }
    at = end
  }

  /// 0, which is never valid, at the end.
  private var peek: UInt8 { at < bytes.count ? bytes[at] : 0 }

  private mutating func skipWhitespace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x0A, 0x0D, 0x09: at += 1
      default: return
      }
    }
  }

  private func failure(_ reason: String) -> Failure { Failure(offset: at, reason: reason) }
}

extension UInt8 {
  static let quote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")
  static let comma = UInt8(ascii: ",")
  static let colon = UInt8(ascii: ":")
  static let minus = UInt8(ascii: "-")
  static let digitZero = UInt8(ascii: "0")
  static let digitNine = UInt8(ascii: "9")
  static let openBrace = UInt8(ascii: "{")
  static let closeBrace = UInt8(ascii: "}")
  static let openBracket = UInt8(ascii: "[")
  static let closeBracket = UInt8(ascii: "]")
  static let newline = UInt8(ascii: "\n")
}

// swift-format-ignore-file: AvoidRetroactiveConformances

// The conformances are for tests only: products must check what becomes an identifier or an instant.
import Vocabulary

// Tests write identifiers and instants as literals. A wrong literal is a mistake in the test and ends it.

extension Identifier: @retroactive ExpressibleByUnicodeScalarLiteral {}
extension Identifier: @retroactive ExpressibleByExtendedGraphemeClusterLiteral {}
extension Identifier: @retroactive ExpressibleByStringLiteral {
  public init(stringLiteral text: String) {
    self = Identifier(text)!
  }
}

extension Timestamp: @retroactive ExpressibleByUnicodeScalarLiteral {}
extension Timestamp: @retroactive ExpressibleByExtendedGraphemeClusterLiteral {}
extension Timestamp: @retroactive ExpressibleByStringLiteral {
  public init(stringLiteral text: String) {
    self = Timestamp(rfc3339: text)!
  }
}

extension Month {
  init(literal text: String) {
    self = Month(text)!
  }
}

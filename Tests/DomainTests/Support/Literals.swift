import Vocabulary

// Tests write identifiers and instants as literals. A wrong literal is a mistake in the test and ends it.

extension Identifier: ExpressibleByUnicodeScalarLiteral {}
extension Identifier: ExpressibleByExtendedGraphemeClusterLiteral {}
extension Identifier: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) {
    self = Identifier(text)!
  }
}

extension Timestamp: ExpressibleByUnicodeScalarLiteral {}
extension Timestamp: ExpressibleByExtendedGraphemeClusterLiteral {}
extension Timestamp: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) {
    self = Timestamp(rfc3339: text)!
  }
}

extension Month {
  init(literal text: String) {
    self = Month(text)!
  }
}

/// A JSON document as it was sent. Numbers stay text: no digit of an amount is lost on the way.
enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// For messages: what was found instead.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// Why bytes are not a JSON document, and where.
struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
  let line: Int
  let column: Int
  let message: String

  var description: String { "\(message) at line \(line), column \(column)" }
}

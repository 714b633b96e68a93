/// A statement with its parameters. In a string interpolation every value becomes a bind parameter, so text from
/// outside can never become SQL:
///
/// ```swift
/// try await pool.query("select version from aisle.streams where tenant = \(tenant) and name = \(name)")
/// ```
public struct SQL: Sendable, ExpressibleByStringInterpolation {
  /// The text with `$1`, `$2` … in place of the values; the key of the prepared-statement cache.
  public let text: String
  let parameters: [PostgresParameter]

  /// For a hot statement whose text is built once.
  public init(_ text: String, _ parameters: [PostgresParameter]) {
    self.text = text
    self.parameters = parameters
  }

  public init(stringLiteral value: String) {
    text = value
    parameters = []
  }

  public init(stringInterpolation: StringInterpolation) {
    text = stringInterpolation.text
    parameters = stringInterpolation.parameters
  }

  public struct StringInterpolation: StringInterpolationProtocol {
    var text = ""
    var parameters: [PostgresParameter] = []

    public init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + interpolationCount * 3)
    }

    public mutating func appendLiteral(_ literal: String) { text += literal }

    public mutating func appendInterpolation(_ value: some PostgresValue) {
      parameters.append(PostgresParameter(value))
      text += "$\(parameters.count)"
    }

    /// A fixed piece of SQL chosen by the program, such as `asc`; it cannot carry data.
    public mutating func appendInterpolation(fixed: StaticString) { text += "\(fixed)" }
  }
}

/// One bind parameter in PostgreSQL's binary format.
public struct PostgresParameter: Sendable {
  let typeOID: UInt32
  let bytes: [UInt8]?

  public init<Value: PostgresValue>(_ value: Value) {
    typeOID = Value.postgresType.oid
    if value.isPostgresNull {
      bytes = nil
    } else {
      var encoded: [UInt8] = []
      value.appendPostgresBytes(to: &encoded)
      bytes = encoded
    }
  }
}

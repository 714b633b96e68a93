/// Anything that can go wrong between us and the database.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    /// The server answered with an error; ``PostgresError/sqlState`` is set.
    case server
    /// The connection broke, or its server did not even answer a cancel request. Whether the last statement took
    /// effect is unknown.
    case connectionLost
    /// No connection could be made.
    case connectFailed
    /// The deadline passed; the statement was cancelled on the server.
    case timedOut
    /// Every connection of the pool stayed busy for longer than the acquire time-out.
    case poolExhausted
    /// The pool or connection has been closed.
    case closed
    /// A value had another type or shape than the program expected.
    case decoding
    /// A resource of this process could not be had.
    case client
  }

  public let kind: Kind
  public let message: String
  public let sqlState: SQLState?
  public let detail: String?
  public let hint: String?

  public init(
    _ kind: Kind, _ message: String, sqlState: SQLState? = nil, detail: String? = nil, hint: String? = nil
  ) {
    self.kind = kind
    self.message = message
    self.sqlState = sqlState
    self.detail = detail
    self.hint = hint
  }

  /// True when nobody can know whether the statement took effect.
  public var isConnectionLost: Bool {
    kind == .connectionLost || sqlState.map(\.isConnectionFailure) == true
  }

  public var description: String {
    var text = message
    if let sqlState { text += " (SQLSTATE \(sqlState.code))" }
    if let detail { text += ". \(detail)" }
    if let hint { text += ". \(hint)" }
    return text
  }
}

/// The five-character error code of the SQL standard; the only thing errors are matched by
/// (names of constraints differ between a table and its shards).
public struct SQLState: Hashable, Sendable, ExpressibleByStringLiteral {
  public let code: String

  public init(_ code: String) { self.code = code }
  public init(stringLiteral value: String) { code = value }

  public static let uniqueViolation: SQLState = "23505"
  public static let checkViolation: SQLState = "23514"
  public static let queryCanceled: SQLState = "57014"
  public static let serializationFailure: SQLState = "40001"
  public static let deadlockDetected: SQLState = "40P01"
  public static let undefinedTable: SQLState = "42P01"
  public static let insufficientPrivilege: SQLState = "42501"
  public static let duplicateObject: SQLState = "42710"
  public static let duplicateDatabase: SQLState = "42P04"

  /// Class 08 (connection exception; 08P01, a message that the server could not read, is none) and the shutdown
  /// states of class 57.
  public var isConnectionFailure: Bool {
    (code.hasPrefix("08") && code != "08P01") || code == "57P01" || code == "57P02" || code == "57P03"
  }

  /// The transaction did nothing and may simply be run again.
  public var isRetryable: Bool { self == .serializationFailure || self == .deadlockDetected }

  /// The input was at fault (data exception, integrity, or a limit such as JSON nested deeper than the server's
  /// stack), not the server. A statement that the server does not know, or may not run for us (class 42), is not what
  /// a caller sent.
  public var isCausedByInput: Bool {
    code.hasPrefix("22") || code.hasPrefix("23") || code.hasPrefix("54")
  }
}

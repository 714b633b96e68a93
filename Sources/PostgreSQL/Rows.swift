import CLibpq

/// The rows that a statement returned, decoded only as they are asked for.
public struct Rows: Sendable, RandomAccessCollection {
  let result: QueryResult

  public var startIndex: Int { 0 }
  public var endIndex: Int { result.rowCount }
  public subscript(position: Int) -> Row { Row(result: result, index: position) }

  /// How many rows the statement inserted, updated, deleted or selected.
  public var affected: Int { result.affected }

  /// What the server says it did, such as `INSERT 0 1` or `COMMIT`.
  public var commandTag: String { result.commandTag }
}

/// One row. Columns are decoded in their order: `let (id, total) = try row.decode(String.self, Int64.self)`.
public struct Row: Sendable {
  let result: QueryResult
  let index: Int

  public func decode<Value: PostgresValue>(_: Value.Type) throws(PostgresError) -> Value {
    try column(0, as: Value.self)
  }

  public func decode<each Value: PostgresValue>(
    _ types: repeat (each Value).Type
  ) throws(PostgresError) -> (repeat each Value) {
    var next = 0
    func take<T: PostgresValue>(_: T.Type) throws(PostgresError) -> T {
      defer { next += 1 }
      return try column(next, as: T.self)
    }
    return (repeat try take(each types))
  }

  /// One column by its place, counted from 0.
  public func column<Value: PostgresValue>(
    _ column: Int, as _: Value.Type = Value.self
  ) throws(PostgresError) -> Value {
    guard column < result.columnCount else {
      throw PostgresError(
        .decoding, "column \(column + 1) was asked for, the statement returns \(result.columnCount)")
    }
    do {
      return try Value(
        postgresBytes: result.bytes(row: index, column: column), type: result.type(of: column))
    } catch {
      throw PostgresError(.decoding, "column \"\(result.name(of: column))\": \(error.message)")
    }
  }
}

/// Owns a `PGresult`.
///
/// Sendable without a lock because libpq documents a `PGresult` as immutable once `PQgetResult` has returned it:
/// every function called here only reads, and `PQclear` runs once, when the last reference is gone.
final class QueryResult: @unchecked Sendable {
  private let pointer: OpaquePointer
  let rowCount: Int
  let columnCount: Int

  init(taking pointer: OpaquePointer) {
    self.pointer = pointer
    rowCount = Int(PQntuples(pointer))
    columnCount = Int(PQnfields(pointer))
  }

  deinit { PQclear(pointer) }

  var status: ExecStatusType { PQresultStatus(pointer) }
  var commandTag: String { PQcmdStatus(pointer).map { String(cString: $0) } ?? "" }
  var affected: Int { PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0 }

  func type(of column: Int) -> UInt32 { PQftype(pointer, Int32(column)) }
  func name(of column: Int) -> String { PQfname(pointer, Int32(column)).map { String(cString: $0) } ?? "?" }

  func bytes(row: Int, column: Int) -> UnsafeRawBufferPointer? {
    guard PQgetisnull(pointer, Int32(row), Int32(column)) == 0 else { return nil }
    return UnsafeRawBufferPointer(
      start: PQgetvalue(pointer, Int32(row), Int32(column)),
      count: Int(PQgetlength(pointer, Int32(row), Int32(column))))
  }

  /// The server's error, or nil if the statement succeeded.
  var error: PostgresError? {
    switch status {
    case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: break
    default: return nil
    }
    let state = field(diagnosticSQLState).map { SQLState($0) }
    let message = field(diagnosticPrimary) ?? trimmed(PQresultErrorMessage(pointer)) ?? "unknown error"
    // Without an SQLSTATE the message is libpq's own: the connection broke under the statement.
    return PostgresError(
      state == nil || state?.isConnectionFailure == true ? .connectionLost : .server, message,
      sqlState: state,
      detail: field(diagnosticDetail), hint: field(diagnosticHint))
  }

  private func field(_ code: Character) -> String? {
    guard let code = code.asciiValue else { return nil }
    return PQresultErrorField(pointer, Int32(code)).map { String(cString: $0) }
  }
}

/// libpq's messages end in a line break.
func trimmed(_ message: UnsafePointer<CChar>?) -> String? {
  guard let message else { return nil }
  var text = String(cString: message)
  while text.last?.isNewline == true { text.removeLast() }
  return text.isEmpty ? nil : text.split(whereSeparator: \.isNewline).joined(separator: " ")
}

// PG_DIAG_… of postgres_ext.h are C character literals, which the importer leaves out.
private let diagnosticSQLState: Character = "C"
private let diagnosticPrimary: Character = "M"
private let diagnosticDetail: Character = "D"
private let diagnosticHint: Character = "H"

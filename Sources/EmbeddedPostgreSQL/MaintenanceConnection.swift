import CLibpq

/// One blocking libpq connection for the few statements that make and drop databases. It belongs to
/// a thread that may block; everything else goes through the driver.
package struct MaintenanceConnection: ~Copyable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private let connection: OpaquePointer

  package init(_ conninfo: String) throws(Failure) {
    guard let connection = PQconnectdb(conninfo) else { throw Failure(description: "out of memory") }
    guard PQstatus(connection) == CONNECTION_OK else {
      let message = String(cString: PQerrorMessage(connection))
      PQfinish(connection)
      throw Failure(description: message.trimmed)
    }
    self.connection = connection
  }

  deinit { PQfinish(connection) }

  /// The version of libpq, as in 150018 for 15.18.
  static var clientVersion: Int { Int(PQlibVersion()) }

  /// As in 150018 for version 15.18.
  package var serverVersion: Int { Int(PQserverVersion(connection)) }

  /// Runs one statement and returns its first column.
  @discardableResult
  package func execute(_ statement: String) throws(Failure) -> [String] {
    let result = PQexec(connection, statement)
    defer { PQclear(result) }
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
      return (0..<PQntuples(result)).map { String(cString: PQgetvalue(result, $0, 0)) }
    default:
      throw Failure(description: "\(String(cString: PQerrorMessage(connection)).trimmed): \(statement)")
    }
  }

  /// Whether a server at that address takes connections now.
  static func answers(_ conninfo: String) -> Bool { PQping(conninfo) == PQPING_OK }
}

extension String {
  fileprivate var trimmed: String {
    var text = self[...]
    while text.last?.isWhitespace == true { text = text.dropLast() }
    return String(text)
  }
}

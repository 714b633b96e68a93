import CLibpq
import Glibc

/// The blocking part of connecting, on a thread of its own.
struct OpenConnection: Sendable {
  /// Owns a `PGconn`.
  ///
  /// Sendable because it has exactly one user at a time: the connecting thread lets go of it before the actor is
  /// made, afterwards only that actor uses it, and the last reference ends it.
  final class Handle: @unchecked Sendable {
    let connection: OpaquePointer
    private var isFinished = false

    init(_ connection: OpaquePointer) { self.connection = connection }

    deinit { finish() }

    func finish() {
      guard !isFinished else { return }
      isFinished = true
      PQfinish(connection)
    }
  }

  private let result: Result<Handle, PostgresError>

  init(_ configuration: PostgresConfiguration) {
    let seconds = max(1, configuration.connectTimeout.milliseconds / 1000)
    // Later key words win: the connection string may set its own time-outs but not another encoding. A host that
    // vanishes is noticed within a minute when nothing is being sent, and within half a minute otherwise.
    let options: [(String, String)] = [
      ("connect_timeout", "\(seconds)"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
      ("keepalives_count", "3"), ("tcp_user_timeout", "30000"), ("dbname", configuration.connectionString),
      ("fallback_application_name", configuration.applicationName), ("client_encoding", "UTF8"),
    ]
    let keywords = CStrings(options.map(\.0))
    let values = CStrings(options.map(\.1))
    guard let connection = PQconnectdbParams(keywords.pointers, values.pointers, 1) else {
      result = .failure(PostgresError(.client, "libpq is out of memory"))
      return
    }
    guard PQstatus(connection) == CONNECTION_OK else {
      let message = trimmed(PQerrorMessage(connection)) ?? "unknown reason"
      PQfinish(connection)
      result = .failure(PostgresError(.connectFailed, "could not connect to the database: \(message)"))
      return
    }
    PQsetnonblocking(connection, 1)
    // Notices ("relation exists, skipping") would otherwise be printed to standard error.
    PQsetNoticeProcessor(connection, { _, _ in }, nil)
    result = .success(Handle(connection))
  }

  func get() throws(PostgresError) -> Handle { try result.get() }
}

/// A NULL-terminated array of C strings.
private final class CStrings {
  let pointers: [UnsafePointer<CChar>?]

  init(_ strings: [String]) { pointers = strings.map { UnsafePointer(strdup($0)) } + [nil] }

  deinit { for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) } }
}

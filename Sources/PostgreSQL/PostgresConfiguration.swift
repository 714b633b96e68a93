/// Where the database is and how long to wait for it.
public struct PostgresConfiguration: Sendable {
  /// A libpq connection string or `postgresql://` URI; all of libpq's options work in it, TLS and several hosts
  /// with `target_session_attrs=read-write` among them. Without keepalive settings in it, a host that vanishes is
  /// noticed within a minute.
  public var connectionString: String
  public var applicationName: String
  /// For each host that is tried.
  public var connectTimeout: Duration
  /// The server cancels a statement that runs for longer; nil leaves the server's own setting.
  public var statementTimeout: Duration?
  /// Settings of every session, such as `aisle.tenant`; made whenever a connection is, so they survive reconnecting.
  public var sessionSettings: [String: String]

  public init(
    _ connectionString: String, applicationName: String = "aisle", connectTimeout: Duration = .seconds(10),
    statementTimeout: Duration? = .seconds(60), sessionSettings: [String: String] = [:]
  ) {
    self.connectionString = connectionString
    self.applicationName = applicationName
    self.connectTimeout = connectTimeout
    self.statementTimeout = statementTimeout
    self.sessionSettings = sessionSettings
  }

  /// What a new connection runs first; nil if there is nothing.
  var startScript: String? {
    var statements = sessionSettings.sorted { $0.key < $1.key }.map { name, value in
      "select pg_catalog.set_config(\(Self.quoted(name)), \(Self.quoted(value)), false)"
    }
    if let statementTimeout { statements.append("set statement_timeout = \(statementTimeout.milliseconds)") }
    return statements.isEmpty ? nil : statements.joined(separator: ";")
  }

  private static func quoted(_ text: String) -> String {
    // E'…' means the same whatever standard_conforming_strings is.
    "E'\(text.replacing("\\", with: "\\\\").replacing("'", with: "''"))'"
  }
}

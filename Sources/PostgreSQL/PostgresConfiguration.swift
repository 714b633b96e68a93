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

  public init(
    _ connectionString: String, applicationName: String = "aisle", connectTimeout: Duration = .seconds(10),
    statementTimeout: Duration? = .seconds(60)
  ) {
    self.connectionString = connectionString
    self.applicationName = applicationName
    self.connectTimeout = connectTimeout
    self.statementTimeout = statementTimeout
  }
}

/// How long a statement without a time-out of its own may take, by this process' clock.
///
/// The server's `statement_timeout` ends what takes too long there. It cannot end the wait for an answer that a network
/// has swallowed; this does.
public enum StatementLimit {
  /// For everything that runs in a task; nil for the connection's own limit.
  @TaskLocal public static var current: Duration?

  /// What an answer may need on its way, after the server's time is over.
  static let transit: Duration = .seconds(5)
}

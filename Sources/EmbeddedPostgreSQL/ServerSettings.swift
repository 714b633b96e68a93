/// What the embedded server is run with.
enum ServerSettings {
  /// The port is part of the socket's name; nothing listens on the network.
  static let port = 5432

  /// On the command line, so that nothing can outrank them.
  static func fixed(socketDirectory: String) -> [(name: String, value: String)] {
    [
      ("listen_addresses", ""),
      ("port", "\(port)"),
      ("unix_socket_directories", socketDirectory),
      ("unix_socket_permissions", "0700"),
      // A committed append is in flushed WAL: Aisle's first promise.
      ("fsync", "on"),
      ("full_page_writes", "on"),
    ]
  }

  /// In the configuration file: an operator changes them with ALTER SYSTEM.
  static let defaults: [String: String] = [
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "1GB",
    "min_wal_size": "128MB",
    // Short statements: compiling them costs more than it saves.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%a ",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "cluster_name": "aisle",
  ]

  /// The configuration file: what initdb found out first, then the defaults, then the caller's.
  static func file(dataDirectory: String, extra: [String: String]) -> String {
    let settings = defaults.merging(extra) { $1 }.sorted { $0.key < $1.key }
    return """
      # Written by aisle whenever it starts the server; edits here are lost.
      # To change a setting for good, use: alter system set name = 'value'
      include \(quoted("\(dataDirectory)/postgresql.conf"))

      """ + settings.map { "\($0.key) = \(quoted($0.value))\n" }.joined()
  }

  private static func quoted(_ value: String) -> String {
    "'\(value.replacing("\\", with: "\\\\").replacing("'", with: "''"))'"
  }
}

import Configuration
import Foundation
import Logging

/// What the environment says. Every key can also be seen with `aisle doctor`.
struct Settings: Sendable {
  /// `AISLE_DATABASE_URL`: a libpq connection string or URI; without it the embedded server is used.
  let databaseURL: String?
  /// `AISLE_HOME`: where the embedded server keeps its data.
  let home: URL
  /// `AISLE_DATABASE`: which database of the embedded server, for example one that a scenario has kept.
  let databaseName: String
  /// `AISLE_HTTP_PORT`
  let httpPort: Int
  /// `AISLE_POOL_SIZE`: most connections of one process.
  let poolSize: Int
  /// `AISLE_LOG_LEVEL`; nil: info for servers, warning for other commands.
  let logLevel: Logger.Level?

  init(_ reader: ConfigReader = ConfigReader(provider: EnvironmentVariablesProvider())) throws {
    databaseURL = reader.string(forKey: "aisle.database.url", isSecret: true).flatMap {
      $0.isEmpty ? nil : $0
    }
    home = URL(filePath: reader.string(forKey: "aisle.home", default: ".aisle"), directoryHint: .isDirectory)
    databaseName = reader.string(forKey: "aisle.database", default: "aisle")
    httpPort = reader.int(forKey: "aisle.http.port", default: 8080)
    poolSize = reader.int(forKey: "aisle.pool.size", default: 16)
    logLevel = try reader.string(forKey: "aisle.log.level").map { text in
      guard let level = Logger.Level(rawValue: text.lowercased()) else {
        throw CommandFailure(
          "AISLE_LOG_LEVEL is \"\(text)\"; use \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
        )
      }
      return level
    }
    guard databaseName.wholeMatch(of: /[A-Za-z0-9_]{1,63}/) != nil else {
      throw CommandFailure(
        "AISLE_DATABASE is \"\(databaseName)\"; use 1 to 63 letters, digits and underscores")
    }
    guard (1...65_535).contains(httpPort) else {
      throw CommandFailure("AISLE_HTTP_PORT is \(httpPort); a port is 1 to 65535")
    }
    guard (2...1000).contains(poolSize) else {
      throw CommandFailure("AISLE_POOL_SIZE is \(poolSize); use 2 to 1000")
    }
  }
}

/// A message for the person at the terminal; the process ends with status 1.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

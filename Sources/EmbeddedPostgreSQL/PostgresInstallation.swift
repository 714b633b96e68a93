import Foundation

/// One installed version of PostgreSQL's server programs.
public struct PostgresInstallation: Equatable, Sendable {
  /// The first version with everything that Aisle uses.
  public static let oldestSupportedVersion = 15

  /// The directory of `initdb` and `postgres`.
  public let directory: String
  /// The major version, as in 15.
  public let version: Int

  public init(directory: String, version: Int) {
    self.directory = directory
    self.version = version
  }

  func program(_ name: String) -> String { "\(directory)/\(name)" }

  /// Every directory that is looked at, in order.
  public static func searchedDirectories() -> [String] {
    // Debian keeps the versions beside each other; Red Hat's packages use /usr/pgsql-15.
    versioned(in: "/usr/lib/postgresql", prefix: "").map { "\($0)/bin" }
      + versioned(in: "/usr", prefix: "pgsql-").map { "\($0)/bin" }
      + (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
  }

  /// The installations in these directories, newest first. Blocks.
  static func installed(in directories: [String] = searchedDirectories()) -> [PostgresInstallation] {
    var found: [PostgresInstallation] = []
    for directory in directories {
      let isComplete = ["initdb", "postgres"].allSatisfy { access("\(directory)/\($0)", X_OK) == 0 }
      guard isComplete, let version = version(of: directory),
        !found.contains(where: { $0.version == version })
      else { continue }
      found.append(PostgresInstallation(directory: directory, version: version))
    }
    return found.sorted { $0.version > $1.version }
  }

  /// ``installed(in:)`` for callers that may not block: a version may have to be asked for.
  public static func found(in directories: [String] = searchedDirectories()) async -> [PostgresInstallation] {
    await onDedicatedThread { installed(in: directories) }
  }

  /// The installation to run data of that major version with, or the newest for new data.
  static func choose(
    forDataOf version: Int?, at path: String, searching directories: [String]
  ) throws(PostgresClusterError) -> PostgresInstallation {
    let installed = installed(in: directories)
    guard let newest = installed.first else { throw .binariesMissing(searched: directories) }
    guard newest.version >= oldestSupportedVersion else {
      throw .binariesTooOld(path: newest.directory, version: newest.version)
    }
    guard let version else { return newest }
    guard let match = installed.first(where: { $0.version == version }) else {
      throw .dataDirectoryVersion(path: path, madeBy: version, installed: installed.map(\.version))
    }
    return match
  }

  private static func versioned(in parent: String, prefix: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    return names.filter { $0.hasPrefix(prefix) && Int($0.dropFirst(prefix.count)) != nil }
      .map { "\(parent)/\($0)" }
  }

  /// From the directory's name where that tells it, otherwise by asking the program.
  private static func version(of directory: String) -> Int? {
    for part in directory.split(separator: "/").suffix(2) {
      let digits = part.hasPrefix("pgsql-") ? part.dropFirst(6) : part
      if let version = Int(digits) { return version }
    }
    let question = ["\(directory)/postgres", "--version"]
    guard let output = try? Program.run(question, patience: Patience(seconds: 10)),
      output.ending == .exited(0)
    else { return nil }
    // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1); development versions: 19devel
    let number = output.text.split(separator: " ").dropFirst(2).first?.prefix { $0.isNumber }
    return number.flatMap { Int($0) }
  }
}

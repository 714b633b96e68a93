import Foundation
import Subprocess
import SystemPackage

/// Runs `pgbench`, PostgreSQL's own load generator, as the yardstick in the same run.
struct Pgbench: Sendable {
  let program: String
  let conninfo: String

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Transactions a second of one script with `clients` connections, prepared statements, one thread.
  func run(_ script: String, clients: Int, seconds: Int) async throws -> Double {
    let file = FileManager.default.temporaryDirectory.appending(path: "aisle-bench-\(UUID()).sql")
    try script.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let output = try await Shell.run(
      program,
      ["-n", "-M", "prepared", "-c", "\(clients)", "-j", "1", "-T", "\(seconds)", "-f", file.path, conninfo])
    guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
      let value = Double(line.dropFirst(6).prefix { $0.isNumber || $0 == "." })
    else { throw Failure(description: "pgbench printed no rate:\n\(output)") }
    return value
  }
}

/// Runs a program to its end without blocking a thread of the cooperative pool.
enum Shell {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  static func run(_ program: String, _ arguments: [String]) async throws -> String {
    let result = try await Subprocess.run(
      .path(FilePath(program)), arguments: Arguments(arguments), input: .none,
      output: .string(limit: 1 << 20),
      error: .string(limit: 1 << 20))
    guard result.terminationStatus.isSuccess else {
      throw Failure(
        description: "\(program) failed (\(result.terminationStatus)): \(result.standardError)")
    }
    return result.standardOutput
  }
}

import Foundation

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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = FileManager.default.temporaryDirectory.appending(path: "aisle-output-\(UUID())")
    guard FileManager.default.createFile(atPath: output.path, contents: nil) else {
      throw Failure(description: "cannot write to \(output.path)")
    }
    defer { try? FileManager.default.removeItem(at: output) }
    let handle = try FileHandle(forWritingTo: output)
    process.standardOutput = handle
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: Failure(description: "cannot run \(program): \(error)"))
      }
    }
    try handle.close()
    let text = try String(contentsOf: output, encoding: .utf8)
    guard status == 0 else {
      throw Failure(description: "\(program) ended with status \(status):\n\(text)")
    }
    return text
  }
}

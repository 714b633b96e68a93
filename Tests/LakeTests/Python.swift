import Foundation
import Testing

/// Another implementation to compare with.
enum Python {
  /// What the script prints; it has to end well.
  static func run(_ script: String, _ arguments: [String] = [], input: [UInt8] = []) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
    // A file, because a pipe that nobody empties while we write would block both sides.
    let file = FileManager.default.temporaryDirectory.appending(path: "aisle-input-\(UUID().uuidString)")
    try Data(input).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return data
  }
}

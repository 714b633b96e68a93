import Foundation

/// Python with PyArrow, DuckDB, delta-rs, Polars and Spark, which `bin/lake-readers` has got (bin/test calls it).
public enum LakeReaders {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  private static let folder: URL = {
    if let folder = ProcessInfo.processInfo.environment["AISLE_LAKE_READERS"] {
      return URL(filePath: folder)
    }
    return URL(filePath: #filePath).appending(path: "../../../.aisle/lake-readers").standardizedFileURL
  }()

  /// DuckDB's own program.
  public static func duckdb() throws -> String {
    try requireReaders()
    return folder.appending(path: "duckdb_cli/duckdb").path
  }

  /// Spark's program to submit jobs with, and what it needs in its environment.
  public static func spark() throws -> (program: String, environment: [String: String]) {
    try requireReaders()
    return (
      folder.appending(path: "pyspark/bin/spark-submit").path,
      ["PYTHONPATH": folder.path, "PYSPARK_PYTHON": "python3", "SPARK_LOCAL_IP": "127.0.0.1"]
    )
  }

  private static func requireReaders() throws {
    guard FileManager.default.fileExists(atPath: folder.appending(path: "complete").path) else {
      throw Failure(description: "there are no readers in \(folder.path); run bin/lake-readers first")
    }
  }

  /// What the script prints. It has to end well.
  public static func run(_ script: String, _ arguments: [String] = []) throws -> Data {
    try requireReaders()
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // As a file: DuckDB takes a script of the command line for a person, to whom it shows how slow queries are going.
    let file = FileManager.default.temporaryDirectory.appending(path: "aisle-reader-\(UUID().uuidString).py")
    try Data(script.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    process.arguments = ["python3", file.path] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONPATH": folder.path]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(
        description:
          "the reader ended with status \(process.terminationStatus), see its message above; it printed "
          + String(decoding: data.suffix(2000), as: UTF8.self))
    }
    return data
  }
}

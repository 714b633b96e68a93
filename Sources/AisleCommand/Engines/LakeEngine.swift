import ArgumentParser
import Foundation
import Lake
import Subprocess
import SystemPackage

/// Who computes bills from a lake.
enum LakeEngine: String, ExpressibleByArgument, CaseIterable {
  /// Aisle itself, event by event, after it has verified the lake.
  case aisle
  case duckdb
  case spark

  /// Larger answers would have millions of accounts.
  private static let longestAnswer = 1 << 30

  /// The bills that the engine finds. `program` is looked for in `PATH` if it is no path.
  func bills(_ query: LakeBillQuery, program: String?, master: String) async throws -> [LakeBill] {
    if query.files.isEmpty { return [] }
    let rows: [LakeBill.Row]
    switch self {
    case .aisle: throw CommandFailure("aisle reads the events itself and asks no engine")
    case .duckdb: rows = try await Self.duckdb(query, program ?? "duckdb")
    case .spark: rows = try await Self.spark(query, program ?? "spark-submit", master)
    }
    return try rows.map { row in
      guard let bill = LakeBill(row) else {
        throw CommandFailure("the bill of \(row.accountID) for \(row.month) is larger than a bill can be")
      }
      return bill
    }
  }

  private static func duckdb(_ query: LakeBillQuery, _ program: String) async throws -> [LakeBill.Row] {
    // Relative paths: in an absolute one there could be what DuckDB takes for a pattern.
    let files = query.files.map { "'\($0)'" }.joined(separator: ", ")
    let script = """
      create view billing_lines as select * from read_parquet([\(files)], hive_partitioning = false);
      \(query.sql);
      """
    let output = try await run(
      program, ["-init", "/dev/null", "-bail", "-json", ":memory:"], in: query.directory, input: script,
      hint:
        "DuckDB is one program, see https://duckdb.org/docs/installation; give its path with --engine-program"
    )
    return try decode(output.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  private static func spark(
    _ query: LakeBillQuery, _ program: String, _ master: String
  ) async throws -> [LakeBill.Row] {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "aisle-spark-\(UUID().uuidString.lowercased())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (job, request) = (folder.appending(path: "job.py"), folder.appending(path: "request.json"))
    try Data(sparkJob.utf8).write(to: job)
    let files = query.files.map { query.directory.appending(path: $0).standardizedFileURL.path }
    try JSONEncoder().encode(SparkRequest(files: files, sql: query.sql)).write(to: request)
    let output = try await run(
      program, ["--master", master, "--name", "aisle-bills", job.path, request.path], in: folder, input: "",
      hint: "pip install pyspark has it, and it needs Java; give its path with --engine-program")
    guard let line = output.split(separator: "\n").last(where: { $0.hasPrefix(answerMark) }) else {
      throw CommandFailure("\(program) printed no answer")
    }
    return try decode(String(line.dropFirst(answerMark.count)))
  }

  private struct SparkRequest: Encodable {
    let files: [String]
    let sql: String
  }

  private static let answerMark = "aisle-bills: "

  /// What every Spark runs, 3 and 4, on this machine or on a cluster that sees the files under the same paths.
  private static let sparkJob = """
    import json, sys
    from pyspark.sql import SparkSession

    request = json.load(open(sys.argv[1]))
    spark = SparkSession.builder.config("spark.sql.ansi.enabled", "true").getOrCreate()
    spark.read.parquet(*request["files"]).createOrReplaceTempView("billing_lines")
    rows = [row.asDict() for row in spark.sql(request["sql"]).collect()]
    print("\(answerMark)" + json.dumps(rows))
    spark.stop()

    """

  private static func decode(_ text: String) throws -> [LakeBill.Row] {
    // DuckDB prints nothing for no rows.
    if text.isEmpty { return [] }
    do {
      return try JSONDecoder().decode([LakeBill.Row].self, from: Data(text.utf8))
    } catch {
      throw CommandFailure("the engine's answer cannot be read: \(error)")
    }
  }

  private static func run(
    _ program: String, _ arguments: [String], in folder: URL, input: String, hint: String
  ) async throws -> String {
    let executable: Executable = program.contains("/") ? .path(FilePath(program)) : .name(program)
    do {
      let result = try await Subprocess.run(
        executable, arguments: Arguments(arguments), workingDirectory: FilePath(folder.path),
        input: .string(input), output: .string(limit: longestAnswer), error: .string(limit: 16 << 20))
      guard result.terminationStatus.isSuccess else {
        let errors = (result.standardError).suffix(4000)
        throw CommandFailure("\(program) failed (\(result.terminationStatus)): \(errors)")
      }
      return result.standardOutput
    } catch let error as SubprocessError {
      throw CommandFailure("\(program) cannot be run (\(error)). \(hint)")
    }
  }
}

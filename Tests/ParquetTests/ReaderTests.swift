import Foundation
import Parquet
import TestSupport
import Testing

/// Programs that nobody here wrote read what the module writes.
@Suite("a Parquet file read by PyArrow and DuckDB")
struct ReaderTests {
  private struct Answer: Decodable {
    let files: Int
    /// Columns of row groups.
    let groups: Int
    let pages: Int
  }

  @Test("has the values, the types and the statistics that went in, whatever they are")
  func randomTables() throws {
    var random = SeededRandom(for: "Parquet files are read back")
    let directory = try TemporaryFolder()
    let tables = 250
    for number in 0..<tables {
      let table = RandomTable(using: &random)
      try Data(try table.encoded()).write(to: directory.url.appending(path: "\(number).parquet"))
      try JSONSerialization.data(withJSONObject: table.expectation)
        .write(to: directory.url.appending(path: "\(number).json"))
    }
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "readers.py")
    let output = try LakeReaders.run(try String(contentsOf: script, encoding: .utf8), [directory.url.path])
    let answer = try JSONDecoder().decode(Answer.self, from: output)
    #expect(answer.files == tables)
    // Else there were hardly any files of several row groups, or row groups of several pages.
    #expect(answer.groups > 2 * tables)
    #expect(answer.pages > answer.groups + tables)
  }

  @Test("is skipped by row groups, so that what a filter rules out is never read")
  func skipping() throws {
    let directory = try TemporaryFolder()
    var file: [UInt8] = []
    var options = ParquetWriter.Options()
    options.rowGroupBytes = 8000
    let writer = try ParquetWriter(
      columns: [ParquetColumn("position", .int64), ParquetColumn("name", .string)], options: options
    ) { file.append(contentsOf: $0) }
    var firstGroupEnd = 0
    for position in Int64(1)...3000 {
      try writer.append(position, to: 0)
      try writer.append(position < 1500 ? "early" : "late", to: 1)
      try writer.endRow()
      if firstGroupEnd == 0, file.count > 4 { firstGroupEnd = file.count }
    }
    try writer.finish()
    // Whoever reads the first row group in spite of its statistics stumbles.
    for index in 60..<firstGroupEnd { file[index] ^= 0x5A }
    let path = directory.url.appending(path: "file.parquet").path
    try Data(file).write(to: URL(filePath: path))

    let script = """
      import json, sys
      import duckdb
      import pyarrow.parquet as pq
      path = sys.argv[1]
      answers = [duckdb.execute(f"select count(*), min(position) from read_parquet('{path}') where {filter}").fetchone()
                 for filter in ("position > 2900", "name = 'late' and position > 2000")]
      answers.append((pq.read_table(path, filters=[("position", ">", 2900)]).num_rows, 2901))
      try:
          duckdb.execute(f"select sum(position), max(name) from read_parquet('{path}')").fetchone()
          stumbles = False
      except duckdb.Error:
          stumbles = True
      print(json.dumps({"answers": answers, "stumbles": stumbles}))
      """
    struct Answer: Decodable {
      let answers: [[Int64]]
      let stumbles: Bool
    }
    let answer = try JSONDecoder().decode(Answer.self, from: LakeReaders.run(script, [path]))
    #expect(answer.answers == [[100, 2901], [1000, 2001], [100, 2901]])
    #expect(answer.stumbles)
  }
}

/// Removed when the test ends.
final class TemporaryFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appending(path: "aisle-parquet-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }
}

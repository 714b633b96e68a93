import Parquet
import TestSupport
import Testing

@Suite("a Parquet reader")
struct ReadBackTests {
  private func reader(_ file: [UInt8]) throws -> ParquetReader {
    try ParquetReader(size: Int64(file.count)) { offset, count in
      Array(file[Int(offset)..<Int(offset) + count])
    }
  }

  private func rows(_ file: [UInt8]) throws -> [[ParquetValue]] {
    let reader = try reader(file)
    var rows: [[ParquetValue]] = []
    while let row = try reader.next() { rows.append(row) }
    return rows
  }

  @Test("reads what was written, whatever the columns, encodings, pages and compressions are")
  func randomTables() throws {
    var random = SeededRandom(for: "Parquet files are read back by ourselves")
    for _ in 0..<300 {
      let table = RandomTable(using: &random)
      let file = try table.encoded()
      let reader = try reader(file)
      #expect(reader.rows == table.rows.count)
      #expect(
        reader.columns.map { [$0.name, "\($0.type)", "\($0.isOptional)"] }
          == table.columns.map { [$0.name, "\($0.type)", "\($0.isOptional)"] })
      let expected = table.rows.map { row in row.map(\.parquet) }
      #expect(try rows(file) == expected)
    }
  }

  @Test(
    "refuses or survives a file that was altered or cut off anywhere, and never takes its word for a size")
  func damage() throws {
    var random = SeededRandom(for: "damaged Parquet files are refused")
    var refused = 0
    for _ in 0..<400 {
      let table = RandomTable(using: &random)
      var file = try table.encoded()
      if Int.random(in: 0..<4, using: &random) == 0 {
        file.removeLast(Int.random(in: 1...file.count, using: &random))
      } else {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          // Mostly the metadata, where lengths and counts are.
          let tail = Bool.random(using: &random) ? min(file.count, 200) : file.count
          file[file.count - 1 - Int.random(in: 0..<tail, using: &random)] = UInt8.random(
            in: 0...255, using: &random)
        }
      }
      do {
        let reader = try reader(file)
        // A count that was made larger must not be believed either.
        for _ in 0..<table.rows.count + 1 { _ = try reader.next() }
      } catch is ParquetReadError {
        refused += 1
      }
    }
    #expect(refused > 200)
  }

  @Test("finds a dictionary's index that leads nowhere")
  func indexOutside() throws {
    var file: [UInt8] = []
    var options = ParquetWriter.Options()
    options.compression = .none
    let writer = try ParquetWriter(
      columns: [ParquetColumn("a", .string, encoding: .dictionary)], options: options
    ) { file.append(contentsOf: $0) }
    for _ in 0..<100 {
      try writer.append("x", to: 0)
      try writer.endRow()
    }
    try writer.finish()
    #expect(try rows(file).count == 100)
    // The run of 100: its length, doubled, in two bytes, and its value.
    let run = try #require(
      file.indices.dropLast(2).first { Array(file[$0...$0 + 2]) == [0xC8, 0x01, 0x00] })
    file[run + 2] = 1
    #expect(throws: ParquetReadError.self) { try rows(file) }
  }
}

extension RandomTable.Value {
  var parquet: ParquetValue {
    switch self {
    case .null: .null
    case .boolean(let value): .boolean(value)
    case .number(let value): .number(value)
    case .bytes(let value): .bytes(value[...])
    }
  }
}

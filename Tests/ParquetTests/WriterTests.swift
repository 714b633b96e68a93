import Parquet
import TestSupport
import Testing

@Suite("a Parquet writer")
struct WriterTests {
  private func writer(_ columns: [ParquetColumn]) throws -> ParquetWriter {
    try ParquetWriter(columns: columns) { _ in }
  }

  @Test("refuses a row that has no value for a column, or two")
  func incompleteRows() throws {
    let columns = [ParquetColumn("a", .int64), ParquetColumn("b", .int64, optional: true)]
    let missing = try writer(columns)
    try missing.append(1 as Int64, to: 0)
    #expect(throws: ParquetError.incompleteRow(column: "b")) { try missing.endRow() }
    let double = try writer(columns)
    try double.append(1 as Int64, to: 0)
    try double.append(1 as Int64, to: 0)
    try double.appendNull(to: 1)
    #expect(throws: ParquetError.incompleteRow(column: "a")) { try double.endRow() }
    let unfinished = try writer(columns)
    try unfinished.append(1 as Int64, to: 0)
    #expect(throws: ParquetError.incompleteRow(column: "a")) { try unfinished.finish() }
  }

  @Test("refuses a null where none may be, and a value of another type")
  func wrongValues() throws {
    let writer = try writer([ParquetColumn("a", .int64), ParquetColumn("b", .string)])
    #expect(throws: ParquetError.nullInRequired(column: "a")) { try writer.appendNull(to: 0) }
    #expect(throws: ParquetError.wrongType(column: "a")) { try writer.append("text", to: 0) }
    #expect(throws: ParquetError.wrongType(column: "b")) { try writer.append(1 as Int32, to: 1) }
    #expect(throws: ParquetError.wrongType(column: "a")) { try writer.append(true, to: 0) }
  }

  @Test("takes nothing more when it has finished")
  func finished() throws {
    let writer = try writer([ParquetColumn("a", .int64)])
    try writer.finish()
    #expect(throws: ParquetError.finished) { try writer.finish() }
    try writer.append(1 as Int64, to: 0)
    #expect(throws: ParquetError.finished) { try writer.endRow() }
  }

  @Test("writes the same bytes for the same rows")
  func repeatable() throws {
    var random = SeededRandom(for: "Parquet files are repeatable")
    for _ in 0..<20 {
      let table = RandomTable(using: &random)
      let first = try table.encoded()
      #expect(try table.encoded() == first)
    }
  }

  @Test("holds no more in memory than a row group, however long the file is")
  func memory() throws {
    var options = ParquetWriter.Options()
    options.rowGroupBytes = 1 << 20
    var written = 0
    let writer = try ParquetWriter(
      columns: [ParquetColumn("n", .int64), ParquetColumn("text", .string)], options: options
    ) { written += $0.count }
    var random = SeededRandom(for: "Parquet row groups are bounded")
    for number in 0..<60_000 as Range<Int64> {
      try writer.append(number, to: 0)
      // Nothing that could be compressed.
      try writer.append((0..<8).map { _ in String(random.next(), radix: 36) }.joined(), to: 1)
      try writer.endRow()
      #expect(writer.bufferedBytes < 2 << 20)
    }
    try writer.finish()
    #expect(writer.uncompressedBytes > 6 << 20)
    #expect(written == writer.writtenBytes)
  }
}

import Parquet

/// The rows of one commit of a table, of all its files, in the order of their positions.
///
/// Memory: of each file one compressed row group and a page of each column.
final class DeltaRows {
  private struct Cursor {
    let file: DeltaLog.File
    let reader: ParquetReader
    var row: [ParquetValue]?
    var position: Int64
  }

  private var cursors: [Cursor] = []

  init(_ files: [DeltaLog.File], layout: LakeLayout, schema: DeltaSchema) throws {
    for file in files {
      let reader = try Self.reader(layout.absolute(file.path))
      guard reader.columns.elementsEqual(schema.columns, by: { Self.isSame($0, $1) }) else {
        throw ParquetReadError.damaged("it does not have the columns of \(schema.name)")
      }
      cursors.append(Cursor(file: file, reader: reader, row: nil, position: 0))
      try advance(cursors.count - 1)
    }
  }

  /// Nil after the last row.
  func next() throws -> (row: [ParquetValue], file: DeltaLog.File)? {
    guard var index = cursors.indices.first(where: { cursors[$0].row != nil }) else { return nil }
    for other in cursors.indices
    where cursors[other].row != nil && cursors[other].position < cursors[index].position {
      index = other
    }
    guard let row = cursors[index].row else { return nil }
    try advance(index)
    return (row, cursors[index].file)
  }

  private func advance(_ index: Int) throws {
    let row = try cursors[index].reader.next()
    cursors[index].row = row
    guard let row else { return }
    guard let position = row.first?.number else {
      throw ParquetReadError.damaged("a row has no position")
    }
    cursors[index].position = position
  }

  private static func isSame(_ found: ParquetColumn, _ column: DeltaColumn) -> Bool {
    found.name == column.name && found.type == column.type && found.isOptional == column.isOptional
  }

  private static func reader(_ path: String) throws -> ParquetReader {
    let source = Source(try File.read(path))
    return try ParquetReader(size: try source.file.size()) { try source.file.read(at: $0, count: $1) }
  }

  /// Keeps the file open as long as it is read.
  private final class Source {
    let file: File
    init(_ file: consuming File) { self.file = file }
  }
}

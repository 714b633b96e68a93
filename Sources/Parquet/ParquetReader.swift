/// A value of a row.
public enum ParquetValue: Sendable, Hashable {
  case null
  case boolean(Bool)
  /// Of every type of whole numbers, and of dates and instants.
  case number(Int64)
  case bytes(ArraySlice<UInt8>)

  public var number: Int64? { if case .number(let value) = self { value } else { nil } }
  public var bytes: ArraySlice<UInt8>? { if case .bytes(let value) = self { value } else { nil } }
}

/// Reads the files that ``ParquetWriter`` writes, row by row, to check them or to go on from them.
///
/// Memory: the compressed row group, and one page of each column. A file that was damaged or made up is an error, never a
/// crash; but that its values are those which were written is for a digest of the file to show.
public final class ParquetReader {
  /// A footer is never longer.
  private static let longestFooter = 64 << 20

  public let columns: [ParquetColumn]
  public let rows: Int64

  private struct Chunk {
    let codec: Int64
    let offset: Int64
    let bytes: Int64
  }

  private struct Group {
    let rows: Int64
    let chunks: [Chunk]
  }

  private let size: Int64
  private let read: (_ offset: Int64, _ count: Int) throws -> [UInt8]
  private let groups: [Group]
  private var nextGroup = 0
  private var readers: [ColumnReader] = []
  private var left: Int64 = 0

  /// - Parameters:
  ///   - size: of the file, in bytes.
  ///   - read: brings a part of the file, all of it.
  public init(size: Int64, read: @escaping (_ offset: Int64, _ count: Int) throws -> [UInt8]) throws {
    self.size = size
    self.read = read
    guard size >= 12 else { throw ParquetReadError.damaged("it is too short") }
    let tail = try read(size - 8, 8)
    guard tail.suffix(4) == ParquetWriter.magic[...] else {
      throw ParquetReadError.damaged("its end is not that of a Parquet file")
    }
    let length = tail.prefix(4).enumerated().reduce(0) { $0 | Int64($1.element) << Int64(8 * $1.offset) }
    guard length <= size - 12, length <= Self.longestFooter else {
      throw ParquetReadError.damaged("its footer would have \(length) bytes")
    }
    var thrift = ThriftCompactReader(try read(size - 8 - length, Int(length))[...])
    let footer = try thrift.structure()
    guard let elements = footer[2]?.list, let rows = footer[3]?.integer, rows >= 0,
      let groups = footer[4]?.list
    else { throw ParquetReadError.damaged("its footer lacks the schema or the row groups") }
    self.rows = rows
    let columns = try elements.dropFirst().map { try Self.column($0) }
    self.columns = columns
    self.groups = try groups.map { try Self.group($0, of: columns.count, in: size - 8 - length) }
    guard self.groups.reduce(0, { $0 &+ $1.rows }) == rows else {
      throw ParquetReadError.damaged("its row groups do not have its rows")
    }
  }

  /// The next row, a value for each column; nil after the last.
  public func next() throws -> [ParquetValue]? {
    while left == 0 {
      guard nextGroup < groups.count else { return nil }
      let group = groups[nextGroup]
      nextGroup += 1
      readers = []
      for (column, chunk) in zip(columns, group.chunks) {
        readers.append(
          try ColumnReader(column, codec: chunk.codec, chunk: try read(chunk.offset, Int(chunk.bytes))))
      }
      left = group.rows
    }
    left -= 1
    var row: [ParquetValue] = []
    row.reserveCapacity(readers.count)
    for index in readers.indices { row.append(try readers[index].next()) }
    return row
  }

  private static func column(_ element: ThriftValue) throws(ParquetReadError) -> ParquetColumn {
    guard element[5] == nil, let name = element[4]?.text else { throw .unsupported("nested columns") }
    guard let repetition = element[3]?.integer, (0...1).contains(repetition) else {
      throw .unsupported("repeated columns")
    }
    let type: ParquetType? =
      switch (element[1]?.integer, element[6]?.integer) {
      case (0, nil): .boolean
      case (1, nil): .int32
      case (1, 6): .date
      case (2, nil): .int64
      case (2, 10): .timestamp
      case (6, nil): .bytes
      case (6, 0): .string
      case (6, 19): .json
      default: nil
      }
    guard let type else { throw .unsupported("the type of column \(name)") }
    return ParquetColumn(name, type, optional: repetition == 1)
  }

  private static func group(
    _ value: ThriftValue, of columns: Int, in end: Int64
  ) throws(ParquetReadError) -> Group {
    guard let rows = value[3]?.integer, rows >= 0, let chunks = value[1]?.list, chunks.count == columns else {
      throw .damaged("a row group lacks its columns")
    }
    var found: [Chunk] = []
    for chunk in chunks {
      guard let meta = chunk[3], let codec = meta[4]?.integer, let bytes = meta[7]?.integer,
        let offset = meta[11]?.integer ?? meta[9]?.integer,
        offset >= 4, bytes >= 0, bytes <= end, offset <= end - bytes
      else { throw .damaged("a column does not say where it lies") }
      found.append(Chunk(codec: codec, offset: offset, bytes: bytes))
    }
    return Group(rows: rows, chunks: found)
  }
}

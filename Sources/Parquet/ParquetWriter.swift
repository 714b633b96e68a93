/// Writes one Parquet file, row by row, in memory that does not grow with it.
///
/// ```swift
/// let writer = try ParquetWriter(columns: [ParquetColumn("id", .int64), ParquetColumn("name", .string, optional: true)]) {
///   try file.write($0)
/// }
/// try writer.append(7, to: 0)
/// try writer.appendNull(to: 1)
/// try writer.endRow()
/// try writer.finish()
/// ```
///
/// The file's bytes depend on nothing but the columns, the options and the rows. The format is that of
/// <https://github.com/apache/parquet-format>: data pages of version 1, with statistics in each page and for each
/// column of a row group.
public final class ParquetWriter {
  public struct Options: Sendable, Hashable {
    public var compression = ParquetCompression.zstd(level: 3)
    /// A row group ends with the row that brings it to this size before compression.
    public var rowGroupBytes = 64 << 20
    /// A page ends with the value that brings it to this size.
    public var pageBytes = 1 << 20
    /// A page has at most this many rows.
    public var pageRows = 20_000
    /// A column's dictionary in one row group is never larger.
    public var dictionaryBytes = 1 << 20

    public init() {}
  }

  public let columns: [ParquetColumn]
  public private(set) var rows: Int64 = 0
  /// Handed to the sink so far.
  public private(set) var writtenBytes: Int64 = 0
  /// Of all values so far, before compression.
  public private(set) var uncompressedBytes: Int64 = 0

  private let options: Options
  private let properties: [(key: String, value: String)]
  private let createdBy: String
  private let sink: (UnsafeRawBufferPointer) throws -> Void
  private var writers: [ColumnWriter]
  private var groups: [RowGroup] = []
  private var ranges: [ValueRange]
  private var groupRows = 0
  private var groupBytes = 0
  private var isFinished = false

  /// - Parameters:
  ///   - properties: what readers find as the file's metadata.
  ///   - sink: gets the file from its first byte to its last.
  public init(
    columns: [ParquetColumn], options: Options = Options(), properties: [(key: String, value: String)] = [],
    createdBy: String = "aisle", sink: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    self.columns = columns
    self.options = options
    self.properties = properties
    self.createdBy = createdBy
    self.sink = sink
    let compressor = try PageCompressor(options.compression)
    writers = columns.map { ColumnWriter($0, options, compressor) }
    ranges = columns.map { _ in ValueRange() }
    try write(Self.magic)
  }

  static let magic = Array("PAR1".utf8)

  /// What the row group holds in memory.
  public var bufferedBytes: Int { writers.reduce(0) { $0 + $1.bufferedBytes } }

  public func append(_ value: Bool, to column: Int) throws(ParquetError) {
    try require(.boolean, column)
    groupBytes += try writers[column].append(value)
  }

  /// For `int32` and `date`.
  public func append(_ value: Int32, to column: Int) throws(ParquetError) {
    try require(.int32, column)
    groupBytes += try writers[column].append(value)
  }

  /// For `int64` and `timestamp`.
  public func append(_ value: Int64, to column: Int) throws(ParquetError) {
    try require(.int64, column)
    groupBytes += try writers[column].append(value)
  }

  /// For `bytes`, `string` and `json`. That the latter two are UTF-8 is the caller's promise.
  public func append(_ value: UnsafeRawBufferPointer, to column: Int) throws(ParquetError) {
    try require(.byteArray, column)
    groupBytes += try writers[column].append(value)
  }

  public func append(_ value: String, to column: Int) throws(ParquetError) {
    try require(.byteArray, column)
    var value = value
    // `withUTF8` knows no typed errors.
    groupBytes += try value.withUTF8 { text in
      Result { () throws(ParquetError) in try writers[column].append(UnsafeRawBufferPointer(text)) }
    }.get()
  }

  public func append(_ value: String?, to column: Int) throws(ParquetError) {
    if let value { try append(value, to: column) } else { try appendNull(to: column) }
  }

  public func append(_ value: Int64?, to column: Int) throws(ParquetError) {
    if let value { try append(value, to: column) } else { try appendNull(to: column) }
  }

  public func appendNull(to column: Int) throws(ParquetError) {
    groupBytes += try writers[column].appendNull()
  }

  /// For values that another file had, or that are worked with as such.
  public func append(_ value: ParquetValue, to column: Int) throws(ParquetError) {
    switch (value, columns[column].type.physical) {
    case (.null, _): try appendNull(to: column)
    case (.boolean(let value), _): try append(value, to: column)
    case (.number(let value), .int32):
      guard let value = Int32(exactly: value) else { throw .wrongType(column: columns[column].name) }
      try append(value, to: column)
    case (.number(let value), _): try append(value, to: column)
    case (.bytes(let value), _):
      // `withUnsafeBytes` knows no typed errors.
      groupBytes += try value.withUnsafeBytes { bytes in
        Result { () throws(ParquetError) in
          try require(.byteArray, column)
          return try writers[column].append(bytes)
        }
      }.get()
    }
  }

  /// Of each column, over all row groups that have ended.
  public var statistics: [ParquetStatistics] {
    ranges.map { range in
      ParquetStatistics(
        nullCount: range.nullCount,
        least: range.numbers.map { .number($0.lowerBound) } ?? range.texts.map { .bytes($0.least[...]) },
        greatest: range.numbers.map { .number($0.upperBound) } ?? range.texts.map { .bytes($0.greatest[...]) }
      )
    }
  }

  private func require(_ type: PhysicalType, _ column: Int) throws(ParquetError) {
    if columns[column].type.physical != type { throw .wrongType(column: columns[column].name) }
  }

  /// Every column has to have been given one value since the row before.
  public func endRow() throws {
    if isFinished { throw ParquetError.finished }
    groupRows += 1
    for writer in writers where writer.rows != groupRows {
      throw ParquetError.incompleteRow(column: writer.column.name)
    }
    rows += 1
    if groupBytes >= options.rowGroupBytes { try endRowGroup() }
  }

  /// Hands the rows so far to the sink, to free the memory that they take.
  public func endRowGroup() throws {
    if groupRows == 0 { return }
    let start = writtenBytes
    var chunks: [ColumnChunk] = []
    for index in writers.indices {
      chunks.append(try writers[index].finishChunk(at: writtenBytes) { try write($0) })
    }
    for (index, chunk) in chunks.enumerated() { ranges[index].add(chunk.range) }
    groups.append(RowGroup(chunks: chunks, rows: Int64(groupRows), offset: start))
    uncompressedBytes += Int64(groupBytes)
    groupRows = 0
    groupBytes = 0
  }

  /// Ends the file; nothing can be appended any more.
  public func finish() throws {
    if isFinished { throw ParquetError.finished }
    for writer in writers where writer.rows != groupRows {
      throw ParquetError.incompleteRow(column: writer.column.name)
    }
    try endRowGroup()
    isFinished = true
    var footer = Footer(
      columns: columns, groups: groups, compression: options.compression, properties: properties,
      createdBy: createdBy
    ).encoded()
    footer.appendLittleEndian(UInt32(footer.count))
    try write(footer + Self.magic)
  }

  private func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  private func write(_ bytes: UnsafeRawBufferPointer) throws {
    if bytes.isEmpty { return }
    try sink(bytes)
    writtenBytes += Int64(bytes.count)
  }
}

/// What a column of a file holds.
public struct ParquetStatistics: Sendable, Hashable {
  public let nullCount: Int64
  /// The least value, a boolean's as 0 or 1; nil for a column without bounds, and when all are null.
  public let least: ParquetValue?
  public let greatest: ParquetValue?
}

/// One column of the row group that is being written: a page of values, and the compressed pages before it.
struct ColumnWriter {
  let column: ParquetColumn
  private let options: ParquetWriter.Options
  private let compressor: PageCompressor

  // The page that is being filled.
  private var values: [UInt8] = []
  private var indices: [UInt32] = []
  private var levels: [UInt32] = []
  /// Of the byte that booleans are being packed into.
  private var bit = 0
  private var pageRange = ValueRange()
  private var pageRows = 0

  // The row group so far.
  private var dictionary: ValueDictionary?
  /// Whether the page that is being filled holds indices.
  private var usesDictionary: Bool
  private var pages: [UInt8] = []
  private var uncompressed = 0
  private var range = ValueRange()
  private var encodings: Set<PageEncoding> = []
  private(set) var rows = 0

  init(_ column: ParquetColumn, _ options: ParquetWriter.Options, _ compressor: PageCompressor) {
    self.column = column
    self.options = options
    self.compressor = compressor
    usesDictionary = column.encoding == .dictionary && column.type != .boolean
    if usesDictionary {
      dictionary = ValueDictionary(
        isText: column.type.physical == .byteArray, limit: options.dictionaryBytes)
    }
  }

  /// Bytes that are held in memory.
  var bufferedBytes: Int {
    values.count + 4 * (indices.count + levels.count) + pages.count + (dictionary?.page.count ?? 0)
  }

  /// Each returns the bytes that the value has before compression.
  mutating func appendNull() throws(ParquetError) -> Int {
    guard column.isOptional else { throw .nullInRequired(column: column.name) }
    pageRange.addNull()
    try endValue(isNull: true)
    return 1
  }

  mutating func append(_ value: Bool) throws(ParquetError) -> Int {
    if bit == 0 { values.append(0) }
    if value { values[values.count - 1] |= 1 << UInt8(bit) }
    bit = (bit + 1) & 7
    if column.hasBounds { pageRange.add(value ? 1 : 0) }
    try endValue(isNull: false)
    return 1
  }

  mutating func append(_ value: Int32) throws(ParquetError) -> Int {
    try withUnsafeBytes(of: value.littleEndian) { (bytes) throws(ParquetError) in
      try store(bytes, number: Int64(value))
    }
    return 4
  }

  mutating func append(_ value: Int64) throws(ParquetError) -> Int {
    try withUnsafeBytes(of: value.littleEndian) { (bytes) throws(ParquetError) in
      try store(bytes, number: value)
    }
    return 8
  }

  mutating func append(_ value: UnsafeRawBufferPointer) throws(ParquetError) -> Int {
    try store(value)
    return 4 + value.count
  }

  /// `number` is the value of a column of numbers.
  private mutating func store(_ value: UnsafeRawBufferPointer, number: Int64? = nil) throws(ParquetError) {
    if usesDictionary {
      if let index = dictionary?.index(of: value) {
        // Most neighbours are equal, and comparing texts is what takes time.
        if index != indices.last { note(value, number) }
        indices.append(index)
        return try endValue(isNull: false)
      }
      // The pages before stay as they are; the row group goes on with plain ones.
      try endPage()
      usesDictionary = false
    }
    note(value, number)
    if number == nil { values.appendLittleEndian(UInt32(value.count)) }
    values.append(contentsOf: value)
    try endValue(isNull: false)
  }

  private mutating func note(_ value: UnsafeRawBufferPointer, _ number: Int64?) {
    if !column.hasBounds { return }
    if let number {
      pageRange.add(number)
    } else {
      pageRange.add(value)
    }
  }

  private mutating func endValue(isNull: Bool) throws(ParquetError) {
    if column.isOptional { levels.append(isNull ? 0 : 1) }
    pageRows += 1
    rows += 1
    if values.count >= options.pageBytes || pageRows >= options.pageRows { try endPage() }
  }

  private mutating func endPage() throws(ParquetError) {
    if pageRows == 0 { return }
    var page: [UInt8] = []
    page.reserveCapacity(values.count + indices.count + levels.count / 8 + 64)
    if column.isOptional {
      var encoded: [UInt8] = []
      RunLengthEncoder.encode(levels, bitWidth: 1, into: &encoded)
      page.appendLittleEndian(UInt32(encoded.count))
      page.append(contentsOf: encoded)
    }
    // A page of nulls only has no indices, and perhaps no dictionary.
    let encoding: PageEncoding = indices.isEmpty ? .plain : .dictionary
    if encoding == .dictionary {
      let width = max(1, RunLengthEncoder.bitWidth(for: indices.max() ?? 0))
      page.append(UInt8(width))
      RunLengthEncoder.encode(indices, bitWidth: width, into: &page)
    } else {
      page.append(contentsOf: values)
    }
    encodings.formUnion([encoding, .rle])

    let (rows, range, type) = (pageRows, pageRange, column.type)
    let chunk = try compressed(page) { header, sizes in
      header.write(sizes)
      header.dataPage(rows: rows, encoding: encoding, range: range, type: type)
    }
    pages.append(contentsOf: chunk)
    self.range.add(pageRange)
    pageRange = ValueRange()
    values.removeAll(keepingCapacity: true)
    indices.removeAll(keepingCapacity: true)
    levels.removeAll(keepingCapacity: true)
    bit = 0
    pageRows = 0
  }

  /// The page as it is stored: its header and its compressed bytes.
  private mutating func compressed(
    _ page: [UInt8], header: (inout PageHeader, (uncompressed: Int, compressed: Int)) -> Void
  ) throws(ParquetError) -> [UInt8] {
    var body: [UInt8] = []
    let size = try compressor.compress(page, into: &body)
    guard page.count <= Int(Int32.max), size <= Int(Int32.max) else {
      throw .pageTooLarge(column: column.name, bytes: page.count)
    }
    var head = PageHeader()
    header(&head, (page.count, size))
    let bytes = head.finish()
    uncompressed += bytes.count + page.count
    return bytes + body
  }

  /// Hands over the column's part of the row group and starts the next. `offset` is where it begins in the file.
  mutating func finishChunk(
    at offset: Int64, _ sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> ColumnChunk {
    try endPage()
    var dictionaryPage: [UInt8] = []
    if let dictionary, dictionary.count > 0 {
      encodings.insert(.plain)
      dictionaryPage = try compressed(dictionary.page) { header, sizes in
        header.writeDictionary(sizes)
        header.dictionaryPage(values: dictionary.count)
      }
    }
    try dictionaryPage.withUnsafeBytes(sink)
    try pages.withUnsafeBytes(sink)
    let chunk = ColumnChunk(
      column: column, rows: Int64(rows), encodings: encodings.sorted { $0.rawValue < $1.rawValue },
      uncompressedBytes: Int64(uncompressed), compressedBytes: Int64(dictionaryPage.count + pages.count),
      dictionaryOffset: dictionaryPage.isEmpty ? nil : offset,
      dataOffset: offset + Int64(dictionaryPage.count), range: range)

    dictionary?.removeAll()
    usesDictionary = dictionary != nil
    pages.removeAll(keepingCapacity: true)
    uncompressed = 0
    range = ValueRange()
    encodings = []
    rows = 0
    return chunk
  }
}

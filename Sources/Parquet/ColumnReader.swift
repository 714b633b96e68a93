/// One column of a row group, value by value. Holds the compressed pages and one decompressed page.
struct ColumnReader {
  /// So many values a page may have; more is damage, and would take memory out of proportion.
  private static let mostValues = 1 << 24

  private let column: ParquetColumn
  private let decompressor: PageDecompressor
  private let chunk: ArraySlice<UInt8>
  private var at: Int

  // The page that is being read.
  private var page: [UInt8] = []
  private var offset = 0
  private var bit = 0
  private var left = 0
  /// Of each value of the page, whether it is there; empty where all are.
  private var levels: [UInt32] = []
  private var indices: [UInt32]?
  private var nextLevel = 0
  private var nextIndex = 0
  private var dictionary: [ParquetValue]?

  init(_ column: ParquetColumn, codec: Int64, chunk: [UInt8]) throws(ParquetReadError) {
    self.column = column
    self.chunk = chunk[...]
    at = 0
    decompressor = try PageDecompressor(codec: codec)
  }

  /// The next value of the row group, of which there has to be one.
  mutating func next() throws(ParquetReadError) -> ParquetValue {
    while left == 0 { try readPage() }
    left -= 1
    if !levels.isEmpty {
      defer { nextLevel += 1 }
      if levels[nextLevel] == 0 { return .null }
    }
    guard let indices else { return try plain() }
    guard nextIndex < indices.count, let dictionary, Int(indices[nextIndex]) < dictionary.count else {
      throw .damaged("\(column.name) refers to a value that is not in its dictionary")
    }
    defer { nextIndex += 1 }
    return dictionary[Int(indices[nextIndex])]
  }

  private mutating func readPage() throws(ParquetReadError) {
    guard at < chunk.endIndex else { throw .damaged("\(column.name) has fewer values than rows") }
    var thrift = ThriftCompactReader(chunk[at...])
    let header = try thrift.structure()
    guard let kind = header[1]?.integer, let size = header[2]?.integer, let compressed = header[3]?.integer,
      compressed >= 0, compressed <= chunk.endIndex - thrift.at
    else { throw .damaged("a page of \(column.name) has no proper header") }
    at = thrift.at + Int(compressed)
    page = try decompressor.decompress(chunk[thrift.at..<at], to: Int(clamping: size))
    offset = 0
    bit = 0
    switch kind {
    case 0: try beginData(header[5])
    case 2: try readDictionary(header[7])
    default: throw .unsupported("pages of kind \(kind)")
    }
  }

  private mutating func beginData(_ header: ThriftValue?) throws(ParquetReadError) {
    let count = try self.count(header)
    levels = []
    nextLevel = 0
    if column.isOptional {
      let length = try number(4)
      guard length >= 0, length <= page.count - offset else {
        throw .damaged("the levels of \(column.name) do not end")
      }
      let end = offset + Int(length)
      levels = try RunLengthDecoder.decode(page[offset..<end], bitWidth: 1, count: count)
      offset = end
    }
    indices = nil
    nextIndex = 0
    switch header?[2]?.integer {
    case 0: break
    case 2, 8:
      let present = levels.isEmpty ? count : levels.count { $0 != 0 }
      let width = Int(try number(1))
      indices = try RunLengthDecoder.decode(page[offset...], bitWidth: width, count: present)
    default: throw .unsupported("a column whose values lie in another way")
    }
    left = count
  }

  private mutating func readDictionary(_ header: ThriftValue?) throws(ParquetReadError) {
    let count = try self.count(header)
    var values: [ParquetValue] = []
    for _ in 0..<count { values.append(try plain()) }
    dictionary = values
  }

  private func count(_ header: ThriftValue?) throws(ParquetReadError) -> Int {
    guard let count = header?[1]?.integer, (0...Int64(Self.mostValues)).contains(count) else {
      throw .damaged("a page of \(column.name) does not say how many values it has")
    }
    return Int(count)
  }

  private mutating func plain() throws(ParquetReadError) -> ParquetValue {
    switch column.type.physical {
    case .boolean:
      guard offset < page.count else { throw ended }
      let value = page[offset] >> UInt8(bit) & 1 == 1
      bit = (bit + 1) & 7
      if bit == 0 { offset += 1 }
      return .boolean(value)
    case .int32: return .number(Int64(Int32(truncatingIfNeeded: try number(4))))
    case .int64: return .number(try number(8))
    case .byteArray:
      let length = try number(4)
      guard length <= page.count - offset else { throw ended }
      defer { offset += Int(length) }
      return .bytes(page[offset..<offset + Int(length)])
    }
  }

  private var ended: ParquetReadError { .damaged("a page of \(column.name) ends too soon") }

  /// So many bytes, the lowest first.
  private mutating func number(_ bytes: Int) throws(ParquetReadError) -> Int64 {
    guard bytes <= page.count - offset else { throw ended }
    var value: UInt64 = 0
    for index in 0..<bytes { value |= UInt64(page[offset + index]) << UInt64(8 * index) }
    offset += bytes
    return Int64(bitPattern: value)
  }
}

/// What stands before a page.
struct PageHeader {
  private var thrift = ThriftCompactWriter()

  mutating func write(_ sizes: (uncompressed: Int, compressed: Int)) { write(type: 0, sizes) }

  mutating func writeDictionary(_ sizes: (uncompressed: Int, compressed: Int)) { write(type: 2, sizes) }

  private mutating func write(type: Int32, _ sizes: (uncompressed: Int, compressed: Int)) {
    thrift.field(1, type)
    thrift.field(2, Int32(sizes.uncompressed))
    thrift.field(3, Int32(sizes.compressed))
  }

  mutating func dataPage(rows: Int, encoding: PageEncoding, range: ValueRange, type: ParquetType) {
    thrift.field(5) { header in
      header.field(1, Int32(rows))
      header.field(2, encoding.rawValue)
      header.field(3, PageEncoding.rle.rawValue)
      header.field(4, PageEncoding.rle.rawValue)
      header.field(5) { range.write(type, to: &$0) }
    }
  }

  mutating func dictionaryPage(values: Int) {
    thrift.field(7) { header in
      header.field(1, Int32(values))
      header.field(2, PageEncoding.plain.rawValue)
    }
  }

  func finish() -> [UInt8] { thrift.bytes + [0] }
}

/// Where a column of a row group lies and what it holds.
struct ColumnChunk {
  let column: ParquetColumn
  let rows: Int64
  let encodings: [PageEncoding]
  let uncompressedBytes: Int64
  let compressedBytes: Int64
  let dictionaryOffset: Int64?
  let dataOffset: Int64
  let range: ValueRange

  func write(_ compression: ParquetCompression, to thrift: inout ThriftCompactWriter) {
    thrift.field(2, dictionaryOffset ?? dataOffset)
    thrift.field(3) { meta in
      meta.field(1, column.type.physical.rawValue)
      meta.field(2, list: encodings, of: .int32) { $0.signed(Int64($1.rawValue)) }
      meta.field(3, list: [column.name], of: .binary) { $0.binary(Array($1.utf8)) }
      meta.field(4, compression.codec)
      meta.field(5, rows)
      meta.field(6, uncompressedBytes)
      meta.field(7, compressedBytes)
      meta.field(9, dataOffset)
      if let dictionaryOffset { meta.field(11, dictionaryOffset) }
      meta.field(12) { range.write(column.type, to: &$0) }
    }
  }
}

struct RowGroup {
  let chunks: [ColumnChunk]
  let rows: Int64
  let offset: Int64

  func write(_ compression: ParquetCompression, ordinal: Int, to thrift: inout ThriftCompactWriter) {
    thrift.field(1, list: chunks, of: .structure) { list, chunk in
      list.structure { chunk.write(compression, to: &$0) }
    }
    thrift.field(2, chunks.reduce(0) { $0 + $1.uncompressedBytes })
    thrift.field(3, rows)
    thrift.field(5, offset)
    thrift.field(6, chunks.reduce(0) { $0 + $1.compressedBytes })
    // Sixteen bits, and left out by those who have more row groups than that.
    if let ordinal = Int16(exactly: ordinal) { thrift.field(7, ordinal) }
  }
}

/// The end of the file, which readers begin with.
struct Footer {
  let columns: [ParquetColumn]
  let groups: [RowGroup]
  let compression: ParquetCompression
  let properties: [(key: String, value: String)]
  let createdBy: String

  func encoded() -> [UInt8] {
    var thrift = ThriftCompactWriter()
    thrift.structure { file in
      file.field(1, Int32(2))
      file.field(2, list: [nil] + columns.map(Optional.some), of: .structure) { list, column in
        list.structure { element in
          if let column {
            column.write(to: &element)
          } else {
            element.field(4, "schema")
            element.field(5, Int32(columns.count))
          }
        }
      }
      file.field(3, groups.reduce(0) { $0 + $1.rows })
      file.field(4, list: Array(groups.enumerated()), of: .structure) { list, group in
        list.structure { group.element.write(compression, ordinal: group.offset, to: &$0) }
      }
      if !properties.isEmpty {
        file.field(5, list: properties, of: .structure) { list, property in
          list.structure {
            $0.field(1, property.key)
            $0.field(2, property.value)
          }
        }
      }
      file.field(6, createdBy)
      // Readers ignore the least and greatest values of a column whose order nobody states.
      file.field(7, list: columns, of: .structure) { list, _ in
        list.structure { order in order.field(1) { _ in } }
      }
    }
    return thrift.bytes
  }
}

extension ParquetColumn {
  fileprivate func write(to element: inout ThriftCompactWriter) {
    element.field(1, type.physical.rawValue)
    element.field(3, Int32(isOptional ? 1 : 0))
    element.field(4, name)
    if let converted = type.converted { element.field(6, converted) }
    switch type {
    case .boolean, .int32, .int64, .bytes: break
    case .string: element.field(10) { $0.field(1) { _ in } }
    case .date: element.field(10) { $0.field(6) { _ in } }
    case .json: element.field(10) { $0.field(12) { _ in } }
    case .timestamp:
      element.field(10) { logical in
        logical.field(8) { timestamp in
          timestamp.field(1, true)
          timestamp.field(2) { unit in unit.field(2) { _ in } }
        }
      }
    }
  }
}

extension ValueRange {
  func write(_ type: ParquetType, to thrift: inout ThriftCompactWriter) {
    thrift.field(3, nullCount)
    guard let (least, greatest) = bounds(type) else { return }
    thrift.field(5, greatest.bytes)
    thrift.field(6, least.bytes)
    thrift.field(7, greatest.isExact)
    thrift.field(8, least.isExact)
  }
}

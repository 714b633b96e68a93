/// A value of Thrift's compact protocol, read without a schema.
enum ThriftValue {
  case boolean(Bool)
  case integer(Int64)
  case binary(ArraySlice<UInt8>)
  case list([ThriftValue])
  case structure([Int16: ThriftValue])

  var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  var list: [ThriftValue]? { if case .list(let values) = self { values } else { nil } }
  var text: String? {
    if case .binary(let bytes) = self { String(validating: bytes, as: UTF8.self) } else { nil }
  }
  subscript(field: Int16) -> ThriftValue? {
    if case .structure(let fields) = self { fields[field] } else { nil }
  }
}

/// Reads what `ThriftCompactWriter` writes. Whatever the bytes are, it ends, and takes memory in proportion to them.
struct ThriftCompactReader {
  /// Parquet's metadata is six deep.
  private static let deepest = 16

  private let bytes: ArraySlice<UInt8>
  /// Where the next value begins.
  private(set) var at: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    at = bytes.startIndex
  }

  mutating func structure(depth: Int = 0) throws(ParquetReadError) -> ThriftValue {
    guard depth < Self.deepest else { throw .damaged("metadata is nested too deeply") }
    var fields: [Int16: ThriftValue] = [:]
    var last: Int16 = 0
    while true {
      let head = try byte()
      if head == 0 { return .structure(fields) }
      if head >> 4 == 0 {
        guard let id = Int16(exactly: try signed()) else { throw .damaged("a field's number is too large") }
        last = id
      } else {
        let (id, overflow) = last.addingReportingOverflow(Int16(head >> 4))
        guard !overflow else { throw .damaged("a field's number is too large") }
        last = id
      }
      fields[last] = try value(of: head & 0x0F, inList: false, depth: depth)
    }
  }

  private mutating func value(
    of kind: UInt8, inList: Bool, depth: Int
  ) throws(ParquetReadError) -> ThriftValue {
    switch kind {
    case 1, 2: return .boolean(try inList ? byte() == 1 : kind == 1)
    case 3: return .integer(Int64(Int8(bitPattern: try byte())))
    case 4, 5, 6: return .integer(try signed())
    case 7:
      _ = try take(8)
      return .integer(0)
    case 8: return .binary(try take(try length()))
    case 9, 10:
      let head = try byte()
      let count = head >> 4 == 15 ? try length() : Int(head >> 4)
      guard depth < Self.deepest, count <= bytes.endIndex - at else { throw .damaged("a list does not end") }
      var values: [ThriftValue] = []
      for _ in 0..<count { values.append(try value(of: head & 0x0F, inList: true, depth: depth + 1)) }
      return .list(values)
    case 12: return try structure(depth: depth + 1)
    default: throw .damaged("metadata holds a value of kind \(kind)")
    }
  }

  private mutating func byte() throws(ParquetReadError) -> UInt8 {
    guard at < bytes.endIndex else { throw .damaged("metadata ends too soon") }
    defer { at += 1 }
    return bytes[at]
  }

  private mutating func take(_ count: Int) throws(ParquetReadError) -> ArraySlice<UInt8> {
    guard count <= bytes.endIndex - at else { throw .damaged("metadata ends too soon") }
    defer { at += count }
    return bytes[at..<at + count]
  }

  private mutating func varint() throws(ParquetReadError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw .damaged("a number does not end")
  }

  private mutating func length() throws(ParquetReadError) -> Int {
    guard let length = Int(exactly: try varint()) else { throw .damaged("a length is too large") }
    return length
  }

  private mutating func signed() throws(ParquetReadError) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }
}

/// Thrift's compact protocol, as far as Parquet's metadata needs it.
///
/// Fields have to be written in the order of their numbers, each once.
struct ThriftCompactWriter {
  private(set) var bytes: [UInt8] = []
  /// The number of the last field of each struct that is being written.
  private var last: [Int16] = [0]

  enum Kind: UInt8 {
    case isTrue = 1
    case isFalse = 2
    case int16 = 4
    case int32 = 5
    case int64 = 6
    case binary = 8
    case list = 9
    case structure = 12
  }

  mutating func field(_ id: Int16, _ value: Bool) { header(id, value ? .isTrue : .isFalse) }

  mutating func field(_ id: Int16, _ value: Int16) {
    header(id, .int16)
    signed(Int64(value))
  }

  mutating func field(_ id: Int16, _ value: Int32) {
    header(id, .int32)
    signed(Int64(value))
  }

  mutating func field(_ id: Int16, _ value: Int64) {
    header(id, .int64)
    signed(value)
  }

  mutating func field(_ id: Int16, _ value: String) { field(id, Array(value.utf8)) }

  mutating func field(_ id: Int16, _ value: [UInt8]) {
    header(id, .binary)
    binary(value)
  }

  mutating func field(_ id: Int16, structure body: (inout ThriftCompactWriter) -> Void) {
    header(id, .structure)
    structure(body)
  }

  /// A struct where a value stands already: the document itself, or an element of a list.
  mutating func structure(_ body: (inout ThriftCompactWriter) -> Void) {
    last.append(0)
    body(&self)
    last.removeLast()
    bytes.append(0)
  }

  mutating func field<Element>(
    _ id: Int16, list elements: [Element], of kind: Kind, _ body: (inout ThriftCompactWriter, Element) -> Void
  ) {
    header(id, .list)
    if elements.count < 15 {
      bytes.append(UInt8(elements.count) << 4 | kind.rawValue)
    } else {
      bytes.append(0xF0 | kind.rawValue)
      bytes.appendVarint(UInt64(elements.count))
    }
    for element in elements { body(&self, element) }
  }

  mutating func signed(_ value: Int64) { bytes.appendVarint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

  mutating func binary(_ value: [UInt8]) {
    bytes.appendVarint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  private mutating func header(_ id: Int16, _ kind: Kind) {
    let step = id - last[last.count - 1]
    if step >= 1 && step <= 15 {
      bytes.append(UInt8(step) << 4 | kind.rawValue)
    } else {
      bytes.append(kind.rawValue)
      signed(Int64(id))
    }
    last[last.count - 1] = id
  }
}

extension [UInt8] {
  /// Seven bits a byte, the lowest first.
  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}

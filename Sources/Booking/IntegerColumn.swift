import Foundation

/// Many integers in a document, as one text: the Base64 of their little-endian bytes.
///
/// Encoders take numbers one by one, which takes ten times as long.
struct IntegerColumn<Value: FixedWidthInteger & Sendable>: Codable, Equatable, Sendable {
  var values: [Value] = []

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let bytes = try container.decode(Data.self)
    let width = MemoryLayout<Value>.size
    guard bytes.count.isMultiple(of: width) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(bytes.count) bytes are not whole numbers of \(width) bytes")
    }
    values = bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: width).map { offset in
        Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
      }
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(values.map(\.littleEndian).withUnsafeBytes { Data($0) })
  }
}

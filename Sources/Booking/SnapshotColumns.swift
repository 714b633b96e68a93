import Foundation

// Encoders take an array's elements one by one, which takes several times as long as one text for all.

/// Many integers in a document: the Base64 of their little-endian bytes.
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

/// Many texts in a document: all of them in one, and how many bytes each has.
struct TextColumn: Codable, Equatable, Sendable {
  var values: [String] = []

  private enum CodingKeys: CodingKey { case lengths, text }

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    var left = try container.decode(String.self, forKey: .text).utf8[...]
    for length in try container.decode(IntegerColumn<Int32>.self, forKey: .lengths).values {
      guard length >= 0, left.count >= length, let value = String(left.prefix(Int(length))) else {
        throw DecodingError.dataCorruptedError(
          forKey: .lengths, in: container, debugDescription: "a text of \(length) bytes is not there")
      }
      values.append(value)
      left.removeFirst(Int(length))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var lengths = IntegerColumn<Int32>()
    lengths.values = values.map { Int32($0.utf8.count) }
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(lengths, forKey: .lengths)
    try container.encode(values.joined(), forKey: .text)
  }
}

import Glibc

/// The least and the greatest value of a page or of a row group, and how many are null.
struct ValueRange {
  private(set) var nullCount: Int64 = 0
  private(set) var numbers: ClosedRange<Int64>?
  private(set) var texts: (least: [UInt8], greatest: [UInt8])?

  mutating func addNull() { nullCount += 1 }

  mutating func add(_ number: Int64) {
    guard let known = numbers else {
      numbers = number...number
      return
    }
    if number < known.lowerBound {
      numbers = number...known.upperBound
    } else if number > known.upperBound {
      numbers = known.lowerBound...number
    }
  }

  mutating func add(_ text: UnsafeRawBufferPointer) {
    guard texts != nil else {
      texts = (Array(text), Array(text))
      return
    }
    // In place: where values ascend, each is the greatest so far.
    if Self.isLess(text, texts?.least) {
      texts?.least.removeAll(keepingCapacity: true)
      texts?.least.append(contentsOf: text)
    }
    if Self.isGreater(text, texts?.greatest) {
      texts?.greatest.removeAll(keepingCapacity: true)
      texts?.greatest.append(contentsOf: text)
    }
  }

  mutating func add(_ other: ValueRange) {
    nullCount += other.nullCount
    if let numbers = other.numbers {
      add(numbers.lowerBound)
      add(numbers.upperBound)
    }
    if let texts = other.texts {
      texts.least.withUnsafeBytes { add($0) }
      texts.greatest.withUnsafeBytes { add($0) }
    }
  }

  private static func isLess(_ text: UnsafeRawBufferPointer, _ other: [UInt8]?) -> Bool {
    other?.withUnsafeBytes { compare(text, $0) < 0 } ?? false
  }

  private static func isGreater(_ text: UnsafeRawBufferPointer, _ other: [UInt8]?) -> Bool {
    other?.withUnsafeBytes { compare(text, $0) > 0 } ?? false
  }

  /// Byte by byte, unsigned; a prefix comes first.
  private static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    if let left = a.baseAddress, let right = b.baseAddress {
      let order = memcmp(left, right, min(a.count, b.count))
      if order != 0 { return Int(order) }
    }
    return a.count - b.count
  }

  /// A bound as the format stores it.
  struct Bound {
    let bytes: [UInt8]
    let isExact: Bool
  }

  /// Texts are cut to so many bytes, so that statistics stay small.
  static let longestText = 64

  func bounds(_ type: ParquetType) -> (least: Bound, greatest: Bound)? {
    if let numbers {
      return (Self.bound(numbers.lowerBound, type), Self.bound(numbers.upperBound, type))
    }
    guard let texts, let greatest = Self.upperBound(texts.greatest, type) else { return nil }
    let least = Self.prefix(texts.least, type)
    return (Bound(bytes: least, isExact: least.count == texts.least.count), greatest)
  }

  private static func bound(_ number: Int64, _ type: ParquetType) -> Bound {
    var bytes: [UInt8] = []
    switch type.physical {
    case .boolean: bytes.append(UInt8(truncatingIfNeeded: number))
    case .int32: bytes.appendLittleEndian(Int32(truncatingIfNeeded: number))
    case .int64, .byteArray: bytes.appendLittleEndian(number)
    }
    return Bound(bytes: bytes, isExact: true)
  }

  /// At most `longestText` bytes, and never a part of a character.
  private static func prefix(_ text: [UInt8], _ type: ParquetType) -> [UInt8] {
    guard text.count > longestText else { return text }
    var end = longestText
    while type != .bytes, end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
    return Array(text[..<end])
  }

  /// Not less than the text: a cut one has its last character replaced by the next one.
  private static func upperBound(_ text: [UInt8], _ type: ParquetType) -> Bound? {
    var prefix = prefix(text, type)
    if prefix.count == text.count { return Bound(bytes: text, isExact: true) }
    if type == .bytes {
      while prefix.last == 0xFF { prefix.removeLast() }
      guard let last = prefix.popLast() else { return nil }
      return Bound(bytes: prefix + [last + 1], isExact: false)
    }
    var scalars = String(decoding: prefix, as: UTF8.self).unicodeScalars
    while let last = scalars.popLast() {
      // Surrogates are no characters; after U+10FFFF nothing comes.
      let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
      guard let scalar = Unicode.Scalar(next) else { continue }
      scalars.append(scalar)
      return Bound(bytes: Array(String(scalars).utf8), isExact: false)
    }
    return nil
  }
}

extension Timestamp: CustomStringConvertible {
  /// The instant in UTC, such as `2026-11-24T19:30:00Z`; six fractional digits only when they are not all zero.
  ///
  /// Outside of the years 0000 to 9999, which RFC 3339 cannot name, the year is signed and at least six
  /// digits long; such a text is for people only and is refused by ``init(rfc3339:)`` and by encoders.
  public var rfc3339: String {
    let (seconds, fraction) = Int(microseconds).flooredDivision(by: 1_000_000)
    let (days, secondOfDay) = seconds.flooredDivision(by: 86_400)
    let date = CivilDate(daysSinceEpoch: days)
    return String(unsafeUninitializedCapacity: 32) { buffer in
      var writer = Writer(buffer: buffer)
      if (0...9999).contains(date.year) {
        writer.write(date.year, digits: 4)
      } else {
        writer.write(date.year < 0 ? "-" : "+")
        writer.write(abs(date.year), digits: 6)
      }
      writer.write("-")
      writer.write(date.month, digits: 2)
      writer.write("-")
      writer.write(date.day, digits: 2)
      writer.write("T")
      writer.write(secondOfDay / 3_600, digits: 2)
      writer.write(":")
      writer.write(secondOfDay / 60 % 60, digits: 2)
      writer.write(":")
      writer.write(secondOfDay % 60, digits: 2)
      if fraction != 0 {
        writer.write(".")
        writer.write(fraction, digits: 6)
      }
      writer.write("Z")
      return writer.count
    }
  }

  public var description: String { rfc3339 }

  /// Reads an RFC 3339 date-time: `2026-11-24T19:30:00Z`, `2026-11-24t20:30:00.25+01:00`.
  ///
  /// Any number of fractional digits is accepted and cut to microseconds. A leap second (`:60`) is refused:
  /// Unix time has no place for it.
  public init?(rfc3339 text: String) {
    var text = text
    let microseconds = text.withUTF8 { bytes -> Int64? in
      var scanner = Scanner(bytes: bytes)
      return scanner.dateTime()
    }
    guard let microseconds else { return nil }
    self.init(microseconds: microseconds)
  }

  /// Every event carries instants, so they are written without intermediate strings.
  private struct Writer {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    init(buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    mutating func write(_ character: Unicode.Scalar) {
      buffer[count] = UInt8(ascii: character)
      count += 1
    }

    /// The last `digits` digits of `number`.
    mutating func write(_ number: Int, digits: Int) {
      var rest = number
      for position in stride(from: count + digits - 1, through: count, by: -1) {
        buffer[position] = UInt8(48 + rest % 10)
        rest /= 10
      }
      count += digits
    }
  }

  /// Walks over the text once, without allocating.
  private struct Scanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func dateTime() -> Int64? {
      guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2),
        let date = CivilDate(year: year, month: month, day: day), skip("T") || skip("t"),
        let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60, skip(":"),
        let second = digits(2), second < 60, let fraction = fraction(), let offset = offset(),
        index == bytes.count
      else { return nil }
      let seconds = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second - offset
      return Int64(seconds * 1_000_000 + fraction)
    }

    /// Microseconds; 0 when there is no fraction, `nil` when a dot stands without digits.
    private mutating func fraction() -> Int? {
      guard skip(".") else { return 0 }
      let start = index
      var value = 0
      var scale = 1_000_000
      while let digit = nextDigit() {
        if scale > 1 {
          scale /= 10
          value += digit * scale
        }
      }
      return index > start ? value : nil
    }

    /// Seconds east of UTC.
    private mutating func offset() -> Int? {
      if skip("Z") || skip("z") { return 0 }
      let sign: Int
      if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
      guard let hours = digits(2), hours < 24, skip(":"), let minutes = digits(2), minutes < 60 else {
        return nil
      }
      return sign * (hours * 3_600 + minutes * 60)
    }

    private mutating func digits(_ count: Int) -> Int? {
      var value = 0
      for _ in 0..<count {
        guard let digit = nextDigit() else { return nil }
        value = value * 10 + digit
      }
      return value
    }

    private mutating func nextDigit() -> Int? {
      guard index < bytes.count, (48...57).contains(bytes[index]) else { return nil }
      defer { index += 1 }
      return Int(bytes[index]) - 48
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
      guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }
  }
}

extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let instant = Timestamp(rfc3339: text) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription:
          "\(text.quotedForMessage) is not an RFC 3339 date-time; write it like 2026-11-24T19:30:00Z")
    }
    self = instant
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    guard (0...9999).contains(civilDate().year) else {
      throw EncodingError.invalidValue(
        self,
        .init(codingPath: encoder.codingPath, debugDescription: "RFC 3339 cannot name the year of \(self)"))
    }
    try container.encode(rfc3339)
  }
}

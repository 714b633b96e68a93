/// A calendar month, such as `2026-11`. Whose calendar (which time zone) is for the caller to know.
public struct Month: Sendable, Hashable {
  /// 0…9999.
  public let year: Int
  /// 1…12.
  public let month: Int

  public init?(year: Int, month: Int) {
    guard (0...9999).contains(year), (1...12).contains(month) else { return nil }
    self.year = year
    self.month = month
  }

  /// Reads exactly `YYYY-MM`.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 7, bytes[4] == UInt8(ascii: "-") else { return nil }
    var numbers: [Int] = []
    for range in [0..<4, 5..<7] {
      guard bytes[range].allSatisfy({ (48...57).contains($0) }) else { return nil }
      numbers.append(bytes[range].reduce(0) { $0 * 10 + Int($1) - 48 })
    }
    self.init(year: numbers[0], month: numbers[1])
  }

  /// The month that a wall clock shows at `instant`, `utcOffset` seconds east of UTC. Years outside of
  /// 0…9999 are taken as the first and last month that there is.
  public init(of instant: Timestamp, utcOffset: Int = 0) {
    let date = instant.civilDate(utcOffset: utcOffset)
    switch date.year {
    case ..<0: (year, month) = (0, 1)
    case 0...9999: (year, month) = (date.year, date.month)
    default: (year, month) = (9999, 12)
    }
  }

  private init(unchecked year: Int, _ month: Int) {
    self.year = year
    self.month = month
  }

  /// The following month; 9999-12 is followed by itself.
  public var next: Month {
    if month < 12 { return Month(unchecked: year, month + 1) }
    return year < 9999 ? Month(unchecked: year + 1, 1) : self
  }

  /// The preceding month; 0000-01 is preceded by itself.
  public var previous: Month {
    if month > 1 { return Month(unchecked: year, month - 1) }
    return year > 0 ? Month(unchecked: year - 1, 12) : self
  }
}

extension Month: Comparable {
  public static func < (left: Month, right: Month) -> Bool {
    (left.year, left.month) < (right.year, right.month)
  }
}

extension Month: CustomStringConvertible {
  /// `YYYY-MM`.
  public var description: String {
    let digits = String(year)
    return String(repeating: "0", count: 4 - digits.utf8.count) + digits + (month < 10 ? "-0" : "-")
      + String(month)
  }
}

extension Month: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let month = Month(text) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "\(text.quotedForMessage) is not a month; write it like 2026-11")
    }
    self = month
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

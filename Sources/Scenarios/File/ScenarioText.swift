import Vocabulary

/// The small formats inside a scenario file. Each returns nil for a text that is not in its format.
enum ScenarioText {
  /// `250ms`, `90s`, `10m`, `1h30m`, `2d`; at most 10,000 days.
  static func duration(_ text: String) -> Duration? {
    let units: [(name: String, milliseconds: Int64)] = [
      ("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
    ]
    var rest = Substring(text)
    var total: Int64 = 0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let count = Int64(digits), count <= 864_000_000_000 else { return nil }
      rest = rest.dropFirst(digits.count)
      guard let unit = units.first(where: { rest.hasPrefix($0.name) }) else { return nil }
      rest = rest.dropFirst(unit.name.count)
      let (product, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
      guard !overflow, product <= 864_000_000_000 else { return nil }
      total += product
      guard total <= 864_000_000_000 else { return nil }
    }
    return .milliseconds(total)
  }

  /// `5ms`, or `5ms to 50ms`.
  static func durationRange(_ text: String) -> ClosedRange<Duration>? {
    let parts = text.parts(separatedBy: " to ")
    guard let first = duration(parts[0]) else { return nil }
    guard parts.count > 1 else { return first...first }
    guard parts.count == 2, let last = duration(parts[1]), first <= last else { return nil }
    return first...last
  }

  /// `7%`, `7.25 %`: basis points from 0 to 10,000.
  static func percent(_ text: String) -> Int? {
    guard text.hasSuffix("%") else { return nil }
    guard let points = decimal(text.dropLast().trimmed, exponent: 2), points <= 10_000 else { return nil }
    return Int(points)
  }

  /// `45.00` with exponent 2 is 4500. No sign, no more decimals than the exponent, at most 10^15 minor units.
  static func decimal(_ text: String, exponent: Int) -> Int64? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = parts.first, !whole.isEmpty else { return nil }
    let fraction = parts.count == 2 ? parts[1] : ""
    guard parts.count == 1 || !fraction.isEmpty, fraction.count <= exponent else { return nil }
    let digits = whole + fraction + String(repeating: "0", count: exponent - fraction.count)
    guard digits.count <= 18, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    guard let value = Int64(digits), value <= 1_000_000_000_000_000 else { return nil }
    return value
  }

  /// `90.00 EUR`.
  static func money(_ text: String) -> Money? {
    let parts = text.split(separator: " ")
    guard parts.count == 2, let currency = Currency(String(parts[1])) else { return nil }
    return decimal(String(parts[0]), exponent: currency.exponent).map {
      Money(minorUnits: $0, currency: currency)
    }
  }

  /// `best 2`, `best 1 to 4`, `best 2 in stalls`, `best 2 of premium`, `best 2 with 1 wheelchair`, `best 4 split`; what
  /// follows the number comes in this order.
  static func best(_ text: String) -> SeatWish? {
    var words = text.split(separator: " ").map(String.init)
    guard words.first == "best" else { return nil }
    words.removeFirst()
    let together = words.last != "split"
    if !together { words.removeLast() }
    var accessible = 0
    if words.count >= 3, words[words.count - 3] == "with", ["wheelchair", "wheelchairs"].contains(words.last)
    {
      guard let places = Int(words[words.count - 2]), (1...100).contains(places) else { return nil }
      accessible = places
      words.removeLast(3)
    }
    func name(after word: String) -> String? {
      guard words.count >= 2, words[words.count - 2] == word else { return nil }
      defer { words.removeLast(2) }
      return words.last
    }
    var category: CategoryID?
    if let name = name(after: "of") {
      guard let id = CategoryID(name) else { return nil }
      category = id
    }
    var section: SectionID?
    if let name = name(after: "in") {
      guard let id = SectionID(name) else { return nil }
      section = id
    }
    guard words.count == 1 || (words.count == 3 && words[1] == "to") else { return nil }
    guard let fewest = Int(words[0]), let most = words.count == 1 ? fewest : Int(words[2]) else { return nil }
    guard fewest >= 1, fewest <= most, most <= 100, accessible <= fewest else { return nil }
    return .best(
      fewest...most, section: section, together: together, category: category, accessible: accessible)
  }

  /// `A to T, 25 seats each`, `1 to 33, 6 seats each`.
  static func rows(_ text: String) -> [ShowOnSale.Row]? {
    let words = text.split { $0 == " " || $0 == "," }.map(String.init)
    guard words.count == 6, words[1] == "to", words[4] == "seats", words[5] == "each" else { return nil }
    guard let seats = Int(words[3]), (1...1_000).contains(seats) else { return nil }
    if let first = Int(words[0]), let last = Int(words[2]) {
      guard first >= 1, first <= last, last <= 1_000 else { return nil }
      return (first...last).map { ShowOnSale.Row(id: String($0), seats: seats) }
    }
    guard let first = letter(words[0]), let last = letter(words[2]), first <= last else { return nil }
    return (first...last).map { ShowOnSale.Row(id: String(UnicodeScalar($0)), seats: seats) }
  }

  private static func letter(_ text: String) -> UInt8? {
    guard text.utf8.count == 1, let byte = text.utf8.first, (65...90).contains(byte) else { return nil }
    return byte
  }
}

extension StringProtocol {
  /// Without white space at either end.
  var trimmed: String {
    var view = Substring(self)
    while let first = view.first, first.isWhitespace { view.removeFirst() }
    while let last = view.last, last.isWhitespace { view.removeLast() }
    return String(view)
  }

  /// `2_000` is a way to write 2000 in YAML.
  var withoutDigitSeparators: String { String(filter { $0 != "_" }) }
}

extension String {
  func parts(separatedBy separator: String) -> [String] {
    split(separator: separator, omittingEmptySubsequences: false).map(String.init)
  }
}

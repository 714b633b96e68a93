import EventStore
import Hummingbird
import Vocabulary

/// The query of a request. Reading a parameter gives its value or records a fault; names that nobody reads are
/// ignored.
struct Query {
  private var values: [String: String] = [:]
  let faults = Faults()

  init(_ request: Request) {
    for part in (request.uri.query ?? "").split(separator: "&") {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = pair[0].percentDecoded() else { continue }
      guard let value = (pair.count > 1 ? pair[1] : "").percentDecoded() else {
        faults.add(.parameter(name), "has a broken percent escape")
        continue
      }
      if values.updateValue(value, forKey: name) != nil { faults.add(.parameter(name), "is given twice") }
    }
  }

  func reject(_ name: String, _ message: String) { faults.add(.parameter(name), message) }

  func has(_ name: String) -> Bool { values[name] != nil }

  func integer(_ name: String, _ range: ClosedRange<Int64>, default absence: Int64) -> Int64? {
    parse(name, "an integer from \(range.lowerBound) to \(range.upperBound)", default: absence) { text in
      // "+5" is an Int64 to Swift, and a space and a 5 to form decoders.
      text.utf8.first == UInt8(ascii: "+") ? nil : Int64(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// How many items a page may have.
  func limit(default absence: Int64 = 100, upTo maximum: Int64 = 1000) -> Int? {
    integer("limit", 1...maximum, default: absence).map(Int.init)
  }

  /// After which place of a list the page begins; `place` reads it.
  func cursor<Place>(of list: Cursor.List, default start: Place, _ place: (String) -> Place?) -> Place? {
    parse("cursor", "a next_cursor of an earlier answer of this list", default: start) { text in
      Cursor(text, of: list).flatMap { place($0.place) }
    }
  }

  func month(_ name: String, default absence: Month) -> Month? {
    parse(name, Month.rule, default: absence, Month.init(requested:))
  }

  func month(_ name: String) -> Month?? {
    parse(name, Month.rule, default: Month?.none) { Month(requested: $0).map(Optional.some) }
  }

  func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String, default absence: Choice)
    -> Choice?
  {
    parse(
      name, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))", default: absence,
      Choice.init(rawValue:))
  }

  /// Names separated by commas, such as event types; none if it is not given.
  func names(_ name: String) -> [String]? {
    parse(name, "1 to 20 names of lower-case letters, digits and hyphens, separated by commas", default: []) {
      text in
      let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard names.count <= 20 else { return nil }
      return names.allSatisfy(Self.isName) ? names : nil
    }
  }

  func parse<Value>(
    _ name: String, _ rule: String, default absence: Value, _ make: (String) -> Value?
  ) -> Value? {
    guard let text = values[name] else { return absence }
    guard let value = make(text) else {
      faults.add(.parameter(name), "is \"\(text.prefix(64))\"; it must be \(rule)")
      return nil
    }
    return value
  }

  private static func isName(_ text: String) -> Bool {
    (1...100).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}

extension Month {
  static let rule = "a month such as 2026-11"

  /// The database's calendar begins with the year 1.
  init?(requested text: String) {
    guard let month = Month(text), month.year >= 1 else { return nil }
    self = month
  }
}

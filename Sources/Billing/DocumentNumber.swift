import Vocabulary

/// The number of an invoice or a credit note, such as `INV-2026-000042`: the 42nd one of the series in that year.
///
/// The n-th event of the stream `invoices-<series>-<year>` is the number n, so a number is taken by appending to that
/// stream at the version before. There is no gap and no number twice, whoever else does the same at the same moment.
public struct DocumentNumber: Sendable, Hashable {
  public enum Series: String, Sendable, Hashable, CaseIterable {
    case invoice = "INV"
    case creditNote = "CN"
  }

  public let series: Series
  /// In which the document is issued, by UTC.
  public let year: Int
  /// 1, 2, 3 … without gaps.
  public let ordinal: Int64

  public init(series: Series, year: Int, ordinal: Int64) {
    self.series = series
    self.year = year
    self.ordinal = ordinal
  }

  /// Reads what ``description`` writes.
  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let series = Series(rawValue: String(parts[0])), let year = Int(parts[1]),
      let ordinal = Int64(parts[2]), ordinal > 0
    else { return nil }
    self.init(series: series, year: year, ordinal: ordinal)
    guard description == text else { return nil }
  }
}

extension DocumentNumber: CustomStringConvertible {
  public var description: String {
    "\(series.rawValue)-\(Self.padded(Int64(year), 4))-\(Self.padded(ordinal, 6))"
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

extension DocumentNumber: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let number = DocumentNumber(text) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "\"\(text.prefix(64))\" is not a document's number such as INV-2026-000042")
    }
    self = number
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A number was given to a document; the only kind of event in a stream `invoices-<series>-<year>`.
public struct NumberAssigned: Sendable, Hashable, Codable {
  public let number: DocumentNumber
  public let accountID: AccountID
  public let month: Month
  public let currency: Currency

  private enum CodingKeys: String, CodingKey {
    case number, month, currency
    case accountID = "account_id"
  }

  public init(number: DocumentNumber, accountID: AccountID, month: Month, currency: Currency) {
    self.number = number
    self.accountID = accountID
    self.month = month
    self.currency = currency
  }
}

extension NumberAssigned: DomainEvent {
  public static let category = "invoices"
  public static let type = "number-assigned"

  public var type: String { Self.type }

  public init(type: String, from decoder: any Decoder) throws {
    guard type == Self.type else { throw UnknownEventType(type: type, category: Self.category) }
    try self.init(from: decoder)
  }
}

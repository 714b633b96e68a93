import EventStore
import Vocabulary

/// Some of the bills of a month, in the order of account and currency.
public struct MonthOverview: Sendable, Hashable {
  public let month: Month
  public let bills: [Bill]
  public let source: Bill.Source
  public let asOfPosition: Position
  /// Where the next page begins; nil on the last one.
  public let next: Cursor?

  /// Where a page ended; in text, `account/currency`.
  public struct Cursor: Sendable, Hashable, LosslessStringConvertible {
    let account: String
    let currency: String

    static let start = Cursor(account: "", currency: "")

    init(account: String, currency: String) {
      self.account = account
      self.currency = currency
    }

    init(_ bill: Bill) {
      self.init(account: bill.accountID.rawValue, currency: bill.currency.code)
    }

    public init?(_ text: String) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, AccountID(parts[0]) != nil, Currency(parts[1]) != nil else { return nil }
      self.init(account: parts[0], currency: parts[1])
    }

    public var description: String { "\(account)/\(currency)" }
  }
}

import Billing
import Vocabulary

/// The ledger as text for beancount and whatever reads its format.
///
/// It ends with assertions of the balances that SQL computes from the log, while the entries come from the events one by
/// one: `bean-check` fails if the two do not agree.
public struct BeancountJournal: Sendable {
  private var lastDay = "1970-01-01"

  public init() {}

  public var header: String {
    """
    ; The general ledger, from the event log. Dates are in UTC.
    option "title" "Aisle"

    """
      + Billing.Posting.Account.allCases.map { "1970-01-01 open \(Self.name($0.rawValue))\n" }.joined()
  }

  /// An entry. Names of people are in none.
  public mutating func text(of entry: Billing.JournalEntry) -> String {
    let day = String(entry.occurredAt.rfc3339.prefix(10))
    lastDay = max(lastDay, day)
    var lines = ["", "\(day) * \(Self.quoted(entry.narration))", "  position: \(entry.position)"]
    if let order = entry.orderID { lines.append("  order: \(Self.quoted(order.rawValue))") }
    if let account = entry.accountID { lines.append("  account: \(Self.quoted(account.rawValue))") }
    for posting in entry.postings {
      lines.append("  \(Self.name(posting.account.rawValue))  \(Money(posting.amount, entry.currency))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What must have come out; the day after the last entry.
  public func assertions(_ balance: TrialBalance) -> String {
    let day = Self.dayAfter(lastDay)
    let lines = balance.currencies.flatMap { currency in
      currency.entries.map { "\(day) balance \(Self.name($0.ledgerAccount))  \($0.balance)\n" }
    }
    return "\n; As of position \(balance.asOfPosition).\n" + lines.joined()
  }

  /// `tax_payable` is `Liabilities:TaxPayable`.
  private static func name(_ account: String) -> String {
    let words = account.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    let kind =
      switch Billing.Posting.Account(rawValue: account) {
      case .receivable, .cash: "Assets"
      case .taxPayable, .refundsPayable: "Liabilities"
      case .revenue, .fees: "Income"
      case nil: "Equity"
      }
    return "\(kind):\(words)"
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  private static func dayAfter(_ day: String) -> String {
    guard let start = Timestamp(rfc3339: "\(day)T00:00:00Z") else { return day }
    return String((start + .seconds(86_400)).rfc3339.prefix(10))
  }
}

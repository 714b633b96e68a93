import Vocabulary

extension Billing {
  /// Why a command was refused. Nothing has happened then.
  public enum Rejection: Error, Sendable, Hashable {
    case alreadyOpened(AccountID)
    /// Only an account that was opened has a time zone to change.
    case notOpened(AccountID)
    case invalidName(length: Int)
    case unknownTimeZone(String)
    case noLines(OrderID)
    case negativeAmount(OrderID, SeatID)
    case amountRefused(OrderID, MoneyError)
    case unbalanced(OrderID, difference: Int64)
    /// The order was charged because of another event of the log.
    case alreadyCharged(OrderID)
    case notCharged(OrderID)
    /// One of the seats was refunded because of another event of the log.
    case alreadyRefunded(OrderID)
    case refundExceedsCharge(OrderID, charged: Money)
    /// It can be closed from an instant on.
    case monthNotOver(Month, zone: String, until: Timestamp)
    /// The bill adds up to more than a `Money` can hold.
    case billRefused(MoneyError)
    /// It was tried several times to close the month, and did not come to it.
    case stillOpen(AccountID, Month, reason: String)
    case invalidReason(length: Int)
    /// All of the invoice was given back before.
    case nothingToCredit(DocumentNumber)
    /// No charge of the invoice, or named twice.
    case noSuchLine(DocumentNumber, position: Int64, lineNumber: Int)
    case creditExceedsLine(DocumentNumber, position: Int64, lineNumber: Int, left: Money)
    /// The key was used for another credit note of the invoice.
    case creditKeyReused(DocumentNumber)
  }
}

extension Billing.Rejection {
  /// The stable name of the reason, as problem documents and scripts know it.
  public var code: String {
    switch self {
    case .alreadyOpened: "account-already-opened"
    case .notOpened: "account-not-opened"
    case .invalidName: "invalid-account-name"
    case .unknownTimeZone: "unknown-time-zone"
    case .noLines: "no-lines"
    case .negativeAmount: "negative-amount"
    case .amountRefused: "amount-refused"
    case .unbalanced: "unbalanced"
    case .alreadyCharged: "already-charged"
    case .notCharged: "not-charged"
    case .alreadyRefunded: "already-refunded"
    case .refundExceedsCharge: "refund-exceeds-charge"
    case .monthNotOver: "month-not-over"
    case .billRefused: "bill-refused"
    case .stillOpen: "still-open"
    case .invalidReason: "invalid-reason"
    case .nothingToCredit: "nothing-to-credit"
    case .noSuchLine: "no-such-line"
    case .creditExceedsLine: "credit-exceeds-line"
    case .creditKeyReused: "id-reused"
    }
  }

  /// What happened, to what, and what to do next.
  public var message: String {
    switch self {
    case .alreadyOpened(let account):
      "Account \(account) is open with another name or time zone; open this one under another id"
    case .notOpened(let account):
      "Account \(account) was never opened, so it is billed by UTC; open it with its time zone"
    case .invalidName(let length):
      "The account's name has \(length) characters; use 1 to 200"
    case .unknownTimeZone(let name):
      "\"\(name.prefix(64))\" is not a time zone; use an IANA name such as America/New_York, or UTC"
    case .noLines(let order):
      "Order \(order) has no lines to charge; charge confirmed orders only"
    case .negativeAmount(let order, let seat):
      "Order \(order) has a negative amount for seat \(seat); amounts are 0 or more, in refunds too"
    case .amountRefused(let order, let error):
      "Order \(order) cannot be billed: \(error)"
    case .unbalanced(let order, let difference):
      "The postings of order \(order) are off by \(difference); debits and credits must add up to 0"
    case .alreadyCharged(let order):
      "Order \(order) is charged already, because of another event; look for two confirmations of it"
    case .notCharged(let order):
      "Order \(order) was never charged, so there is nothing to refund; charge it first"
    case .alreadyRefunded(let order):
      "Seats of order \(order) are refunded already, because of another event; look for two cancellations of them"
    case .refundExceedsCharge(let order, let charged):
      "Order \(order) was charged \(charged) and cannot be refunded more than that, or in another currency"
    case .monthNotOver(let month, let zone, let end):
      "Month \(month) is not over in \(zone); it can be closed from \(end) on"
    case .billRefused(let error):
      "The bill cannot be added up: \(error). Look for orders with impossible amounts"
    case .stillOpen(let account, let month, let reason):
      "Month \(month) of account \(account) is still open: \(reason). Close it again"
    case .invalidReason(let length):
      "The reason has \(length) characters; it must have 1 to 200"
    case .nothingToCredit(let invoice):
      "All of invoice \(invoice) was refunded or credited before; look at the account's credit notes"
    case .noSuchLine(let invoice, let position, let line):
      "Invoice \(invoice) has no charge at position \(position), line \(line), or it is named twice; see the bill's lines"
    case .creditExceedsLine(let invoice, let position, let line, let left):
      "Of position \(position), line \(line) of invoice \(invoice) between 1 and \(left.minorUnits) minor units can be "
        + "credited; the rest was refunded or credited before"
    case .creditKeyReused(let note):
      "Credit note \(note) was issued for another request"
    }
  }
}

extension Billing.Rejection: CustomStringConvertible {
  public var description: String { "\(code): \(message)" }
}

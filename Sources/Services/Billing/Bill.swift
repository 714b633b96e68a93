import Billing
import EventStore
import Foundation
import PostgreSQL
import Vocabulary

/// Where a caller wants a bill to come from.
public enum BillSource: String, Sendable, Hashable, CaseIterable {
  /// The tables, unless they are too far behind, being rebuilt or failing; then the log.
  case automatic
  /// The tables that the subscription `billing` fills.
  case preAggregated = "pre-aggregated"
  /// One statement over the log.
  case batch
}

/// What one account owes for one month in one currency, as of a position of the log.
///
/// All amounts are in minor units of ``currency``:
/// - ``gross`` is what was charged and ``refunds`` what was refunded in the month, both with tax;
/// - ``tax`` is the tax in the charges less the tax in the refunds, each line rounded half to even;
/// - ``due`` = ``gross`` − ``refunds``, ``net`` = ``due`` − ``tax``.
public struct Bill: Sendable, Hashable, Codable {
  public enum Source: String, Sendable, Hashable, Codable {
    case preAggregated = "pre-aggregated"
    case batch
  }

  public enum Status: String, Sendable, Hashable, Codable { case open, closed }

  public let accountID: AccountID
  /// In the account's time zone: from local midnight of its first day to that of the next month's.
  public let month: Month
  public let currency: Currency
  public let gross: Money
  public let tax: Money
  public let refunds: Money
  public let net: Money
  public let due: Money
  /// How many lines, of charges and refunds; see ``BillLine``.
  public let lines: Int
  /// A closed bill never changes; what comes later for its month is an adjustment on a later bill.
  public let status: Status
  /// Of a closed bill.
  public let invoiceNumber: DocumentNumber?
  public let source: Source
  /// Everything up to this position of the log is in, nothing after it. Of a closed bill, the position through which it
  /// was closed.
  public let asOfPosition: Position
  /// The account's IANA zone as of that position.
  public let timeZone: String
  /// A chain of SHA-256 over the lines in order, in hexadecimal; see ``LineChain``. Equal digests mean equal lines.
  public let digest: String

  private enum CodingKeys: String, CodingKey {
    case accountID = "account_id"
    case month, currency, gross, tax, refunds, net, due, lines, status, source
    case invoiceNumber = "invoice_number"
    case asOfPosition = "as_of_position"
    case timeZone = "time_zone"
    case digest
  }
}

extension Bill {
  /// Columns from `first` on: account, month, currency, gross, tax, refunds, lines, digest, time zone; then the number of
  /// the invoice and the position through which it was closed, both null while it is open.
  init(row: Row, from first: Int = 0, source: Source, asOf position: Position) throws {
    func column<Value: PostgresValue>(_ offset: Int) throws -> Value { try row.column(first + offset) }
    let currency = try Currency(stored: column(2))
    /// Null if it does not fit.
    func amount(_ offset: Int) throws -> Money {
      guard let minorUnits: Int64 = try column(offset) else { throw MoneyError.overflow }
      return Money(minorUnits, currency)
    }
    let totals = try MonthlyTotals(gross: amount(3), tax: amount(4), refunds: amount(5), lines: column(6))
    let number = try (column(9) as String?).map(DocumentNumber.init(stored:))
    let closedThrough = try (column(10) as Int64?).map(Position.init)
    self.init(
      accountID: AccountID(unchecked: try column(0)), month: try Month(stored: column(1)), currency: currency,
      gross: totals.gross, tax: totals.tax, refunds: totals.refunds, net: totals.net, due: totals.due,
      lines: totals.lines, status: number == nil ? .open : .closed, invoiceNumber: number, source: source,
      asOfPosition: closedThrough ?? position, timeZone: try column(8),
      digest: LineChain(digest: try column(7)).description)
  }
}

extension Month {
  /// From a table of ours, which only ever holds months that were valid.
  init(stored text: String) throws {
    guard let month = Month(text) else {
      throw PostgresError(.decoding, "the database holds \"\(text)\", which is not a month")
    }
    self = month
  }
}

import Billing
import EventStore
import PostgreSQL
import Vocabulary

/// One seat charged or refunded. Its position and number lead to the order event that it comes from.
public struct BillLine: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable { case charge, refund }

  /// Position of the order event.
  public let position: Position
  /// 1, 2, 3 … within that event.
  public let lineNumber: Int
  public let kind: Kind
  public let orderID: OrderID
  public let showID: ShowID
  public let seat: SeatID
  /// Tax included; positive for a refund too.
  public let amount: Money
  /// The part of ``amount`` that is tax.
  public let tax: Money
  /// The rate of the tax on the net amount, in basis points; nil if the event of the line has been archived.
  public let taxRateBasisPoints: Int?
  /// The instant that decided the month.
  public let occurredAt: Timestamp
  /// What it corrects, if that month was closed before; nil for a line of the bill's own month.
  public let adjustment: Billing.Adjustment?

  private enum CodingKeys: String, CodingKey {
    case position
    case lineNumber = "line_no"
    case kind
    case orderID = "order_id"
    case showID = "show_id"
    case seat, amount, tax
    case taxRateBasisPoints = "tax_rate_bp"
    case occurredAt = "occurred_at"
    case adjustment
  }
}

extension BillLine {
  /// Where a page of lines ended; in text, `position:line`.
  public struct Cursor: Sendable, Hashable, LosslessStringConvertible {
    let position: Int64
    let lineNumber: Int

    static let start = Cursor(position: 0, lineNumber: 0)

    init(position: Int64, lineNumber: Int) {
      self.position = position
      self.lineNumber = lineNumber
    }

    public init?(_ text: String) {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, let position = Int64(parts[0]), let lineNumber = Int(parts[1]) else {
        return nil
      }
      self.init(position: position, lineNumber: lineNumber)
    }

    public var description: String { "\(position):\(lineNumber)" }
  }

  public var cursor: Cursor { Cursor(position: position.rawValue, lineNumber: lineNumber) }

  /// Columns from `first` on: position, line_no, kind, order, show, seat, amount, tax, currency, occurred_at,
  /// service_month, corrects, tax_rate_bp.
  init(row: Row, from first: Int = 0) throws {
    func column<Value: PostgresValue>(_ offset: Int) throws -> Value { try row.column(first + offset) }
    let currency = try Currency(stored: column(8))
    let kind: String = try column(2)
    self.init(
      position: Position(try column(0)), lineNumber: try column(1),
      kind: kind == Kind.refund.rawValue ? .refund : .charge, orderID: OrderID(unchecked: try column(3)),
      showID: ShowID(unchecked: try column(4)), seat: SeatID(unchecked: try column(5)),
      amount: Money(try column(6), currency), tax: Money(try column(7), currency),
      taxRateBasisPoints: try column(12), occurredAt: try column(9),
      adjustment: try Billing.Adjustment(serviceMonth: column(10), corrects: column(11)))
  }
}

/// Some lines of an account's month, in the order of the log, whatever their currency.
public struct BillLinePage: Sendable, Hashable {
  public let lines: [BillLine]
  public let source: Bill.Source
  public let asOfPosition: Position
  /// Where the next page begins; nil on the last one.
  public let next: BillLine.Cursor?
}

extension Billing.Adjustment {
  /// From two columns of ours, which are both null or both valid.
  fileprivate init?(serviceMonth: String?, corrects: String?) throws {
    guard let serviceMonth, let corrects else { return nil }
    self.init(serviceMonth: try Month(stored: serviceMonth), corrects: try DocumentNumber(stored: corrects))
  }
}

extension DocumentNumber {
  /// From an event of ours.
  init(stored text: String) throws {
    guard let number = DocumentNumber(text) else {
      throw PostgresError(.decoding, "the database holds \"\(text)\", which is not a document's number")
    }
    self = number
  }
}

import Billing
import Vocabulary

import struct Foundation.Data
import class Foundation.JSONDecoder

/// The monthly bills, folded from order events alone.
///
/// A confirmed order is charged, and a cancelled one or some of its seats refunded, in the month in which it happened by the
/// account's clock; the zone of an account is that of its latest `account-opened` or `account-zone-changed` before the event,
/// else UTC. What comes after its month was closed is billed in the account's next open month.
/// Grows with the number of accounts and of their months.
struct LakeBilling {
  /// The events of accounts that later bills depend on.
  static let accountTypes: Set<String> = ["account-opened", "account-zone-changed", "month-closed"]

  private struct Key: Hashable {
    let account: AccountID
    let month: Month
    let currency: Currency
  }

  private var zones: [AccountID: BillingZone] = [:]
  private var closed: [AccountID: Billing.ClosedMonths] = [:]
  private var totals: [Key: MonthlyTotals] = [:]
  private let keepsTotals: Bool
  private let decoder = JSONDecoder()
  /// What the last event was billed as, if it was.
  private(set) var lastEntry: Billing.Entry?

  /// - Parameter keepsTotals: whether `bills` will be asked for, which takes memory for each of them.
  init(keepsTotals: Bool = true) { self.keepsTotals = keepsTotals }

  /// By account, month and currency.
  var bills: [LakeBill] {
    totals.map { key, totals in
      LakeBill(
        accountID: key.account.rawValue, month: "\(key.month)", currency: key.currency.code,
        gross: totals.gross.minorUnits, tax: totals.tax.minorUnits, refunds: totals.refunds.minorUnits,
        net: totals.net.minorUnits, due: totals.due.minorUnits, lines: Int64(totals.lines))
    }.sorted { ($0.accountID, $0.month, $0.currency) < ($1.accountID, $1.month, $1.currency) }
  }

  /// What is wrong with the event, if it is one that bills depend on.
  mutating func apply(_ record: LakeRecord) -> [String] {
    lastEntry = nil
    do {
      switch (record.category, record.type) {
      case ("account", "account-opened"), ("account", "account-zone-changed"):
        let moved = try decoder.decode(AccountMoved.self, from: Data(record.data))
        guard let zone = BillingZone(moved.timeZone) else {
          return ["expected an IANA time zone, found \"\(moved.timeZone)\""]
        }
        zones[moved.accountID] = zone
      case ("account", "month-closed"):
        return close(try decoder.decode(Billing.MonthClosed.self, from: Data(record.data)))
      case ("order", "order-confirmed"):
        let order = try decoder.decode(OrderFact.self, from: Data(record.data))
        return try add(order, \.total, at: record.position, Billing.charge) { try $0.charging($1) }
      case ("order", "order-cancelled"), ("order", "order-seats-cancelled"):
        let order = try decoder.decode(OrderFact.self, from: Data(record.data))
        return try add(order, \.refund, at: record.position, Billing.refund) { try $0.refunding($1) }
      default: break
      }
      return []
    } catch {
      return ["expected a payload that can be billed: \(error)"]
    }
  }

  /// A closed bill has to be the one that the events before it give.
  private mutating func close(_ fact: Billing.MonthClosed) -> [String] {
    closed[fact.accountID, default: .init()].add(
      fact.month, fact.currency, through: fact.throughPosition, number: fact.invoiceNumber)
    let key = Key(account: fact.accountID, month: fact.month, currency: fact.currency)
    let totals = totals[key] ?? .zero(fact.currency)
    let isEqual =
      fact.gross == totals.gross.minorUnits && fact.tax == totals.tax.minorUnits
      && fact.refunds == totals.refunds.minorUnits && fact.net == totals.net.minorUnits
      && fact.due == totals.due.minorUnits && fact.lines == totals.lines
    return isEqual
      ? []
      : [
        "expected invoice \(fact.invoiceNumber) over \(totals.due) in \(totals.lines) lines, "
          + "found \(Money(fact.due, fact.currency)) in \(fact.lines)"
      ]
  }

  private mutating func add(
    _ order: OrderFact, _ sum: KeyPath<OrderFact, Money?>, at position: Int64,
    _ entry: (Billing.BillableOrder, BillingZone, Billing.ClosedMonths) throws -> Billing.Entry,
    to totals: (MonthlyTotals, Billing.Entry) throws -> MonthlyTotals
  ) throws -> [String] {
    guard let expected = order[keyPath: sum] else { return ["expected the sum of the lines, found none"] }
    var amount: Int64 = 0
    // Cancelling an order that was never confirmed refunds nothing and opens no bill.
    if !order.lines.isEmpty {
      let billable = Billing.BillableOrder(
        accountID: order.accountID, orderID: order.orderID, showID: order.showID, sourcePosition: position,
        currency: expected.currency, lines: order.lines.map(\.billable), occurredAt: order.occurredAt)
      let entry = try entry(billable, zones[order.accountID] ?? .utc, closed[order.accountID] ?? .init())
      lastEntry = entry
      if keepsTotals {
        let key = Key(account: entry.accountID, month: entry.month, currency: entry.currency)
        self.totals[key] = try totals(self.totals[key] ?? .zero(entry.currency), entry)
      }
      amount = entry.gross
    }
    guard amount == expected.minorUnits else {
      return ["expected the lines to add up to \(expected.minorUnits), they are \(amount)"]
    }
    return []
  }
}

// MARK: What bills need of the payloads

/// Of an account that was opened, or has changed its zone.
private struct AccountMoved: Decodable {
  let accountID: AccountID
  let timeZone: String

  enum CodingKeys: String, CodingKey {
    case accountID = "account_id"
    case timeZone = "time_zone"
  }
}

/// A confirmed order has a total, a cancelled one a refund.
private struct OrderFact: Decodable {
  let orderID: OrderID
  let showID: ShowID
  let accountID: AccountID
  let lines: [Line]
  let total: Money?
  let refund: Money?
  let occurredAt: Timestamp

  enum CodingKeys: String, CodingKey {
    case lines, total, refund
    case orderID = "order_id"
    case showID = "show_id"
    case accountID = "account_id"
    case occurredAt = "occurred_at"
  }

  struct Line: Decodable {
    let seat: SeatID
    let amount: Int64
    let taxRateBasisPoints: Int

    enum CodingKeys: String, CodingKey {
      case seat, amount
      case taxRateBasisPoints = "tax_rate_bp"
    }

    var billable: Billing.BillableOrder.Line {
      Billing.BillableOrder.Line(seat: seat, amount: amount, taxRateBasisPoints: taxRateBasisPoints)
    }
  }
}

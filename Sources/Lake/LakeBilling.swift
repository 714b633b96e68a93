import Billing
import Vocabulary

import struct Foundation.Data
import class Foundation.JSONDecoder

/// The monthly bills, folded from order events alone.
///
/// A confirmed order is charged and a cancelled one refunded in the month in which it happened by the
/// account's clock; the zone of an account is that of its latest `account-opened` before the event, else UTC.
/// Grows with the number of accounts and of their months.
struct LakeBilling {
  private struct Key: Hashable {
    let account: String
    let month: Month
    let currency: Currency
  }

  private struct Totals {
    var gross: Int64 = 0
    var tax: Int64 = 0
    var refunds: Int64 = 0
    var lines: Int64 = 0
  }

  private var zones: [String: BillingZone] = [:]
  private var totals: [Key: Totals] = [:]
  private let decoder = JSONDecoder()

  /// By account, month and currency.
  var bills: [LakeBill] {
    totals.map { key, totals in
      let due = totals.gross - totals.refunds
      return LakeBill(
        accountID: key.account, month: "\(key.month)", currency: key.currency.code, gross: totals.gross,
        tax: totals.tax, refunds: totals.refunds, net: due - totals.tax, due: due, lines: totals.lines)
    }.sorted { ($0.accountID, $0.month, $0.currency) < ($1.accountID, $1.month, $1.currency) }
  }

  /// What is wrong with the event, if it is one that bills depend on.
  mutating func apply(_ record: LakeRecord) -> [String] {
    do {
      switch (record.category, record.type) {
      case ("account", "account-opened"):
        let opened = try decoder.decode(AccountOpened.self, from: Data(record.data))
        guard let zone = BillingZone(opened.time_zone) else {
          return ["expected an IANA time zone, found \"\(opened.time_zone)\""]
        }
        zones[opened.account_id] = zone
      case ("order", "order-confirmed"):
        let order = try decoder.decode(Confirmed.self, from: Data(record.data))
        return try add(order.lines, order.total, "total", to: order.account_id, order.occurred_at, isRefund: false)
      case ("order", "order-cancelled"):
        let order = try decoder.decode(Cancelled.self, from: Data(record.data))
        return try add(order.lines, order.refund, "refund", to: order.account_id, order.occurred_at, isRefund: true)
      default: break
      }
      return []
    } catch {
      return ["expected a payload that can be billed: \(error)"]
    }
  }

  private mutating func add(
    _ lines: [Line], _ total: Money, _ name: String, to account: String, _ instant: Timestamp, isRefund: Bool
  ) throws -> [String] {
    var gross = Money.zero(total.currency)
    var tax = Money.zero(total.currency)
    for line in lines {
      let amount = Money(line.amount, total.currency)
      gross = try gross.adding(amount)
      tax = try tax.adding(try amount.taxIncluded(basisPoints: line.tax_rate_bp))
    }
    let month = Billing.month(of: instant, in: zones[account] ?? .utc)
    let key = Key(account: account, month: month, currency: total.currency)
    var sums = totals[key] ?? Totals()
    func sum(_ a: Int64, _ b: Int64) throws -> Int64 {
      try Money(a, total.currency).adding(Money(b, total.currency)).minorUnits
    }
    if isRefund {
      sums.refunds = try sum(sums.refunds, gross.minorUnits)
      sums.tax = try sum(sums.tax, -tax.minorUnits)
    } else {
      sums.gross = try sum(sums.gross, gross.minorUnits)
      sums.tax = try sum(sums.tax, tax.minorUnits)
    }
    sums.lines += Int64(lines.count)
    // Cancelling an order that was never confirmed refunds nothing and must not open a bill.
    if !lines.isEmpty { totals[key] = sums }
    guard gross == total else {
      return ["expected the \(name) \(total.minorUnits) to be the sum of the lines, which is \(gross.minorUnits)"]
    }
    return []
  }

  private struct AccountOpened: Decodable { let account_id, time_zone: String }

  private struct Line: Decodable {
    let amount: Int64
    let tax_rate_bp: Int
  }

  private struct Confirmed: Decodable {
    let account_id: String
    let lines: [Line]
    let total: Money
    let occurred_at: Timestamp
  }

  private struct Cancelled: Decodable {
    let account_id: String
    let lines: [Line]
    let refund: Money
    let occurred_at: Timestamp
  }
}

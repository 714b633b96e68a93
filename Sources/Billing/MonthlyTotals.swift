import Vocabulary

/// What one account owes for one month in one currency: the figures of a bill.
public struct MonthlyTotals: Sendable, Hashable {
  /// What was charged, tax included.
  public let gross: Money
  /// The tax in the charges less the tax in the refunds.
  public let tax: Money
  /// What was refunded, tax included.
  public let refunds: Money
  /// What is due without tax: `due` − `tax`.
  public let net: Money
  /// `gross` − `refunds`. Negative in a month in which more was refunded than charged.
  public let due: Money
  /// How many lines the bill has: those of its charges and those of its refunds.
  public let lines: Int

  /// Derives `due` and `net`.
  public init(gross: Money, tax: Money, refunds: Money, lines: Int) throws(MoneyError) {
    self.gross = gross
    self.tax = tax
    self.refunds = refunds
    self.lines = lines
    due = try gross.subtracting(refunds)
    net = try due.subtracting(tax)
  }

  private init(nothingIn currency: Currency) {
    let zero = Money.zero(currency)
    (gross, tax, refunds, net, due, lines) = (zero, zero, zero, zero, zero, 0)
  }

  /// A month in which nothing happened.
  public static func zero(_ currency: Currency) -> MonthlyTotals { MonthlyTotals(nothingIn: currency) }

  public func charging(_ entry: Billing.Entry) throws(MoneyError) -> MonthlyTotals {
    try MonthlyTotals(
      gross: gross.adding(Money(entry.gross, entry.currency)),
      tax: tax.adding(Money(entry.tax, entry.currency)), refunds: refunds,
      lines: lines + entry.lines.count)
  }

  public func refunding(_ entry: Billing.Entry) throws(MoneyError) -> MonthlyTotals {
    try MonthlyTotals(
      gross: gross, tax: tax.subtracting(Money(entry.tax, entry.currency)),
      refunds: refunds.adding(Money(entry.gross, entry.currency)),
      lines: lines + entry.lines.count)
  }
}

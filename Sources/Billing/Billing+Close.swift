import Vocabulary

extension Billing {
  /// The bill of a month is an invoice from now on, and never changes.
  ///
  /// Amounts are in minor units of `currency`, with the meanings of ``MonthlyTotals``.
  public struct MonthClosed: Sendable, Hashable, Codable {
    public let accountID: AccountID
    public let month: Month
    public let currency: Currency
    public let invoiceNumber: DocumentNumber
    /// The bill has every order event up to this position of the log. Between it and this event the log has none of the
    /// account.
    public let throughPosition: Int64
    public let gross: Int64
    public let tax: Int64
    public let refunds: Int64
    public let net: Int64
    public let due: Int64
    public let lines: Int
    /// Of the bill's lines in order, in hexadecimal.
    public let digest: String
    /// The account's IANA zone as of `throughPosition`.
    public let timeZone: String
    public let closedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case accountID = "account_id"
      case month, currency
      case invoiceNumber = "invoice_number"
      case throughPosition = "through_position"
      case gross, tax, refunds, net, due, lines, digest
      case timeZone = "time_zone"
      case closedAt = "closed_at"
    }
  }

  /// A bill as it is to be closed.
  public struct ClosableBill: Sendable, Hashable {
    public var accountID: AccountID
    public var month: Month
    public var currency: Currency
    public var totals: MonthlyTotals
    public var digest: String
    public var zone: BillingZone
    public var throughPosition: Int64

    public init(
      accountID: AccountID, month: Month, currency: Currency, totals: MonthlyTotals, digest: String,
      zone: BillingZone, throughPosition: Int64
    ) {
      self.accountID = accountID
      self.month = month
      self.currency = currency
      self.totals = totals
      self.digest = digest
      self.zone = zone
      self.throughPosition = throughPosition
    }
  }

  /// Turns a bill into an invoice, once its month is over.
  public static func close(
    _ bill: ClosableBill, as number: DocumentNumber, at now: Timestamp
  ) throws(Rejection) -> MonthClosed {
    try requireEnd(of: bill.month, in: bill.zone, at: now)
    let totals = bill.totals
    return MonthClosed(
      accountID: bill.accountID, month: bill.month, currency: bill.currency, invoiceNumber: number,
      throughPosition: bill.throughPosition, gross: totals.gross.minorUnits, tax: totals.tax.minorUnits,
      refunds: totals.refunds.minorUnits, net: totals.net.minorUnits, due: totals.due.minorUnits,
      lines: totals.lines, digest: bill.digest, timeZone: bill.zone.identifier, closedAt: now)
  }

  public static func requireEnd(
    of month: Month, in zone: BillingZone, at now: Timestamp
  ) throws(Rejection) {
    let end = end(of: month, in: zone)
    guard now >= end else { throw .monthNotOver(month, zone: zone.identifier, until: end) }
  }

  /// The instant at which the month that a wall calendar in `zone` shows becomes a later one.
  public static func end(of month: Month, in zone: BillingZone) -> Timestamp {
    let day = 86_400
    // No wall clock is a day away from UTC, so the end is between these two; and months are longer.
    let midnight = firstDay(of: month.next) * day
    var (before, after) = (midnight - day, midnight + day)
    while after - before > 1 {
      let middle = before + (after - before) / 2
      let instant = Timestamp(microseconds: Int64(middle) * 1_000_000)
      if Billing.month(of: instant, in: zone) > month { after = middle } else { before = middle }
    }
    return Timestamp(microseconds: Int64(after) * 1_000_000)
  }

  /// Of the first day of a month since 1970-01-01, by the calendar that is counted on for ever in both directions
  /// (http://howardhinnant.github.io/date_algorithms.html, `days_from_civil`).
  private static func firstDay(of month: Month) -> Int {
    let year = month.month <= 2 ? month.year - 1 : month.year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month.month > 2 ? month.month - 3 : month.month + 9) + 2) / 5
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

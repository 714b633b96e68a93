import Vocabulary

extension Billing {
  /// The entry that charges a confirmed order: debit receivable, credit revenue and tax payable.
  public static func charge(
    for order: BillableOrder, in zone: BillingZone, closed: ClosedMonths = ClosedMonths()
  ) throws(Rejection) -> Entry {
    try entry(for: order, in: zone, closed) { gross, tax in
      [Posting(.receivable, gross), Posting(.revenue, tax - gross), Posting(.taxPayable, -tax)]
    }
  }

  /// The entry that takes a charge back: the same postings with the opposite signs.
  public static func refund(
    for order: BillableOrder, in zone: BillingZone, closed: ClosedMonths = ClosedMonths()
  ) throws(Rejection) -> Entry {
    try entry(for: order, in: zone, closed) { gross, tax in
      [Posting(.receivable, -gross), Posting(.revenue, gross - tax), Posting(.taxPayable, tax)]
    }
  }

  /// `postings` are given 0 ≤ tax ≤ gross, so that their differences cannot overflow.
  private static func entry(
    for order: BillableOrder, in zone: BillingZone, _ closed: ClosedMonths,
    postings: (_ gross: Int64, _ tax: Int64) -> [Posting]
  ) throws(Rejection) -> Entry {
    guard !order.lines.isEmpty else { throw .noLines(order.orderID) }
    var gross = Money.zero(order.currency)
    var tax = Money.zero(order.currency)
    var lines: [Entry.Line] = []
    lines.reserveCapacity(order.lines.count)
    for line in order.lines {
      guard line.amount >= 0 else { throw .negativeAmount(order.orderID, line.seat) }
      do {
        let amount = Money(line.amount, order.currency)
        let lineTax = try amount.taxIncluded(basisPoints: line.taxRateBasisPoints)
        gross = try gross.adding(amount)
        tax = try tax.adding(lineTax)
        lines.append(Entry.Line(seat: line.seat, amount: line.amount, tax: lineTax.minorUnits))
      } catch {
        throw .amountRefused(order.orderID, error)
      }
    }
    let bill = closed.month(
      for: month(of: order.occurredAt, in: zone), order.currency, at: order.sourcePosition)
    return Entry(
      accountID: order.accountID, orderID: order.orderID, showID: order.showID,
      sourcePosition: order.sourcePosition, month: bill.month, adjusts: bill.adjustment,
      currency: order.currency, lines: lines, gross: gross.minorUnits, tax: tax.minorUnits,
      occurredAt: order.occurredAt,
      postings: try balanced(postings(gross.minorUnits, tax.minorUnits), of: order.orderID))
  }

  /// Double entry's one rule: what is debited is credited. Nothing unbalanced gets into a stream.
  static func balanced(_ postings: [Posting], of order: OrderID) throws(Rejection) -> [Posting] {
    var sum: Int64 = 0
    for posting in postings {
      let (next, overflow) = sum.addingReportingOverflow(posting.amount)
      guard !overflow else { throw .amountRefused(order, .overflow) }
      sum = next
    }
    guard sum == 0 else { throw .unbalanced(order, difference: sum) }
    return postings
  }
}

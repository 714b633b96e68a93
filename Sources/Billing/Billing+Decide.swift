import Vocabulary

extension Billing {
  /// What follows from `command` at `now`, given everything that happened to the account.
  ///
  /// A repeated command gives no events: its effect is there already.
  public static func decide(
    _ command: Command, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    switch command {
    case .open(let open): try decide(open, state, at: now)
    case .changeZone(let change): try decide(change, state, at: now)
    case .charge(let order): try charge(order, state)
    case .refund(let order): try refund(order, state)
    }
  }

  private static func decide(_ open: Open, _ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    if let account = state.account {
      guard account.accountID == open.accountID, account.name == open.name, account.timeZone == open.timeZone
      else { throw .alreadyOpened(account.accountID) }
      return []
    }
    guard (1...200).contains(open.name.count) else { throw .invalidName(length: open.name.count) }
    guard BillingZone(open.timeZone) != nil else { throw .unknownTimeZone(open.timeZone) }
    let fact = AccountOpened(
      accountID: open.accountID, name: open.name, timeZone: open.timeZone, openedAt: now)
    return [.accountOpened(fact)]
  }

  private static func decide(
    _ change: ChangeZone, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    guard state.account != nil else { throw .notOpened(change.accountID) }
    guard let zone = BillingZone(change.timeZone) else { throw .unknownTimeZone(change.timeZone) }
    if zone == state.zone { return [] }
    return [
      .accountZoneChanged(
        AccountZoneChanged(accountID: change.accountID, timeZone: change.timeZone, changedAt: now))
    ]
  }

  private static func charge(_ order: BillableOrder, _ state: State) throws(Rejection) -> [Event] {
    if let earlier = state.orders[order.orderID] {
      guard earlier.chargedAt == order.sourcePosition else { throw .alreadyCharged(order.orderID) }
      return []
    }
    let entry = try charge(for: order, in: state.zone, closed: state.closedMonths)
    try requireRoom(for: order.orderID) { () throws(MoneyError) in
      try state.totals(of: entry).charging(entry)
    }
    return [.charged(entry)]
  }

  private static func refund(_ order: BillableOrder, _ state: State) throws(Rejection) -> [Event] {
    // An order that was cancelled before it was confirmed was never charged.
    guard !order.lines.isEmpty else { return [] }
    guard let charge = state.orders[order.orderID] else { throw .notCharged(order.orderID) }
    if charge.refunds[order.sourcePosition] != nil { return [] }
    let refunded = charge.refundedSeats
    guard !order.lines.contains(where: { refunded.contains($0.seat) }) else {
      throw .alreadyRefunded(order.orderID)
    }
    let entry = try refund(for: order, in: state.zone, closed: state.closedMonths)
    guard entry.currency == charge.currency, entry.gross <= charge.gross - charge.refundedGross,
      entry.tax <= charge.tax - charge.refundedTax
    else {
      throw .refundExceedsCharge(order.orderID, charged: Money(charge.gross, charge.currency))
    }
    try requireRoom(for: order.orderID) { () throws(MoneyError) in
      try state.totals(of: entry).refunding(entry)
    }
    return [.refunded(entry)]
  }

  /// Refuses an entry whose month would add up to more than a `Money` can hold.
  private static func requireRoom(
    for order: OrderID, _ totals: () throws(MoneyError) -> MonthlyTotals
  ) throws(Rejection) {
    do { _ = try totals() } catch { throw .amountRefused(order, error) }
  }
}

import Vocabulary

extension Ordering.State {
  /// What the seats that were given back had cost, in minor units.
  var priceOfCancelled: Int64 {
    order?.lines.reduce(0) { cancelledSeats.contains($1.seat) ? $0 + $1.amount : $0 } ?? 0
  }
}

extension Ordering {
  /// The fee is taken of each seat, rounded half to even, so that the parts of an order cost what the whole costs.
  static func quote(
    _ request: QuoteRequest, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    let order = try confirmed(state)
    if state.quote?.quoteID == request.id || state.takenQuotes.contains(request.id) { return [] }
    let lines = try lines(of: request.seats, in: state, order)
    var refunds: [Line] = []
    var refund: Int64 = 0
    var fee: Int64 = 0
    for line in lines {
      let kept = line.fee(basisPoints: request.feeBasisPoints)
      refunds.append(
        Line(seat: line.seat, amount: line.amount - kept, taxRateBasisPoints: line.taxRateBasisPoints))
      // Far from overflow: together no more than the order's total.
      refund += line.amount - kept
      fee += kept
    }
    let currency = order.total.currency
    return [
      .cancellationQuoted(
        CancellationQuoted(
          orderID: order.orderID, quoteID: request.id, lines: refunds, refund: Money(refund, currency),
          fee: Money(fee, currency), quotedAt: now, expiresAt: request.expiresAt))
    ]
  }

  static func takeUp(_ id: QuoteID, _ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    if state.takenQuotes.contains(id) { return [] }
    let order = try confirmed(state)
    guard let quote = state.quote, quote.quoteID == id else { throw .unknownQuote(order.orderID, id) }
    guard now < quote.expiresAt else { throw .quoteExpired(order.orderID, id) }
    // The seats may have been given back, or used, since they were quoted.
    let lines = try lines(of: quote.lines.map(\.seat), in: state, order)
    guard lines.count == state.remainingLines.count else {
      let fact = OrderSeatsCancelled(
        orderID: order.orderID, showID: order.showID, accountID: order.accountID, quoteID: id,
        lines: quote.lines, refund: quote.refund, fee: quote.fee, occurredAt: now)
      return refunding(state, after: [.orderSeatsCancelled(fact)], at: now)
    }
    let fact = OrderCancelled(
      orderID: order.orderID, showID: order.showID, accountID: order.accountID, lines: quote.lines,
      refund: quote.refund, fee: quote.fee, quoteID: id, occurredAt: now)
    return refunding(state, after: [.orderCancelled(fact)], at: now)
  }

  /// An order whose seats can be given back one by one.
  static func confirmed(_ state: State) throws(Rejection) -> OrderPlaced {
    switch state.standing {
    case .none: throw .notPlaced
    case .placed(let order): throw .notConfirmed(order.orderID)
    case .confirmed(let order): return order
    case .failed(let order, let reason): throw .alreadyFailed(order.orderID, reason: reason)
    case .cancelled(let order, _): throw .alreadyCancelled(order.orderID)
    }
  }

  /// The lines of some seats that the order still has, in the order's order; of all of them for nil.
  private static func lines(
    of seats: [SeatID]?, in state: State, _ order: OrderPlaced
  ) throws(Rejection) -> [Line] {
    let remaining = state.remainingLines
    for line in remaining where seats?.contains(line.seat) ?? true {
      guard state.checkedIn[line.seat] == nil else { throw .alreadyCheckedIn(order.orderID, line.seat) }
    }
    guard let seats else { return remaining }
    let wanted = Set(seats)
    let known = Set(remaining.map(\.seat))
    if let missing = seats.first(where: { !known.contains($0) }) {
      throw .noSuchTicket(order.orderID, missing)
    }
    guard !wanted.isEmpty else {
      throw .invalidOrder(["The cancellation names no seats; name one, or leave them out"])
    }
    return remaining.filter { wanted.contains($0.seat) }
  }
}

extension Ordering.Line {
  /// A part of the price in basis points, rounded half to even. The product has 128 bits, so it cannot overflow.
  func fee(basisPoints: Int) -> Int64 {
    let rate = UInt64(min(max(0, basisPoints), 10_000))
    let (quotient, remainder) = UInt64(10_000).dividingFullWidth(
      amount.magnitude.multipliedFullWidth(by: rate))
    let roundsUp = remainder > 5000 || (remainder == 5000 && quotient % 2 == 1)
    return Int64(quotient) + (roundsUp ? 1 : 0)
  }
}

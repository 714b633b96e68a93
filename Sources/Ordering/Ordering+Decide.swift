import Vocabulary

extension Ordering {
  /// What follows from `command` at `now`, given everything that happened to the order.
  ///
  /// A repeated command gives no events: its effect is there already.
  public static func decide(
    _ command: Command, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    switch command {
    case .place(let place): try decide(place, state, at: now)
    case .receivePayment(let payment, let amount): try receive(payment, amount, state, at: now)
    case .declinePayment(let payment, let reason): try decline(payment, because: reason, state, at: now)
    case .settleRefund(let refund): try settle(refund, state, at: now)
    case .confirm: try confirm(state, at: now)
    case .fail(let reason): try fail(because: reason, state, at: now)
    case .cancel: try cancel(state, at: now)
    case .quoteCancellation(let request): try quote(request, state, at: now)
    case .confirmCancellation(let quote): try takeUp(quote, state, at: now)
    case .refundCancelledShow: try refundCancelledShow(state, at: now)
    case .transfer(let seat, let holder, let email): try transfer(seat, to: holder, email, state, at: now)
    case .checkIn(let seat, let scan): try checkIn(seat, scan, state, at: now)
    }
  }

  private static func decide(_ place: Place, _ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    if let order = state.order {
      guard order.fulfils(place) else { throw .idReused(order.orderID) }
      return []
    }
    let order = try place.validated(at: now)
    // Nobody is asked for nothing.
    guard let payment = place.payment, order.total.minorUnits > 0 else { return [.orderPlaced(order)] }
    let request = PaymentRequested(
      orderID: order.orderID, paymentID: payment.id, provider: payment.provider, amount: order.total,
      requestedAt: now)
    return [.orderPlaced(order), .paymentRequested(request)]
  }

  private static func confirm(_ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    switch state.standing {
    case .none: throw .notPlaced
    case .placed(let order):
      guard !state.isUnpaid else { throw .notPaid(order.orderID) }
      let fact = OrderConfirmed(
        orderID: order.orderID, showID: order.showID, accountID: order.accountID, lines: order.lines,
        total: order.total, occurredAt: now)
      return [.orderConfirmed(fact)]
    case .confirmed, .cancelled(_, refunded: true): return []
    case .failed(let order, let reason): throw .alreadyFailed(order.orderID, reason: reason)
    case .cancelled(let order, refunded: false): throw .alreadyCancelled(order.orderID)
    }
  }

  private static func fail(
    because reason: String, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    switch state.standing {
    case .none: throw .notPlaced
    case .placed(let order):
      let fact = OrderFailed(orderID: order.orderID, reason: reason, occurredAt: now)
      return refunding(state, after: [.orderFailed(fact)], at: now)
    case .failed: return []
    case .confirmed(let order): throw .alreadyConfirmed(order.orderID)
    case .cancelled(let order, _): throw .alreadyCancelled(order.orderID)
    }
  }

  private static func cancel(_ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    if case .confirmed(let order) = state.standing,
      let used = state.remainingLines.first(where: { state.checkedIn[$0.seat] != nil })
    {
      throw .alreadyCheckedIn(order.orderID, used.seat)
    }
    return try end(state, at: now)
  }

  /// Whether or not a ticket was used: nobody has seen anything.
  private static func refundCancelledShow(_ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    if case .failed = state.standing { return [] }
    return try end(state, at: now)
  }

  private static func end(_ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    switch state.standing {
    case .none: throw .notPlaced
    case .placed(let order):
      let fact = order.cancelled(refunding: [], .zero(order.total.currency), at: now)
      return refunding(state, after: [.orderCancelled(fact)], at: now)
    case .confirmed(let order):
      let rest = Money(order.total.minorUnits - state.priceOfCancelled, order.total.currency)
      let fact = order.cancelled(refunding: state.remainingLines, rest, at: now)
      return refunding(state, after: [.orderCancelled(fact)], at: now)
    case .cancelled: return []
    case .failed(let order, let reason): throw .alreadyFailed(order.orderID, reason: reason)
    }
  }
}

extension Ordering.OrderPlaced {
  /// Whether this order is what `request` asked for, so that a repeated request is done already.
  fileprivate func fulfils(_ request: Ordering.Place) -> Bool {
    orderID == request.orderID && showID == request.showID && holdID == request.holdID
      && accountID == request.accountID && buyer == request.buyer && total.currency == request.currency
      && paymentMethod == request.paymentMethod && email == request.email
      // The hold says which seats; of one that was partly cancelled since, fewer are left.
      && (lines == request.lines || Set(request.lines).isSubset(of: lines))
  }

  fileprivate func cancelled(
    refunding lines: [Ordering.Line], _ refund: Money, at now: Timestamp
  ) -> Ordering.OrderCancelled {
    .init(
      orderID: orderID, showID: showID, accountID: accountID, lines: lines, refund: refund, occurredAt: now)
  }
}

extension Ordering.Place {
  /// The fact that the order is placed, unless something about it has to be mended; then all of that.
  fileprivate func validated(at now: Timestamp) throws(Ordering.Rejection) -> Ordering.OrderPlaced {
    var problems: [String] = []
    var total = Money.zero(currency)
    var seats: Set<SeatID> = []
    if lines.isEmpty { problems.append("It has no lines; order at least one seat") }
    if !(1...128).contains(paymentMethod.count) {
      problems.append("The payment method has \(paymentMethod.count) characters; use 1 to 128")
    }
    for line in lines {
      if !seats.insert(line.seat).inserted {
        problems.append("Seat \(line.seat) is listed twice; list each seat once")
      }
      if line.amount < 0 {
        problems.append("Seat \(line.seat) costs \(line.amount); an amount is 0 or more")
      }
      if !(0...10_000).contains(line.taxRateBasisPoints) {
        problems.append(
          "Seat \(line.seat) has a tax rate of \(line.taxRateBasisPoints) basis points; use 0 to 10000")
      }
      do {
        total = try total.adding(Money(line.amount, currency))
      } catch {
        throw .invalidOrder(problems + ["\(error)"])
      }
    }
    guard problems.isEmpty else { throw .invalidOrder(problems) }
    return Ordering.OrderPlaced(
      orderID: orderID, showID: showID, holdID: holdID, accountID: accountID, buyer: buyer, lines: lines,
      total: total, paymentMethod: paymentMethod, email: email, placedAt: now)
  }
}

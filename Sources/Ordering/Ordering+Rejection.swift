import Vocabulary

extension Ordering {
  /// Why a command was refused. Nothing has happened then.
  public enum Rejection: Error, Sendable, Hashable {
    case notPlaced
    case invalidOrder([String])
    case alreadyConfirmed(OrderID)
    case alreadyFailed(OrderID, reason: String)
    case alreadyCancelled(OrderID)
    /// The id already stands for another order.
    case idReused(OrderID)
    /// The seats may only be confirmed once the money is there.
    case notPaid(OrderID)
    /// The order is not paid through a provider, or by another payment.
    case unknownPayment(OrderID, PaymentID)
    case wrongAmount(OrderID, expected: Money, paid: Money)
    case unknownRefund(OrderID, RefundID)
    /// There are no tickets before that.
    case notConfirmed(OrderID)
    /// The order never had this seat, or has it no more.
    case noSuchTicket(OrderID, SeatID)
    /// Another quote has taken its place, or there was none.
    case unknownQuote(OrderID, QuoteID)
    case quoteExpired(OrderID, QuoteID)
    case tooLateToCancel(OrderID)
    /// Somebody went in with this ticket.
    case alreadyCheckedIn(OrderID, SeatID)
  }
}

extension Ordering.Rejection {
  /// The stable name of the reason, as problem documents and scripts know it.
  public var code: String {
    switch self {
    case .notPlaced: "order-not-placed"
    case .invalidOrder: "invalid-order"
    case .alreadyConfirmed: "order-already-confirmed"
    case .alreadyFailed: "order-already-failed"
    case .alreadyCancelled: "order-already-cancelled"
    case .idReused: "id-reused"
    case .notPaid: "order-not-paid"
    case .unknownPayment: "unknown-payment"
    case .wrongAmount: "wrong-payment-amount"
    case .unknownRefund: "unknown-refund"
    case .notConfirmed: "order-not-confirmed"
    case .noSuchTicket: "no-such-ticket"
    case .unknownQuote: "unknown-quote"
    case .quoteExpired: "quote-expired"
    case .tooLateToCancel: "too-late-to-cancel"
    case .alreadyCheckedIn: "already-checked-in"
    }
  }

  /// What happened, to what, and what to do next.
  public var message: String {
    switch self {
    case .notPlaced: "There is no such order; place it first"
    case .invalidOrder(let problems): "The order cannot be placed: \(problems.joined(separator: "; "))"
    case .alreadyConfirmed(let order): "Order \(order) is confirmed; cancel it to be refunded"
    case .alreadyFailed(let order, let reason):
      "Order \(order) failed (\(reason)); place a new order under a new id"
    case .alreadyCancelled(let order): "Order \(order) is cancelled; place a new order under a new id"
    case .idReused(let order): "Order \(order) exists with other content; use a new id for a new order"
    case .notPaid(let order): "Order \(order) is not paid yet; wait for its payment, or cancel it"
    case .unknownPayment(let order, let payment):
      "Order \(order) has no payment \(payment); look at the provider's reference"
    case .wrongAmount(let order, let expected, let paid):
      "Order \(order) costs \(expected), and \(paid) was paid; refund it at the provider"
    case .unknownRefund(let order, let refund):
      "Order \(order) has no refund \(refund); look at the provider's reference"
    case .notConfirmed(let order): "Order \(order) is not confirmed yet; wait until it is"
    case .noSuchTicket(let order, let seat): "Order \(order) has no seat \(seat), or has given it back"
    case .unknownQuote(let order, let quote):
      "Quote \(quote) is not the latest one of order \(order); ask for a quote again"
    case .quoteExpired(let order, let quote):
      "The time of quote \(quote) of order \(order) is over; ask for a quote again"
    case .alreadyCheckedIn(let order, let seat):
      "Somebody has gone in with the ticket of order \(order) for seat \(seat); it can be used once"
    case .tooLateToCancel(let order): "Order \(order) cannot be cancelled any more: its show is too near"
    }
  }
}

extension Ordering.Rejection: CustomStringConvertible {
  public var description: String { "\(code): \(message)" }
}

import Vocabulary

extension Ordering {
  /// What a provider was asked for, what it got and what it has to give back.
  public struct Payment: Sendable, Hashable {
    public let id: PaymentID
    public let provider: String
    public let amount: Money
    public let requestedAt: Timestamp
    /// nil until the provider has the money.
    public internal(set) var received: Money?
    /// Why it will not get it. A provider that gets it all the same has the last word.
    public internal(set) var declined: String?
    /// In the order in which they were requested.
    public internal(set) var refunds: [Refund] = []

    init(_ fact: PaymentRequested) {
      id = fact.paymentID
      provider = fact.provider
      amount = fact.amount
      requestedAt = fact.requestedAt
    }

    mutating func settle(_ id: RefundID) {
      guard let index = refunds.firstIndex(where: { $0.id == id }) else { return }
      refunds[index].isSettled = true
    }

    /// What the provider has been asked to give back, in minor units: never more than it got.
    public var refunded: Int64 { refunds.reduce(0) { $0 + $1.amount.minorUnits } }
  }

  /// Money that a provider has to give back, or has.
  public struct Refund: Sendable, Hashable {
    public let id: RefundID
    public let amount: Money
    public internal(set) var isSettled = false

    init(_ fact: RefundRequested) {
      id = fact.refundID
      amount = fact.amount
    }
  }
}

extension Ordering.State {
  /// Whether the order waits for the provider's answer.
  public var isUnpaid: Bool {
    guard case .placed = standing, let payment else { return false }
    return payment.received == nil
  }

  /// Whether the provider has not said yet what became of the payment, whatever became of the order.
  public var isPaymentOpen: Bool {
    guard let payment else { return false }
    return payment.received == nil && payment.declined == nil
  }

  /// What the provider still has to give back.
  public var unsettledRefunds: [Ordering.Refund] { payment?.refunds.filter { !$0.isSettled } ?? [] }

  /// What the seats are worth that the buyer has, or will have, and the fees: the rest of what was paid is the buyer's.
  private var worth: Int64 {
    switch standing {
    case .none, .failed, .cancelled(_, refunded: false): 0
    // What was kept as a fee.
    case .cancelled(let order, refunded: true): order.total.minorUnits - refundedLines
    case .placed(let order), .confirmed(let order): order.total.minorUnits - refundedLines
    }
  }

  /// What has to be given back and was not asked for yet, in minor units.
  ///
  /// All that keeps money and seats together: what was received is always worth + refunds.
  var refundDue: Int64 {
    guard let payment, let received = payment.received else { return 0 }
    return received.minorUnits - worth - payment.refunded
  }
}

extension Ordering {
  /// The events, and the request for the refund that they make due.
  static func refunding(_ state: State, after events: [Event], at now: Timestamp) -> [Event] {
    var after = state
    for event in events { evolve(&after, event) }
    guard let order = after.order, let payment = after.payment, after.refundDue > 0 else { return events }
    let fact = RefundRequested(
      orderID: order.orderID, paymentID: payment.id,
      refundID: RefundID(unchecked: "\(payment.id).\(payment.refunds.count + 1)"),
      amount: Money(after.refundDue, payment.amount.currency), requestedAt: now)
    return events + [.refundRequested(fact)]
  }

  static func receive(
    _ id: PaymentID, _ amount: Money, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    let (order, payment) = try payment(id, of: state)
    guard payment.received == nil else { return [] }
    guard amount == payment.amount else {
      throw .wrongAmount(order.orderID, expected: payment.amount, paid: amount)
    }
    let fact = PaymentReceived(orderID: order.orderID, paymentID: id, amount: amount, receivedAt: now)
    return refunding(state, after: [.paymentReceived(fact)], at: now)
  }

  static func decline(
    _ id: PaymentID, because reason: String, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    let (order, payment) = try payment(id, of: state)
    guard payment.received == nil, payment.declined == nil else { return [] }
    let fact = PaymentDeclined(orderID: order.orderID, paymentID: id, reason: reason, declinedAt: now)
    guard case .placed = state.standing else { return [.paymentDeclined(fact)] }
    return [
      .paymentDeclined(fact),
      .orderFailed(OrderFailed(orderID: order.orderID, reason: reason, occurredAt: now)),
    ]
  }

  static func settle(_ id: RefundID, _ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    guard let order = state.order else { throw .notPlaced }
    guard let refund = state.payment?.refunds.first(where: { $0.id == id }) else {
      throw .unknownRefund(order.orderID, id)
    }
    guard !refund.isSettled else { return [] }
    let fact = RefundSettled(orderID: order.orderID, refundID: id, amount: refund.amount, settledAt: now)
    return [.refundSettled(fact)]
  }

  private static func payment(
    _ id: PaymentID, of state: State
  ) throws(Rejection) -> (OrderPlaced, Payment) {
    guard let order = state.order else { throw .notPlaced }
    guard let payment = state.payment, payment.id == id else { throw .unknownPayment(order.orderID, id) }
    return (order, payment)
  }
}

import Vocabulary

extension Ordering {
  /// The provider is to be asked for the order's total. Asking again under the same id asks for nothing more.
  public struct PaymentRequested: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let paymentID: PaymentID
    public let provider: String
    public let amount: Money
    public let requestedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case paymentID = "payment_id"
      case provider
      case amount
      case requestedAt = "requested_at"
    }

    public init(
      orderID: OrderID, paymentID: PaymentID, provider: String, amount: Money, requestedAt: Timestamp
    ) {
      self.orderID = orderID
      self.paymentID = paymentID
      self.provider = provider
      self.amount = amount
      self.requestedAt = requestedAt
    }
  }

  /// The provider has the money, whatever has become of the order meanwhile.
  public struct PaymentReceived: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let paymentID: PaymentID
    public let amount: Money
    public let receivedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case paymentID = "payment_id"
      case amount
      case receivedAt = "received_at"
    }

    public init(orderID: OrderID, paymentID: PaymentID, amount: Money, receivedAt: Timestamp) {
      self.orderID = orderID
      self.paymentID = paymentID
      self.amount = amount
      self.receivedAt = receivedAt
    }
  }

  /// The provider will not get the money.
  public struct PaymentDeclined: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let paymentID: PaymentID
    /// The provider's word for it, such as `card-declined`.
    public let reason: String
    public let declinedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case paymentID = "payment_id"
      case reason
      case declinedAt = "declined_at"
    }

    public init(orderID: OrderID, paymentID: PaymentID, reason: String, declinedAt: Timestamp) {
      self.orderID = orderID
      self.paymentID = paymentID
      self.reason = reason
      self.declinedAt = declinedAt
    }
  }

  /// The provider is to give money back for which the buyer has nothing. It is stored together with the fact that
  /// makes it due, so that no crash comes between the two.
  public struct RefundRequested: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let paymentID: PaymentID
    public let refundID: RefundID
    public let amount: Money
    public let requestedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case paymentID = "payment_id"
      case refundID = "refund_id"
      case amount
      case requestedAt = "requested_at"
    }

    public init(
      orderID: OrderID, paymentID: PaymentID, refundID: RefundID, amount: Money, requestedAt: Timestamp
    ) {
      self.orderID = orderID
      self.paymentID = paymentID
      self.refundID = refundID
      self.amount = amount
      self.requestedAt = requestedAt
    }
  }

  /// The provider has given it back.
  public struct RefundSettled: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let refundID: RefundID
    public let amount: Money
    public let settledAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case refundID = "refund_id"
      case amount
      case settledAt = "settled_at"
    }

    public init(orderID: OrderID, refundID: RefundID, amount: Money, settledAt: Timestamp) {
      self.orderID = orderID
      self.refundID = refundID
      self.amount = amount
      self.settledAt = settledAt
    }
  }
}

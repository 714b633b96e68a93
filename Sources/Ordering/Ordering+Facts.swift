import Vocabulary

extension Ordering {
  /// A buyer ordered the seats of a hold; payment and booking are still to come.
  public struct OrderPlaced: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let showID: ShowID
    public let holdID: HoldID
    public let accountID: AccountID
    public let buyer: BuyerID
    public let lines: [Line]
    /// The sum of the lines.
    public let total: Money
    public let paymentMethod: String
    /// Where the buyer wants to be written to, if anywhere.
    public let email: EmailAddress?
    public let placedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case showID = "show_id"
      case holdID = "hold_id"
      case accountID = "account_id"
      case buyer
      case lines
      case total
      case paymentMethod = "payment_method"
      case email
      case placedAt = "placed_at"
    }

    public init(
      orderID: OrderID, showID: ShowID, holdID: HoldID, accountID: AccountID, buyer: BuyerID, lines: [Line],
      total: Money, paymentMethod: String, email: EmailAddress? = nil, placedAt: Timestamp
    ) {
      self.orderID = orderID
      self.showID = showID
      self.holdID = holdID
      self.accountID = accountID
      self.buyer = buyer
      self.lines = lines
      self.total = total
      self.paymentMethod = paymentMethod
      self.email = email
      self.placedAt = placedAt
    }
  }

  /// The order is booked and paid. It carries all that billing needs.
  public struct OrderConfirmed: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let showID: ShowID
    public let accountID: AccountID
    public let lines: [Line]
    public let total: Money
    /// The instant that decides which month the order is billed in.
    public let occurredAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case showID = "show_id"
      case accountID = "account_id"
      case lines
      case total
      case occurredAt = "occurred_at"
    }

    public init(
      orderID: OrderID, showID: ShowID, accountID: AccountID, lines: [Line], total: Money,
      occurredAt: Timestamp
    ) {
      self.orderID = orderID
      self.showID = showID
      self.accountID = accountID
      self.lines = lines
      self.total = total
      self.occurredAt = occurredAt
    }
  }

  /// The order came to nothing; nobody pays.
  public struct OrderFailed: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let reason: String
    public let occurredAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case reason
      case occurredAt = "occurred_at"
    }

    public init(orderID: OrderID, reason: String, occurredAt: Timestamp) {
      self.orderID = orderID
      self.reason = reason
      self.occurredAt = occurredAt
    }
  }

  /// The order is off. A confirmed one is refunded line by line, those seats that it still had; one that was only placed
  /// has no lines here and a refund of zero.
  public struct OrderCancelled: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let showID: ShowID
    public let accountID: AccountID
    public let lines: [Line]
    public let refund: Money
    /// What is kept of the seats' prices; nil if nothing is. The lines are without it.
    public let fee: Money?
    /// The quote that was taken up, if there was one.
    public let quoteID: QuoteID?
    /// The instant that decides which month the refund is billed in.
    public let occurredAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case showID = "show_id"
      case accountID = "account_id"
      case lines
      case refund
      case fee
      case quoteID = "quote_id"
      case occurredAt = "occurred_at"
    }

    public init(
      orderID: OrderID, showID: ShowID, accountID: AccountID, lines: [Line], refund: Money,
      fee: Money? = nil, quoteID: QuoteID? = nil, occurredAt: Timestamp
    ) {
      self.orderID = orderID
      self.showID = showID
      self.accountID = accountID
      self.lines = lines
      self.refund = refund
      self.fee = fee
      self.quoteID = quoteID
      self.occurredAt = occurredAt
    }
  }
}

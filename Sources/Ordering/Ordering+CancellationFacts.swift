import Vocabulary

extension Ordering {
  /// What cancelling some seats would give back, if it is done before `expiresAt`.
  public struct CancellationQuoted: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let quoteID: QuoteID
    /// Each seat with what would be given back for it.
    public let lines: [Line]
    /// The sum of the lines.
    public let refund: Money
    /// The rest of the seats' prices.
    public let fee: Money
    public let quotedAt: Timestamp
    public let expiresAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case quoteID = "quote_id"
      case lines
      case refund
      case fee
      case quotedAt = "quoted_at"
      case expiresAt = "expires_at"
    }

    public init(
      orderID: OrderID, quoteID: QuoteID, lines: [Line], refund: Money, fee: Money, quotedAt: Timestamp,
      expiresAt: Timestamp
    ) {
      self.orderID = orderID
      self.quoteID = quoteID
      self.lines = lines
      self.refund = refund
      self.fee = fee
      self.quotedAt = quotedAt
      self.expiresAt = expiresAt
    }
  }

  /// Some seats of the order are off, and the order goes on with the others.
  public struct OrderSeatsCancelled: Sendable, Hashable, Codable {
    public let orderID: OrderID
    public let showID: ShowID
    public let accountID: AccountID
    public let quoteID: QuoteID
    /// Each seat with what is given back for it: its price less the fee. So the fee stays charged with its tax, and no
    /// bill needs a line for it.
    public let lines: [Line]
    /// The sum of the lines.
    public let refund: Money
    public let fee: Money
    /// The instant that decides which month the refund is billed in.
    public let occurredAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case showID = "show_id"
      case accountID = "account_id"
      case quoteID = "quote_id"
      case lines
      case refund
      case fee
      case occurredAt = "occurred_at"
    }

    public init(
      orderID: OrderID, showID: ShowID, accountID: AccountID, quoteID: QuoteID, lines: [Line], refund: Money,
      fee: Money, occurredAt: Timestamp
    ) {
      self.orderID = orderID
      self.showID = showID
      self.accountID = accountID
      self.quoteID = quoteID
      self.lines = lines
      self.refund = refund
      self.fee = fee
      self.occurredAt = occurredAt
    }
  }
}

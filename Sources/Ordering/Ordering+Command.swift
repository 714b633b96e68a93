import Vocabulary

extension Ordering {
  /// What somebody wants of an order.
  public enum Command: Sendable, Hashable {
    case place(Place)
    /// The provider has the money.
    case receivePayment(PaymentID, Money)
    /// The provider will not get the money.
    case declinePayment(PaymentID, reason: String)
    /// The provider has given money back.
    case settleRefund(RefundID)
    /// The seats are booked and paid.
    case confirm
    /// The payment or the booking did not work out.
    case fail(reason: String)
    case cancel
    /// Says what cancelling would give back, for a while.
    case quoteCancellation(QuoteRequest)
    /// Takes a quote up.
    case confirmCancellation(QuoteID)
    /// The show will not take place: whatever the order still has is refunded in full.
    case refundCancelledShow
    /// Somebody else is to go.
    case transfer(SeatID, to: BuyerID, email: EmailAddress? = nil)
    /// Somebody goes in.
    case checkIn(SeatID, scan: ScanID)
  }

  public struct QuoteRequest: Sendable, Hashable {
    public var id: QuoteID
    /// Which seats; nil for all that the order still has.
    public var seats: [SeatID]?
    /// Of each seat's price, in basis points.
    public var feeBasisPoints: Int
    public var expiresAt: Timestamp

    public init(id: QuoteID, seats: [SeatID]? = nil, feeBasisPoints: Int, expiresAt: Timestamp) {
      self.id = id
      self.seats = seats
      self.feeBasisPoints = feeBasisPoints
      self.expiresAt = expiresAt
    }
  }

  public struct Place: Sendable, Hashable {
    public var orderID: OrderID
    public var showID: ShowID
    public var holdID: HoldID
    public var accountID: AccountID
    public var buyer: BuyerID
    public var currency: Currency
    public var lines: [Line]
    public var paymentMethod: String
    /// Where the buyer wants to be written to.
    public var email: EmailAddress?
    /// Who has to get the money before the order is confirmed; nil if it is put on the account.
    public var payment: Payment?

    public struct Payment: Sendable, Hashable {
      public var id: PaymentID
      public var provider: String

      public init(id: PaymentID, provider: String) {
        self.id = id
        self.provider = provider
      }
    }

    public init(
      orderID: OrderID, showID: ShowID, holdID: HoldID, accountID: AccountID, buyer: BuyerID,
      currency: Currency, lines: [Line], paymentMethod: String, email: EmailAddress? = nil,
      payment: Payment? = nil
    ) {
      self.orderID = orderID
      self.showID = showID
      self.holdID = holdID
      self.accountID = accountID
      self.buyer = buyer
      self.currency = currency
      self.lines = lines
      self.paymentMethod = paymentMethod
      self.email = email
      self.payment = payment
    }
  }
}

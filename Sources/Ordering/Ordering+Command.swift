import Vocabulary

extension Ordering {
  /// What somebody wants of an order.
  public enum Command: Sendable, Hashable {
    case place(Place)
    /// The seats are booked and paid.
    case confirm
    /// The payment or the booking did not work out.
    case fail(reason: String)
    case cancel
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

    public init(
      orderID: OrderID, showID: ShowID, holdID: HoldID, accountID: AccountID, buyer: BuyerID,
      currency: Currency, lines: [Line], paymentMethod: String
    ) {
      self.orderID = orderID
      self.showID = showID
      self.holdID = holdID
      self.accountID = accountID
      self.buyer = buyer
      self.currency = currency
      self.lines = lines
      self.paymentMethod = paymentMethod
    }
  }
}

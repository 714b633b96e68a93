import Vocabulary

extension Billing {
  /// What is to be written into an account.
  public enum Command: Sendable, Hashable {
    case open(Open)
    /// The account moves into another time zone.
    case changeZone(ChangeZone)
    /// An order was confirmed.
    case charge(BillableOrder)
    /// A confirmed order was cancelled, or some of its seats.
    case refund(BillableOrder)
  }

  public struct Open: Sendable, Hashable {
    public var accountID: AccountID
    public var name: String
    /// An IANA name such as `America/New_York`, or `UTC`.
    public var timeZone: String

    public init(accountID: AccountID, name: String, timeZone: String) {
      self.accountID = accountID
      self.name = name
      self.timeZone = timeZone
    }
  }

  public struct ChangeZone: Sendable, Hashable {
    public var accountID: AccountID
    /// An IANA name such as `America/New_York`, or `UTC`.
    public var timeZone: String

    public init(accountID: AccountID, timeZone: String) {
      self.accountID = accountID
      self.timeZone = timeZone
    }
  }

  /// What an order event says about money.
  public struct BillableOrder: Sendable, Hashable {
    public struct Line: Sendable, Hashable {
      public var seat: SeatID
      /// Tax included, in minor units; positive for a refund too.
      public var amount: Int64
      /// The rate on the net amount, in basis points.
      public var taxRateBasisPoints: Int

      public init(seat: SeatID, amount: Int64, taxRateBasisPoints: Int) {
        self.seat = seat
        self.amount = amount
        self.taxRateBasisPoints = taxRateBasisPoints
      }
    }

    public var accountID: AccountID
    public var orderID: OrderID
    public var showID: ShowID
    /// The position of the order event in the log, by which a repetition is recognised.
    public var sourcePosition: Int64
    public var currency: Currency
    public var lines: [Line]
    /// The instant that decides the month.
    public var occurredAt: Timestamp

    public init(
      accountID: AccountID, orderID: OrderID, showID: ShowID, sourcePosition: Int64, currency: Currency,
      lines: [Line], occurredAt: Timestamp
    ) {
      self.accountID = accountID
      self.orderID = orderID
      self.showID = showID
      self.sourcePosition = sourcePosition
      self.currency = currency
      self.lines = lines
      self.occurredAt = occurredAt
    }
  }
}

import Vocabulary

extension Billing {
  /// A transaction of the general ledger: what one event of the log posts.
  public struct JournalEntry: Sendable, Hashable {
    /// Of the event.
    public let position: Int64
    public let occurredAt: Timestamp
    /// What happened, such as `payment received`.
    public let narration: String
    public let orderID: OrderID?
    public let accountID: AccountID?
    public let currency: Currency
    /// They add up to zero.
    public let postings: [Posting]

    /// - Throws: ``UnbalancedEntry`` if the debits are not the credits.
    public init(
      position: Int64, occurredAt: Timestamp, narration: String, orderID: OrderID? = nil,
      accountID: AccountID? = nil, currency: Currency, postings: [Posting]
    ) throws {
      var sum = Money.zero(currency)
      for posting in postings { sum = try sum.adding(Money(posting.amount, currency)) }
      guard sum.minorUnits == 0 else { throw UnbalancedEntry(position: position, sum: sum) }
      self.position = position
      self.occurredAt = occurredAt
      self.narration = narration
      self.orderID = orderID
      self.accountID = accountID
      self.currency = currency
      self.postings = postings
    }
  }

  /// An event posts more to one side than to the other.
  public struct UnbalancedEntry: Error, Sendable, Hashable, CustomStringConvertible {
    public let position: Int64
    public let sum: Money

    public var description: String {
      "the postings of the event at position \(position) add up to \(sum) instead of zero"
    }
  }
}

extension [Billing.Posting] {
  /// A provider has money of a buyer's.
  public static func received(_ amount: Int64) -> Self {
    [.init(.cash, amount), .init(.receivable, -amount)]
  }

  /// A provider is to give money back.
  public static func refundDue(_ amount: Int64) -> Self {
    [.init(.receivable, amount), .init(.refundsPayable, -amount)]
  }

  /// A provider has given it back.
  public static func refundSettled(_ amount: Int64) -> Self {
    [.init(.refundsPayable, amount), .init(.cash, -amount)]
  }

  /// Of the price of cancelled seats something is kept. It was charged as revenue and stays so, for another reason; its
  /// tax stays where it is.
  ///
  /// - Parameter fee: tax included.
  public static func kept(_ fee: Money, taxRateBasisPoints: Int) throws(MoneyError) -> Self {
    let net = try fee.subtracting(try fee.taxIncluded(basisPoints: taxRateBasisPoints)).minorUnits
    return [.init(.revenue, net), .init(.fees, -net)]
  }
}

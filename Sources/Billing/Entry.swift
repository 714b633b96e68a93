import Vocabulary

extension Billing {
  /// One order's charge or refund: the payload of `charged` and of `refunded`.
  ///
  /// All amounts are minor units of `currency`. Those of the lines, `gross` and `tax` are positive in a refund
  /// too; only the postings are signed.
  public struct Entry: Sendable, Hashable, Codable {
    public struct Line: Sendable, Hashable, Codable {
      public let seat: SeatID
      /// Tax included.
      public let amount: Int64
      /// The part of `amount` that is tax.
      public let tax: Int64

      public init(seat: SeatID, amount: Int64, tax: Int64) {
        self.seat = seat
        self.amount = amount
        self.tax = tax
      }
    }

    public let accountID: AccountID
    public let orderID: OrderID
    public let showID: ShowID
    /// The position of the order event in the log.
    public let sourcePosition: Int64
    /// The month of the bill, in the account's time zone.
    public let month: Month
    /// What it corrects, if the month in which it happened was closed before; nil for everything else.
    public let adjusts: Adjustment?
    public let currency: Currency
    public let lines: [Line]
    /// The sum of the lines' amounts.
    public let gross: Int64
    /// The sum of the lines' taxes.
    public let tax: Int64
    public let occurredAt: Timestamp
    /// What goes into the ledger; it adds up to zero.
    public let postings: [Posting]

    private enum CodingKeys: String, CodingKey {
      case accountID = "account_id"
      case orderID = "order_id"
      case showID = "show_id"
      case sourcePosition = "source_position"
      case month
      case adjusts
      case currency
      case lines
      case gross
      case tax
      case occurredAt = "occurred_at"
      case postings
    }

    public init(
      accountID: AccountID, orderID: OrderID, showID: ShowID, sourcePosition: Int64, month: Month,
      adjusts: Adjustment? = nil, currency: Currency, lines: [Line], gross: Int64, tax: Int64,
      occurredAt: Timestamp,
      postings: [Posting]
    ) {
      self.accountID = accountID
      self.orderID = orderID
      self.showID = showID
      self.sourcePosition = sourcePosition
      self.month = month
      self.adjusts = adjusts
      self.currency = currency
      self.lines = lines
      self.gross = gross
      self.tax = tax
      self.occurredAt = occurredAt
      self.postings = postings
    }
  }

  /// One side of a double entry: a debit is positive, a credit negative.
  public struct Posting: Sendable, Hashable, Codable {
    public enum Account: String, Sendable, Hashable, Codable, CaseIterable {
      /// What the account owes us.
      case receivable
      case revenue
      /// What we owe the tax office.
      case taxPayable = "tax_payable"
      /// What payment providers have for us.
      case cash
      /// What they are to give back.
      case refundsPayable = "refunds_payable"
      /// What was kept of the price of cancelled seats, without its tax.
      case fees
    }

    public let account: Account
    public let amount: Int64

    private enum CodingKeys: String, CodingKey {
      case account = "ledger_account"
      case amount
    }

    public init(_ account: Account, _ amount: Int64) {
      self.account = account
      self.amount = amount
    }
  }
}

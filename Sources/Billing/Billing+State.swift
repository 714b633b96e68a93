import Vocabulary

extension Billing {
  /// What is known about one account after folding its stream.
  public struct State: Sendable {
    /// What identifies a bill of one account.
    public struct BillKey: Sendable, Hashable {
      public let month: Month
      public let currency: Currency

      public init(month: Month, currency: Currency) {
        self.month = month
        self.currency = currency
      }
    }

    struct BilledOrder: Sendable {
      let chargedAt: Int64  // the position of the order event
      let gross: Int64
      let tax: Int64
      let currency: Currency
      /// By the position of the order event.
      var refunds: [Int64: Refund] = [:]

      struct Refund: Sendable {
        let gross: Int64
        let tax: Int64
        let seats: Set<SeatID>
      }

      var refundedSeats: Set<SeatID> { refunds.values.reduce(into: []) { $0.formUnion($1.seats) } }
      var refundedGross: Int64 { refunds.values.reduce(0) { $0 + $1.gross } }
      var refundedTax: Int64 { refunds.values.reduce(0) { $0 + $1.tax } }
    }

    /// `nil` for an account that was never opened; it can be charged all the same.
    public internal(set) var account: AccountOpened?
    /// Decides the month of a charge; UTC for an account that was never opened.
    public internal(set) var zone = BillingZone.utc
    public internal(set) var totals: [BillKey: MonthlyTotals] = [:]
    /// Decide the bill of whatever comes later for a month that they contain.
    public internal(set) var closedMonths = ClosedMonths()
    var orders: [OrderID: BilledOrder] = [:]

    public init() {}

    /// The figures of a month's bill; zeros when nothing happened.
    public func totals(of month: Month, in currency: Currency) -> MonthlyTotals {
      totals[BillKey(month: month, currency: currency)] ?? .zero(currency)
    }
  }

  /// Takes one fact into account. It never fails and never decides.
  public static func evolve(_ state: inout State, _ event: Event) {
    switch event {
    case .accountOpened(let fact):
      state.account = fact
      state.zone = BillingZone(fact.timeZone) ?? .utc
    case .accountZoneChanged(let fact):
      state.zone = BillingZone(fact.timeZone) ?? .utc
    case .charged(let entry):
      state.orders[entry.orderID] = .init(
        chargedAt: entry.sourcePosition, gross: entry.gross, tax: entry.tax, currency: entry.currency)
      state.setTotals(of: entry, to: try? state.totals(of: entry).charging(entry))
    case .refunded(let entry):
      state.orders[entry.orderID]?.refunds[entry.sourcePosition] = .init(
        gross: entry.gross, tax: entry.tax, seats: Set(entry.lines.map(\.seat)))
      state.setTotals(of: entry, to: try? state.totals(of: entry).refunding(entry))
    case .monthClosed(let fact):
      state.closedMonths.add(
        fact.month, fact.currency, through: fact.throughPosition, number: fact.invoiceNumber)
    case .creditNoteIssued:
      // In no bill.
      break
    }
  }
}

extension Billing.State {
  func totals(of entry: Billing.Entry) -> MonthlyTotals {
    totals(of: entry.month, in: entry.currency)
  }

  /// `nil` is a sum that no `Money` can hold. `decide` refuses the entry that would lead to it, so it is in no
  /// stream; should one be there all the same, the totals stay what they were.
  fileprivate mutating func setTotals(of entry: Billing.Entry, to new: MonthlyTotals?) {
    guard let new else { return }
    totals[BillKey(month: entry.month, currency: entry.currency)] = new
  }
}

import Vocabulary

extension Ordering {
  /// What is known about one order after folding its stream.
  public struct State: Sendable, Hashable {
    public internal(set) var standing = Standing.none
    /// Of an order that is paid through a provider.
    public internal(set) var payment: Payment?
    /// Seats of a confirmed order that were given back since.
    public internal(set) var cancelledSeats: Set<SeatID> = []
    /// The latest quote; an earlier one is void.
    public internal(set) var quote: CancellationQuoted?
    /// Who goes instead of the buyer.
    var holders: [SeatID: BuyerID] = [:]
    var checkedIn: [SeatID: ScanID] = [:]
    /// Quotes that were taken up.
    var takenQuotes: Set<QuoteID> = []
    /// The lines of all cancellations, in minor units.
    var refundedLines: Int64 = 0

    /// What cancellations have given back on the account, in minor units.
    public var refunded: Int64 { refundedLines }

    public init() {}

    /// Before it is placed.
    public static let none = State()

    /// The order as it was placed, whatever became of it.
    public var order: OrderPlaced? { standing.order }

    /// What the order has left.
    public var remainingLines: [Line] { order?.lines.filter { !cancelledSeats.contains($0.seat) } ?? [] }
  }

  /// What became of the order.
  public enum Standing: Sendable, Hashable {
    case none
    case placed(OrderPlaced)
    case confirmed(OrderPlaced)
    case failed(OrderPlaced, reason: String)
    /// `refunded` tells whether it was confirmed before, so that there was something to refund.
    case cancelled(OrderPlaced, refunded: Bool)

    public var order: OrderPlaced? {
      switch self {
      case .none: nil
      case .placed(let order), .confirmed(let order), .failed(let order, _), .cancelled(let order, _): order
      }
    }
  }

  /// Takes one fact into account. It never fails and never decides: a fact about an order that was not
  /// placed changes nothing.
  public static func evolve(_ state: inout State, _ event: Event) {
    if case .orderPlaced(let fact) = event {
      state = State()
      state.standing = .placed(fact)
      return
    }
    guard let order = state.order else { return }
    switch event {
    case .orderPlaced: break  // taken into account above
    case .paymentRequested(let fact): state.payment = Payment(fact)
    case .paymentReceived(let fact): state.payment?.received = fact.amount
    case .paymentDeclined(let fact): state.payment?.declined = fact.reason
    case .refundRequested(let fact): state.payment?.refunds.append(Refund(fact))
    case .refundSettled(let fact): state.payment?.settle(fact.refundID)
    case .orderConfirmed: state.standing = .confirmed(order)
    case .orderFailed(let fact): state.standing = .failed(order, reason: fact.reason)
    case .ticketTransferred(let fact): state.holders[fact.seat] = fact.holder
    case .ticketCheckedIn(let fact): state.checkedIn[fact.seat] = fact.scanID
    case .cancellationQuoted(let fact): state.quote = fact
    case .orderSeatsCancelled(let fact): state.giveBack(fact.lines, fact.refund, fact.quoteID)
    case .orderCancelled(let fact):
      state.giveBack(fact.lines, fact.refund, fact.quoteID)
      state.standing = .cancelled(order, refunded: state.standing == .confirmed(order))
    }
  }
}

extension Ordering.State {
  fileprivate mutating func giveBack(_ lines: [Ordering.Line], _ refund: Money, _ quote: QuoteID?) {
    cancelledSeats.formUnion(lines.lazy.map(\.seat))
    refundedLines += refund.minorUnits
    if let quote { takenQuotes.insert(quote) }
  }
}

import Vocabulary

extension Ordering {
  /// What is known about one order after folding its stream.
  public enum State: Sendable, Hashable {
    case none
    case placed(OrderPlaced)
    case confirmed(OrderPlaced)
    case failed(OrderPlaced, reason: String)
    /// `refunded` tells whether it was confirmed before, so that there was something to refund.
    case cancelled(OrderPlaced, refunded: Bool)

    public init() { self = .none }

    /// The order as it was placed, whatever became of it.
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
      state = .placed(fact)
      return
    }
    guard let order = state.order else { return }
    switch event {
    case .orderPlaced: break  // taken into account above
    case .orderConfirmed: state = .confirmed(order)
    case .orderFailed(let fact): state = .failed(order, reason: fact.reason)
    case .orderCancelled: state = .cancelled(order, refunded: state == .confirmed(order))
    }
  }
}

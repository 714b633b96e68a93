import Vocabulary

extension Ordering {
  /// Why a command was refused. Nothing has happened then.
  public enum Rejection: Error, Sendable, Hashable {
    case notPlaced
    case invalidOrder([String])
    case alreadyConfirmed(OrderID)
    case alreadyFailed(OrderID, reason: String)
    case alreadyCancelled(OrderID)
    /// The id already stands for another order.
    case idReused(OrderID)
  }
}

extension Ordering.Rejection {
  /// The stable name of the reason, as problem documents and scripts know it.
  public var code: String {
    switch self {
    case .notPlaced: "order-not-placed"
    case .invalidOrder: "invalid-order"
    case .alreadyConfirmed: "order-already-confirmed"
    case .alreadyFailed: "order-already-failed"
    case .alreadyCancelled: "order-already-cancelled"
    case .idReused: "id-reused"
    }
  }

  /// What happened, to what, and what to do next.
  public var message: String {
    switch self {
    case .notPlaced: "There is no such order; place it first"
    case .invalidOrder(let problems): "The order cannot be placed: \(problems.joined(separator: "; "))"
    case .alreadyConfirmed(let order): "Order \(order) is confirmed; cancel it to be refunded"
    case .alreadyFailed(let order, let reason):
      "Order \(order) failed (\(reason)); place a new order under a new id"
    case .alreadyCancelled(let order): "Order \(order) is cancelled; place a new order under a new id"
    case .idReused(let order): "Order \(order) exists with other content; use a new id for a new order"
    }
  }
}

extension Ordering.Rejection: CustomStringConvertible {
  public var description: String { "\(code): \(message)" }
}

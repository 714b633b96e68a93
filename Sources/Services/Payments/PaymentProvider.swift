import Vocabulary

/// Whoever moves the money. Every call carries an id of ours: the same id again asks for nothing more, and is answered
/// with how the first one stands. So a call whose answer was lost is simply made again.
public protocol PaymentProvider: Sendable {
  /// What stands before the colon of a payment method: `sandbox` in `sandbox:approve`.
  var name: String { get }

  func charge(_ request: ChargeRequest) async throws(PaymentProviderError) -> ChargeStatus

  /// How a charge stands; nil if it was never asked for.
  func inquire(_ id: PaymentID) async throws(PaymentProviderError) -> ChargeStatus?

  func refund(_ request: RefundRequest) async throws(PaymentProviderError) -> RefundStatus
}

public struct ChargeRequest: Sendable, Hashable {
  /// The idempotency key.
  public let id: PaymentID
  public let order: OrderID
  public let amount: Money
  /// What stands after the colon of the payment method: a token that the provider has given the buyer.
  public let card: String

  public init(id: PaymentID, order: OrderID, amount: Money, card: String) {
    self.id = id
    self.order = order
    self.amount = amount
    self.card = card
  }
}

public enum ChargeStatus: Sendable, Hashable {
  case succeeded
  case declined(reason: String)
  /// The answer comes by webhook.
  case pending
}

public struct RefundRequest: Sendable, Hashable {
  /// The idempotency key.
  public let id: RefundID
  public let payment: PaymentID
  public let order: OrderID
  public let amount: Money

  public init(id: RefundID, payment: PaymentID, order: OrderID, amount: Money) {
    self.id = id
    self.payment = payment
    self.order = order
    self.amount = amount
  }
}

public enum RefundStatus: String, Sendable, Hashable, Codable {
  case settled
  /// The answer comes by webhook.
  case pending
}

/// Why a provider has not answered as asked.
public enum PaymentProviderError: Error, Sendable, Hashable {
  /// Nobody knows whether the request arrived. Making it again is safe.
  case unreachable(String)
  /// The provider will not do it, however often it is asked.
  case refused(String)
}

extension PaymentProviderError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreachable(let reason): "the payment provider does not answer: \(reason)"
    case .refused(let reason): "the payment provider refuses the request: \(reason)"
    }
  }
}

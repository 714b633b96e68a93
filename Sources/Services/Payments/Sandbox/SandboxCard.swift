import Vocabulary

/// What the sandbox does is chosen by the card that pays.
public enum SandboxCard: String, Sendable, Hashable, CaseIterable, Codable {
  /// Succeeds at once.
  case approve
  /// Answers "pending"; success comes by webhook.
  case approveLater = "approve-later"
  /// Answers "pending"; success comes by webhook after a quarter of an hour, when most holds are over.
  case late
  /// Is declined at once.
  case decline
  /// Is declined at once, for another reason.
  case insufficientFunds = "insufficient-funds"
  /// Answers "pending"; the decline comes by webhook.
  case declineLater = "decline-later"
  /// Takes the money, but the first request gets no answer.
  case timeout
  /// Like `approve-later`, with every webhook delivered twice.
  case duplicate
  /// Like `approve-later`, with "pending" told after "succeeded".
  case outOfOrder = "out-of-order"
  /// Takes the money and never says so: only whoever asks again finds out.
  case silent
  /// Succeeds at once; refunds are settled by webhook.
  case refundLater = "refund-later"

  enum End { case succeeded, declined }

  var end: End {
    switch self {
    case .decline, .insufficientFunds, .declineLater: .declined
    default: .succeeded
    }
  }

  var reason: String? {
    switch self {
    case .decline, .declineLater: "card-declined"
    case .insufficientFunds: "insufficient-funds"
    default: nil
    }
  }

  /// Whether the first answer tells the end.
  var answersAtOnce: Bool {
    switch self {
    case .approve, .decline, .insufficientFunds, .refundLater: true
    default: false
    }
  }

  /// How long after the request the end is reached.
  var delay: Duration { self == .late ? .seconds(900) : .zero }

  /// The webhooks in the order of delivery.
  var notices: [PaymentNotice.Kind] {
    let last: PaymentNotice.Kind = end == .declined ? .chargeDeclined : .chargeSucceeded
    return switch self {
    case .silent: []
    case .outOfOrder: [last, .chargePending]
    default: answersAtOnce ? [last] : [.chargePending, last]
    }
  }

  /// How often each webhook is delivered.
  var copies: Int { self == .duplicate ? 2 : 1 }
}

import Vocabulary

extension Ordering {
  /// What happened to an order. The payloads are in `Ordering+Facts.swift`,
  /// `Ordering+PaymentFacts.swift`, `Ordering+CancellationFacts.swift` and `Ordering+Tickets.swift`.
  public enum Event: Sendable, Hashable {
    case orderPlaced(OrderPlaced)
    case paymentRequested(PaymentRequested)
    case paymentReceived(PaymentReceived)
    case paymentDeclined(PaymentDeclined)
    case refundRequested(RefundRequested)
    case refundSettled(RefundSettled)
    case orderConfirmed(OrderConfirmed)
    case orderFailed(OrderFailed)
    case orderSeatsCancelled(OrderSeatsCancelled)
    case cancellationQuoted(CancellationQuoted)
    case orderCancelled(OrderCancelled)
    case ticketCheckedIn(TicketCheckedIn)
    case ticketTransferred(TicketTransferred)

    /// The stable names of the facts, as the log, SQL and the feed know them.
    public enum Kind: String, Sendable, CaseIterable {
      case orderPlaced = "order-placed"
      case paymentRequested = "payment-requested"
      case paymentReceived = "payment-received"
      case paymentDeclined = "payment-declined"
      case refundRequested = "refund-requested"
      case refundSettled = "refund-settled"
      case orderConfirmed = "order-confirmed"
      case orderFailed = "order-failed"
      case orderSeatsCancelled = "order-seats-cancelled"
      case cancellationQuoted = "cancellation-quoted"
      case orderCancelled = "order-cancelled"
      case ticketCheckedIn = "ticket-checked-in"
      case ticketTransferred = "ticket-transferred"
    }

    public var kind: Kind {
      switch self {
      case .orderPlaced: .orderPlaced
      case .paymentRequested: .paymentRequested
      case .paymentReceived: .paymentReceived
      case .paymentDeclined: .paymentDeclined
      case .refundRequested: .refundRequested
      case .refundSettled: .refundSettled
      case .orderConfirmed: .orderConfirmed
      case .orderFailed: .orderFailed
      case .orderSeatsCancelled: .orderSeatsCancelled
      case .cancellationQuoted: .cancellationQuoted
      case .orderCancelled: .orderCancelled
      case .ticketCheckedIn: .ticketCheckedIn
      case .ticketTransferred: .ticketTransferred
      }
    }
  }
}

extension Ordering.Event: DomainEvent {
  public static let category = "order"

  public var type: String { kind.rawValue }

  public var personalFields: [PersonalField] {
    switch self {
    case .orderPlaced(let fact):
      let buyer = DataSubject(kind: "buyer", name: fact.buyer.rawValue)
      // How somebody pays says something about them: a card's token, an account elsewhere.
      return [
        PersonalField("buyer", of: buyer), PersonalField("payment_method", of: buyer),
        PersonalField("email", of: buyer),
      ]
    case .ticketTransferred(let fact):
      let holder = DataSubject(kind: "buyer", name: fact.holder.rawValue)
      return [PersonalField("holder", of: holder), PersonalField("email", of: holder)]
    default: return []
    }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .orderPlaced(let fact): try fact.encode(to: encoder)
    case .paymentRequested(let fact): try fact.encode(to: encoder)
    case .paymentReceived(let fact): try fact.encode(to: encoder)
    case .paymentDeclined(let fact): try fact.encode(to: encoder)
    case .refundRequested(let fact): try fact.encode(to: encoder)
    case .refundSettled(let fact): try fact.encode(to: encoder)
    case .orderConfirmed(let fact): try fact.encode(to: encoder)
    case .orderFailed(let fact): try fact.encode(to: encoder)
    case .orderSeatsCancelled(let fact): try fact.encode(to: encoder)
    case .cancellationQuoted(let fact): try fact.encode(to: encoder)
    case .orderCancelled(let fact): try fact.encode(to: encoder)
    case .ticketCheckedIn(let fact): try fact.encode(to: encoder)
    case .ticketTransferred(let fact): try fact.encode(to: encoder)
    }
  }

  public init(type: String, from decoder: any Decoder) throws {
    switch Kind(rawValue: type) {
    case .orderPlaced: self = .orderPlaced(try .init(from: decoder))
    case .paymentRequested: self = .paymentRequested(try .init(from: decoder))
    case .paymentReceived: self = .paymentReceived(try .init(from: decoder))
    case .paymentDeclined: self = .paymentDeclined(try .init(from: decoder))
    case .refundRequested: self = .refundRequested(try .init(from: decoder))
    case .refundSettled: self = .refundSettled(try .init(from: decoder))
    case .orderConfirmed: self = .orderConfirmed(try .init(from: decoder))
    case .orderFailed: self = .orderFailed(try .init(from: decoder))
    case .orderSeatsCancelled: self = .orderSeatsCancelled(try .init(from: decoder))
    case .cancellationQuoted: self = .cancellationQuoted(try .init(from: decoder))
    case .orderCancelled: self = .orderCancelled(try .init(from: decoder))
    case .ticketCheckedIn: self = .ticketCheckedIn(try .init(from: decoder))
    case .ticketTransferred: self = .ticketTransferred(try .init(from: decoder))
    case nil: throw UnknownEventType(type: type, category: Self.category)
    }
  }
}

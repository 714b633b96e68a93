import Vocabulary

extension Ordering {
  /// What happened to an order. The payloads are in `Ordering+Facts.swift`.
  public enum Event: Sendable, Hashable {
    case orderPlaced(OrderPlaced)
    case orderConfirmed(OrderConfirmed)
    case orderFailed(OrderFailed)
    case orderCancelled(OrderCancelled)

    /// The stable names of the facts, as the log, SQL and the feed know them.
    public enum Kind: String, Sendable, CaseIterable {
      case orderPlaced = "order-placed"
      case orderConfirmed = "order-confirmed"
      case orderFailed = "order-failed"
      case orderCancelled = "order-cancelled"
    }

    public var kind: Kind {
      switch self {
      case .orderPlaced: .orderPlaced
      case .orderConfirmed: .orderConfirmed
      case .orderFailed: .orderFailed
      case .orderCancelled: .orderCancelled
      }
    }
  }
}

extension Ordering.Event: DomainEvent {
  public static let category = "order"

  public var type: String { kind.rawValue }

  public var personalFields: [PersonalField] {
    guard case .orderPlaced(let fact) = self else { return [] }
    return [PersonalField("buyer", of: DataSubject(kind: "buyer", name: fact.buyer.rawValue))]
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .orderPlaced(let fact): try fact.encode(to: encoder)
    case .orderConfirmed(let fact): try fact.encode(to: encoder)
    case .orderFailed(let fact): try fact.encode(to: encoder)
    case .orderCancelled(let fact): try fact.encode(to: encoder)
    }
  }

  public init(type: String, from decoder: any Decoder) throws {
    switch Kind(rawValue: type) {
    case .orderPlaced: self = .orderPlaced(try .init(from: decoder))
    case .orderConfirmed: self = .orderConfirmed(try .init(from: decoder))
    case .orderFailed: self = .orderFailed(try .init(from: decoder))
    case .orderCancelled: self = .orderCancelled(try .init(from: decoder))
    case nil: throw UnknownEventType(type: type, category: Self.category)
    }
  }
}

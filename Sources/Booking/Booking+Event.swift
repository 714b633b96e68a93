import Vocabulary

extension Booking {
  /// What happened in a show. The payloads are in `Booking+Facts.swift`.
  public enum Event: Sendable, Hashable {
    case showScheduled(ShowScheduled)
    case seatsHeld(SeatsHeld)
    case holdExtended(HoldExtended)
    case holdConfirmed(HoldConfirmed)
    case holdReleased(HoldReleased)
    case holdExpired(HoldExpired)
    case bookingCancelled(BookingCancelled)
    case bookingSeatsCancelled(BookingSeatsCancelled)
    case showCancelled(ShowCancelled)
    case waitingListJoined(WaitingListJoined)
    case waitingListLeft(WaitingListLeft)

    /// The stable names of the facts, as the log, SQL and the feed know them.
    public enum Kind: String, Sendable, CaseIterable {
      case showScheduled = "show-scheduled"
      case seatsHeld = "seats-held"
      case holdExtended = "hold-extended"
      case holdConfirmed = "hold-confirmed"
      case holdReleased = "hold-released"
      case holdExpired = "hold-expired"
      case bookingCancelled = "booking-cancelled"
      case bookingSeatsCancelled = "booking-seats-cancelled"
      case showCancelled = "show-cancelled"
      case waitingListJoined = "waiting-list-joined"
      case waitingListLeft = "waiting-list-left"
    }

    public var kind: Kind {
      switch self {
      case .showScheduled: .showScheduled
      case .seatsHeld: .seatsHeld
      case .holdExtended: .holdExtended
      case .holdConfirmed: .holdConfirmed
      case .holdReleased: .holdReleased
      case .holdExpired: .holdExpired
      case .bookingCancelled: .bookingCancelled
      case .bookingSeatsCancelled: .bookingSeatsCancelled
      case .showCancelled: .showCancelled
      case .waitingListJoined: .waitingListJoined
      case .waitingListLeft: .waitingListLeft
      }
    }
  }
}

extension Booking.Event: DomainEvent {
  public static let category = "show"

  public var type: String { kind.rawValue }

  public var personalFields: [PersonalField] {
    let buyer: BuyerID
    switch self {
    case .seatsHeld(let fact): buyer = fact.buyer
    case .waitingListJoined(let fact): buyer = fact.buyer
    default: return []
    }
    return [PersonalField("buyer", of: DataSubject(kind: "buyer", name: buyer.rawValue))]
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .showScheduled(let fact): try fact.encode(to: encoder)
    case .seatsHeld(let fact): try fact.encode(to: encoder)
    case .holdExtended(let fact): try fact.encode(to: encoder)
    case .holdConfirmed(let fact): try fact.encode(to: encoder)
    case .holdReleased(let fact): try fact.encode(to: encoder)
    case .holdExpired(let fact): try fact.encode(to: encoder)
    case .bookingCancelled(let fact): try fact.encode(to: encoder)
    case .bookingSeatsCancelled(let fact): try fact.encode(to: encoder)
    case .showCancelled(let fact): try fact.encode(to: encoder)
    case .waitingListJoined(let fact): try fact.encode(to: encoder)
    case .waitingListLeft(let fact): try fact.encode(to: encoder)
    }
  }

  public init(type: String, from decoder: any Decoder) throws {
    switch Kind(rawValue: type) {
    case .showScheduled: self = .showScheduled(try .init(from: decoder))
    case .seatsHeld: self = .seatsHeld(try .init(from: decoder))
    case .holdExtended: self = .holdExtended(try .init(from: decoder))
    case .holdConfirmed: self = .holdConfirmed(try .init(from: decoder))
    case .holdReleased: self = .holdReleased(try .init(from: decoder))
    case .holdExpired: self = .holdExpired(try .init(from: decoder))
    case .bookingCancelled: self = .bookingCancelled(try .init(from: decoder))
    case .bookingSeatsCancelled: self = .bookingSeatsCancelled(try .init(from: decoder))
    case .showCancelled: self = .showCancelled(try .init(from: decoder))
    case .waitingListJoined: self = .waitingListJoined(try .init(from: decoder))
    case .waitingListLeft: self = .waitingListLeft(try .init(from: decoder))
    case nil: throw UnknownEventType(type: type, category: Self.category)
    }
  }
}

import Billing
import Booking
import EventStore
import Ordering
import PostgreSQL
import Vocabulary

/// Why a service did not do what it was asked. Closed, so that the edge maps every case once.
public enum ServiceError: Error, Sendable {
  case bookingRejected(Booking.Rejection)
  case orderRejected(Ordering.Rejection)
  case billingRejected(Billing.Rejection)
  /// The request itself makes no sense, for example an id of the wrong form.
  case invalid(String)
  case notFound(kind: String, id: String)
  /// Too much is waiting; nothing was done, and trying again later is right.
  case overloaded(String)
  /// The database cannot be reached; nothing was done.
  case unavailable(String)
  /// A stream has an event that this release cannot read, probably of a later one; nothing was done.
  case unreadable(String)
  /// The connection was lost at the wrong moment: done completely or not at all. Sending the same request again
  /// (same ids) is safe and finds out.
  case outcomeUnknown(String)
}

extension ServiceError: TransientFailure {
  public var isTransient: Bool {
    switch self {
    case .overloaded, .unavailable, .outcomeUnknown: true
    default: false
    }
  }
}

extension ServiceError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .bookingRejected(let rejection): "\(rejection)"
    case .orderRejected(let rejection): "\(rejection)"
    case .billingRejected(let rejection): "\(rejection)"
    case .invalid(let reason): reason
    case .notFound(let kind, let id): "there is no \(kind) \(id)"
    case .overloaded(let reason), .unavailable(let reason), .unreadable(let reason): reason
    case .outcomeUnknown(let reason): reason
    }
  }

  init(_ error: AppendError) {
    switch error {
    case .overloaded: self = .overloaded(error.description)
    case .unavailable: self = .unavailable(error.description)
    case .invalid, .rejected, .eventIDReused, .refused: self = .invalid(error.description)
    }
  }

  /// For what a store or a repository of deciders throws.
  init(reading error: any Error) {
    switch error {
    case let error as ServiceError: self = error
    case let error as AppendError: self = ServiceError(error)
    case let error as AppendOutcomeUnknown: self = .outcomeUnknown("\(error)")
    case let error as StreamContended: self = .overloaded("\(error)")
    case let error as UnknownEventType: self = .unreadable("\(error)")
    case let error as UnreadableSchemaVersion: self = .unreadable("\(error)")
    case let error as SealedFieldDamaged: self = .unreadable("\(error)")
    case let error as UpcastFailed: self = .unreadable("\(error)")
    case let error as DecodingError: self = .unreadable("a stored event cannot be read: \(error)")
    default: self = .unavailable("the database cannot be read: \(error)")
    }
  }
}

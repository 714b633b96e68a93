import Billing
import Booking
import EventStore
import Hummingbird
import Ordering
import PostgreSQL
import Services

// The one place where what a service says becomes what a client is told.
extension Problem {
  init(_ error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case let error as ServiceError: self.init(error)
    case let refusal as WaitingRoomRefusal: self.init(refusal)
    case let error as ProjectionBehind: self = .projectionBehind(error)
    case let error as ProjectionHeldUp: self = .projectionHeldUp(error)
    case let error as PostgresError: self = .database(error)
    case is CancellationError:
      self = Problem(.serviceUnavailable, "cancelled", "The request was given up before it was answered")
        .retry()
    case let error as HTTPError where (400..<500).contains(error.status.code):
      self.init(error.status, "bad-request", error.body ?? error.status.reasonPhrase)
    default: self = .internalError
    }
  }

  init(_ error: ServiceError) {
    switch error {
    case .bookingRejected(let rejection): self.init(rejection)
    case .orderRejected(let rejection): self.init(rejection)
    case .billingRejected(let rejection): self.init(rejection)
    case .invalid(let reason): self.init(.unprocessableContent, "not-acceptable", "\(reason)")
    case .notFound(let kind, let id): self = .notFound(kind, id)
    case .overloaded(let reason):
      self = Problem(.serviceUnavailable, "overloaded", "\(reason)").retry()
    case .unavailable: self = .unavailable
    case .unreadable: self = .internalError
    case .outcomeUnknown:
      self = Problem(
        .serviceUnavailable, "outcome-unknown",
        """
        The connection to the database was lost at the wrong moment: the request was carried out completely or not \
        at all. Send it again with the same Idempotency-Key to find out; that is safe
        """
      ).retry()
    }
  }

  // What the reason was is for the logs; it may name hosts and users.
  static var unavailable: Problem {
    Problem(
      .serviceUnavailable, "unavailable",
      "The database cannot be reached and nothing was changed; try again shortly"
    ).retry()
  }

  static var internalError: Problem {
    Problem(
      .internalServerError, "internal-error",
      "Something went wrong that should not; report it with the X-Request-ID of this answer")
  }

  private static func projectionBehind(_ error: ProjectionBehind) -> Problem {
    Problem(
      .serviceUnavailable, "projection-behind",
      """
      The read model \(error.subscription) is at position \(error.position) and has not reached \
      \(error.wanted) in time; try again shortly
      """
    ).retry()
  }

  /// Trying again does not help before an operator has looked at it. The error itself may quote data.
  private static func projectionHeldUp(_ error: ProjectionHeldUp) -> Problem {
    Problem(
      .serviceUnavailable, "projection-held-up",
      """
      The read model \(error.subscription) cannot show position \(error.wanted): \
      \(error.isParked ? "it is parked" : "it has stopped at an event that it cannot handle"), and waits for an operator
      """)
  }

  private static func database(_ error: PostgresError) -> Problem {
    switch error.kind {
    case .connectionLost, .connectFailed, .poolExhausted, .closed: .unavailable
    case .timedOut:
      Problem(.serviceUnavailable, "timed-out", "The database took too long; ask for less, or try again")
        .retry()
    case .server where error.isConnectionLost: .unavailable
    case .server where error.sqlState == .queryCanceled:
      Problem(.serviceUnavailable, "timed-out", "The database took too long; ask for less, or try again")
        .retry()
    case .server, .decoding, .client: .internalError
    }
  }

  // MARK: Rejections

  init(_ rejection: Booking.Rejection) {
    let status: HTTPResponse.Status =
      switch rejection {
      case .showNotScheduled, .holdNotFound, .waitingEntryNotFound: .notFound
      case .showAlreadyScheduled, .seatsUnavailable, .noAdjacentSeats, .notEnoughSeats,
        .seatsLeftAlone, .buyerLimit, .seatsStillFree, .waitingListFull, .showCancelled, .holdExpired,
        .holdReleased,
        .holdAlreadyConfirmed, .holdNotYetExpired, .notConfirmed:
        .conflict
      case .invalidPlan, .unknownSeats, .unknownSection, .unknownCategory, .tooManyAccessible, .invalidReason,
        .waitingIDReused, .noSeatsRequested, .duplicateSeats, .tooManySeats,
        .idReused:
        .unprocessableContent
      }
    self.init(status, rejection.code, rejection.message)
    switch rejection {
    case .seatsUnavailable(let conflicts): self.conflicts = conflicts
    case .holdAlreadyConfirmed(let order): self.order = order
    case .invalidPlan(let problems): errors = problems.map { Fault(.pointer(""), $0) }
    case .unknownSection: errors = [Fault(.pointer("/best/section"), "is not a section of the show")]
    case .unknownCategory: errors = [Fault(.pointer("/best/category"), "is not a price category of the show")]
    case .idReused, .waitingIDReused: self = .idReused(rejection.message)
    default: break
    }
  }

  init(_ rejection: Ordering.Rejection) {
    let status: HTTPResponse.Status =
      switch rejection {
      case .notPlaced, .noSuchTicket, .unknownQuote: .notFound
      case .alreadyConfirmed, .alreadyFailed, .alreadyCancelled, .notPaid, .notConfirmed, .quoteExpired,
        .tooLateToCancel, .alreadyCheckedIn:
        .conflict
      case .invalidOrder, .idReused, .unknownPayment, .wrongAmount, .unknownRefund: .unprocessableContent
      }
    self.init(status, rejection.code, rejection.message)
    switch rejection {
    case .alreadyConfirmed(let order), .alreadyCancelled(let order), .notPaid(let order),
      .unknownPayment(let order, _), .wrongAmount(let order, _, _), .unknownRefund(let order, _),
      .notConfirmed(let order), .noSuchTicket(let order, _), .unknownQuote(let order, _),
      .quoteExpired(let order, _), .tooLateToCancel(let order),
      .alreadyCheckedIn(let order, _):
      self.order = order
    case .alreadyFailed(let order, let reason):
      self.order = order
      self.reason = reason
    case .invalidOrder(let problems): errors = problems.map { Fault(.pointer(""), $0) }
    case .idReused: self = .idReused(rejection.message)
    case .notPlaced: break
    }
  }

  init(_ rejection: Billing.Rejection) {
    let status: HTTPResponse.Status =
      switch rejection {
      case .notOpened: .notFound
      case .alreadyOpened, .alreadyCharged, .alreadyRefunded, .monthNotOver, .nothingToCredit,
        .creditExceedsLine:
        .conflict
      default: .unprocessableContent
      }
    self.init(status, rejection.code, rejection.message)
    switch rejection {
    case .invalidReason: errors = [Fault(.pointer("/reason"), "must have 1 to 200 characters")]
    case .noSuchLine:
      errors = [Fault(.pointer("/lines"), "has a line that is no charge of the invoice, or one twice")]
    case .creditExceedsLine:
      errors = [Fault(.pointer("/lines"), "has an amount beyond what is left of its line")]
    case .creditKeyReused: self = .idReused(rejection.message)
    case .invalidName: errors = [Fault(.pointer("/name"), "must have 1 to 200 characters")]
    case .unknownTimeZone:
      errors = [Fault(.pointer("/time_zone"), "must be an IANA time zone such as America/New_York, or UTC")]
    default: break
    }
  }

  /// Ids are derived from the Idempotency-Key, so a reused id is a reused key.
  static func idReused(_ message: String) -> Problem {
    Problem(
      .unprocessableContent, "id-reused",
      "\(message). The Idempotency-Key was used for another request before; use a new key for a new request"
    ).with { $0.errors = [Fault(.header("Idempotency-Key"), "was used for another request before")] }
  }
}

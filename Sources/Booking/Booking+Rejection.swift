import Vocabulary

extension Booking {
  /// A seat that the buyer cannot have.
  public struct SeatConflict: Sendable, Hashable {
    public enum Cause: String, Sendable, Hashable, Codable {
      case held
      case booked
      /// It is not for sale.
      case blocked
    }

    public let seat: SeatID
    public let state: Cause

    public init(seat: SeatID, state: Cause) {
      self.seat = seat
      self.state = state
    }
  }

  /// Why a command was refused. Nothing has happened then.
  public enum Rejection: Error, Sendable, Hashable {
    case showNotScheduled
    case showAlreadyScheduled
    case invalidPlan([String])
    case unknownSeats([SeatID])
    case unknownSection(SectionID)
    case seatsUnavailable([SeatConflict])
    case noSeatsRequested
    case duplicateSeats([SeatID])
    case tooManySeats(maximum: Int)
    case noAdjacentSeats(count: Int)
    /// Not even in several groups.
    case notEnoughSeats(count: Int)
    case unknownCategory(CategoryID)
    /// More wheelchair places than seats.
    case tooManyAccessible(count: Int)
    /// The show does not let the seats be left alone.
    case seatsLeftAlone([SeatID])
    /// One buyer's limit.
    case buyerLimit(maximum: Int, has: Int)
    case showCancelled
    case invalidReason
    case holdNotFound(HoldID)
    case holdExpired(HoldID)
    case holdReleased(HoldID)
    case holdAlreadyConfirmed(OrderID)
    /// A hold was to be expired before its time was over.
    case holdNotYetExpired(HoldID, until: Timestamp)
    /// There is no booking to cancel under this hold.
    case notConfirmed(HoldID)
    /// The id already stands for a hold of another buyer or of other seats.
    case idReused(HoldID)
  }
}

extension Booking.Rejection {
  /// The stable name of the reason, as problem documents and scripts know it.
  public var code: String {
    switch self {
    case .showNotScheduled: "show-not-scheduled"
    case .showAlreadyScheduled: "show-already-scheduled"
    case .invalidPlan: "invalid-plan"
    case .unknownSeats: "unknown-seats"
    case .unknownSection: "unknown-section"
    case .seatsUnavailable: "seats-unavailable"
    case .noSeatsRequested: "no-seats-requested"
    case .duplicateSeats: "duplicate-seats"
    case .tooManySeats: "too-many-seats"
    case .noAdjacentSeats: "no-adjacent-seats"
    case .notEnoughSeats: "not-enough-seats"
    case .unknownCategory: "unknown-category"
    case .tooManyAccessible: "too-many-accessible"
    case .seatsLeftAlone: "seats-left-alone"
    case .buyerLimit: "buyer-limit"
    case .showCancelled: "show-cancelled"
    case .invalidReason: "invalid-reason"
    case .holdNotFound: "hold-not-found"
    case .holdExpired: "hold-expired"
    case .holdReleased: "hold-released"
    case .holdAlreadyConfirmed: "hold-already-confirmed"
    case .holdNotYetExpired: "hold-not-yet-expired"
    case .notConfirmed: "not-confirmed"
    case .idReused: "id-reused"
    }
  }

  /// What happened, to what, and what to do next.
  public var message: String {
    switch self {
    case .showNotScheduled:
      "The show is not on sale; schedule it first"
    case .showAlreadyScheduled:
      "The show is already scheduled with other details; schedule this one under another id"
    case .invalidPlan(let problems):
      "The show cannot be scheduled: \(problems.joined(separator: "; "))"
    case .unknownSeats(let seats):
      "The show has no seats \(list(seats)); ask for seats of its plan"
    case .unknownSection(let section):
      "The show has no section \(section); ask for a section of its plan, or for none"
    case .seatsUnavailable(let conflicts):
      conflicts.contains { $0.state != .blocked }
        ? "Somebody else has \(list(conflicts.map { "\($0.seat) (\($0.state))" })); choose other seats"
        : "Not for sale: \(list(conflicts.map(\.seat))); choose other seats"
    case .noSeatsRequested:
      "The hold asks for no seats; name at least one, or a count of at least 1"
    case .duplicateSeats(let seats):
      "The hold names \(list(seats)) more than once; name each seat once"
    case .tooManySeats(let maximum):
      "A hold takes at most \(maximum) seats; split it into several holds"
    case .noAdjacentSeats(let count):
      "No row has \(count) free seats side by side; ask for fewer, for another section, or for single seats"
    case .notEnoughSeats(let count):
      "There are no \(count) free seats like that; ask for fewer, for another section or category"
    case .unknownCategory(let category):
      "The show has no price category \(category); ask for a category of its plan, or for none"
    case .tooManyAccessible(let count):
      "Of \(count) seats 0 to \(count) can be wheelchair places; ask for one for each wheelchair user"
    case .seatsLeftAlone(let seats):
      "That would leave \(list(seats)) free between taken seats, which this show does not allow; take them too, or move by one"
    case .buyerLimit(let maximum, let has):
      "One buyer may have \(maximum) seats in this show and has \(has); ask for at most \(max(maximum - has, 0))"
    case .showCancelled:
      "The show is cancelled and nothing is sold any more; what was paid is refunded"
    case .invalidReason:
      "The reason must have 1 to 500 characters"
    case .holdNotFound(let hold):
      "The show has no hold \(hold); hold seats first"
    case .holdExpired(let hold):
      "The time of hold \(hold) is over and its seats are free; hold them again under a new id"
    case .holdReleased(let hold):
      "Hold \(hold) was released and its seats are free; hold them again under a new id"
    case .holdAlreadyConfirmed(let order):
      "The hold is already confirmed for order \(order); cancel that booking to free its seats"
    case .holdNotYetExpired(let hold, let until):
      "Hold \(hold) lives until \(until); release it to free its seats earlier"
    case .notConfirmed(let hold):
      "Hold \(hold) is not a booking; release a hold, cancel a confirmed one"
    case .idReused(let hold):
      "Hold \(hold) exists for another buyer or other seats; use a new id for a new hold"
    }
  }

  /// The first ten of `items`, so that a message stays readable; the case itself carries them all.
  private func list(_ items: [some CustomStringConvertible]) -> String {
    let named = items.prefix(10).map(\.description).joined(separator: ", ")
    return items.count > 10 ? "\(named) and \(items.count - 10) more" : named
  }
}

extension Booking.Rejection: CustomStringConvertible {
  public var description: String { "\(code): \(message)" }
}

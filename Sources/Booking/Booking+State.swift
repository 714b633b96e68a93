import Vocabulary

extension Booking {
  /// What is known about one show after folding its stream.
  ///
  /// A value: keep a copy, evolve it through tentative events, and keep or drop the result. What is known
  /// per seat is held in flat arrays by the seat's index in the plan, so a copy is a few block moves and a
  /// hold of named seats is decided in as many steps as it has seats.
  public struct State: Sendable {
    /// The show as scheduled; `nil` before that.
    public internal(set) var show: ShowScheduled?

    /// The number of the hold that has each seat, by seat index; ``nobody`` for a free one.
    var holders: [Int32] = []
    var free: FreeSeats?
    var holds = HoldBook()
    var expiries = ExpiryQueue()

    static let nobody: Int32 = -1

    public init() {}
  }

  /// A hold, its seats and what became of it.
  public struct HoldRecord: Sendable, Hashable {
    public enum Phase: Sendable, Hashable {
      case held
      case confirmed(OrderID)
      case released
      case expired
      case cancelled(OrderID)
    }

    /// Who holds which seats, and until when.
    public let terms: SeatsHeld
    public let phase: Phase

    /// Its time is over, whether or not the stream says so already. Its seats are free.
    public func hasExpired(at now: Timestamp) -> Bool {
      phase == .expired || (phase == .held && terms.expiresAt <= now)
    }
  }

  /// Whose a seat is at some instant.
  public enum Occupancy: Sendable, Hashable {
    case available
    case held(HoldID)
    case booked(HoldID, OrderID)
  }

  /// How many seats are in which state. The three add up to the seats of the plan.
  public struct SeatCount: Sendable, Hashable {
    public var available = 0
    public var held = 0
    public var booked = 0
  }
}

extension Booking.State {
  public var plan: SeatPlan? { show?.plan }

  /// A hold that was ever made in this show.
  public func hold(_ id: HoldID) -> Booking.HoldRecord? {
    holds.number(of: id).map { Booking.HoldRecord(terms: holds[$0].terms, phase: holds[$0].phase) }
  }

  /// Whose `seat` is at `now`; `nil` when the show has no such seat. A seat under an expired hold is available.
  public func occupancy(of seat: SeatID, at now: Timestamp) -> Booking.Occupancy? {
    show?.plan.index(of: seat).map { occupancy(ofSeatAt: $0, at: now) }
  }

  /// Counts the seats at `now`, in one pass over them.
  public func seatCount(at now: Timestamp) -> Booking.SeatCount {
    var count = Booking.SeatCount()
    for index in holders.indices {
      switch occupancy(ofSeatAt: index, at: now) {
      case .available: count.available += 1
      case .held: count.held += 1
      case .booked: count.booked += 1
      }
    }
    return count
  }

  /// The holds whose time is over at `now` but that the stream has not expired yet, the earliest first.
  ///
  /// Each of them costs every request for the best seats a step, so expire them before a rush.
  public func overdueHolds(at now: Timestamp) -> [HoldID] {
    overdueHoldNumbers(at: now)
      .map { holds[$0].terms }
      .sorted { ($0.expiresAt, $0.holdID) < ($1.expiresAt, $1.holdID) }
      .map(\.holdID)
  }

  /// When the next live hold will be over, for the timer that expires it; `nil` when nothing is held.
  public var nextExpiry: Timestamp? { expiries.first?.expiresAt }

  func overdueHoldNumbers(at now: Timestamp) -> [Int32] {
    expiries.holds(endedBy: now).filter { holds[$0].phase == .held }
  }

  func occupancy(ofSeatAt index: Int, at now: Timestamp) -> Booking.Occupancy {
    guard holders[index] != Booking.State.nobody else { return .available }
    let hold = holds[holders[index]]
    switch hold.phase {
    case .held where hold.terms.expiresAt > now: return .held(hold.terms.holdID)
    case .confirmed(let order): return .booked(hold.terms.holdID, order)
    case .held, .released, .expired, .cancelled: return .available
    }
  }
}

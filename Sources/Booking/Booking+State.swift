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

    /// The number of the hold that has each seat, by seat index; ``nobody`` for a free one, ``notForSale``
    /// for one that is blocked.
    var holders: [Int32] = []
    var free: FreeSeats?
    var holds = HoldBook()
    var expiries = ExpiryQueue()
    /// Kept only for shows that limit a buyer's seats.
    var buyers = BuyerBook()
    /// The show will not take place.
    public internal(set) var isCancelled = false

    static let nobody: Int32 = -1
    static let notForSale: Int32 = -2

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

    /// Who held which seats at what price, and until when at first.
    public let terms: SeatsHeld
    public let phase: Phase
    /// When it ends, extensions included.
    public let expiresAt: Timestamp

    /// Its time is over, whether or not the stream says so already. Its seats are free.
    public func hasExpired(at now: Timestamp) -> Bool {
      phase == .expired || (phase == .held && expiresAt <= now)
    }
  }

  /// Whose a seat is at some instant.
  public enum Occupancy: Sendable, Hashable {
    case available
    case held(HoldID)
    case booked(HoldID, OrderID)
    /// Not for sale.
    case blocked
  }

  /// How many seats are in which state. Together they are the seats of the plan.
  public struct SeatCount: Sendable, Hashable {
    public var available = 0
    public var held = 0
    public var booked = 0
    public var blocked = 0
  }
}

extension Booking.State {
  public var plan: SeatPlan? { show?.plan }

  /// A hold that was ever made in this show.
  public func hold(_ id: HoldID) -> Booking.HoldRecord? {
    holds.number(of: id).map { number in
      let hold = holds[number]
      return Booking.HoldRecord(terms: hold.terms, phase: hold.phase, expiresAt: hold.expiresAt)
    }
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
      case .blocked: count.blocked += 1
      }
    }
    return count
  }

  /// The holds whose time is over at `now` but that the stream has not expired yet, the earliest first.
  ///
  /// Each of them costs every request for the best seats a step, so expire them before a rush.
  public func overdueHolds(at now: Timestamp) -> [HoldID] {
    overdueHoldNumbers(at: now)
      .map { holds[$0] }
      .sorted { ($0.expiresAt, $0.terms.holdID) < ($1.expiresAt, $1.terms.holdID) }
      .map(\.terms.holdID)
  }

  /// When the next live hold will be over, for the timer that expires it; `nil` when nothing is held.
  public var nextExpiry: Timestamp? { expiries.first?.expiresAt }

  func overdueHoldNumbers(at now: Timestamp) -> [Int32] {
    expiries.entries(endedBy: now).filter(isCurrent).map(\.hold)
  }

  /// Whether an entry of the queue still says when its hold ends: a hold that was extended has a later one.
  func isCurrent(_ entry: ExpiryQueue.Entry) -> Bool {
    holds[entry.hold].phase == .held && holds[entry.hold].expiresAt == entry.expiresAt
  }

  /// How many seats a buyer has at `now`, held and booked; counted only in a show that has a limit.
  func seats(of buyer: BuyerID, at now: Timestamp) -> Int {
    let all = buyers.seats(of: buyer) { holds[$0].terms.buyer }
    guard all > 0 else { return 0 }
    return overdueHoldNumbers(at: now).reduce(all) { seats, hold in
      holds[hold].terms.buyer == buyer ? seats - holds[hold].seats.count : seats
    }
  }

  /// The seats that are free at `now`, those under overdue holds included.
  func freeSeats(at now: Timestamp) -> FreeSeats? {
    guard let plan = show?.plan, var free else { return nil }
    for hold in overdueHoldNumbers(at: now) {
      for seat in holds[hold].seats.lazy.map(Int.init) where holders[seat] == hold {
        free.insert(seat, block: Int(plan.blockOfSeat[seat]))
      }
    }
    return free
  }

  func occupancy(ofSeatAt index: Int, at now: Timestamp) -> Booking.Occupancy {
    guard holders[index] != Booking.State.notForSale else { return .blocked }
    guard holders[index] != Booking.State.nobody else { return .available }
    let hold = holds[holders[index]]
    switch hold.phase {
    case .held where hold.expiresAt > now: return .held(hold.terms.holdID)
    case .confirmed(let order): return .booked(hold.terms.holdID, order)
    case .held, .released, .expired, .cancelled: return .available
    }
  }
}

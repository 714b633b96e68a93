import Vocabulary

// **While somebody waits, seats go to the line first.** Every command is decided between two looks at the line: before
// it, holds whose time is over are ended and their seats offered; after it, what it freed is offered. All of that is one
// append, so nobody can take a seat between its being freed and its being offered.
//
// An offer is a hold for the one who waits, under the id of the entry: it is ordered, confirmed, released and expired
// like any other, and nobody else can take its seats.
extension Booking {
  /// How many may wait for one show.
  public static let maximumWaiting = 10_000
  /// Overdue holds that are ended before one command. Seats under the others stay with them until the next.
  static let maximumSettled = 2_000

  static func decideBehindTheLine(
    _ command: Command, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    var settled = state
    var before: [Event] = []
    for hold in state.overdueHolds(at: now).prefix(maximumSettled) {
      guard let hold = state.hold(hold) else { continue }
      before.append(expired(hold.terms, at: now))
      evolve(&settled, before[before.count - 1])
    }
    before += offers(&settled, at: now)
    let own = try decideAlone(command, settled, at: now)
    guard !own.isEmpty else {
      // A repeat. Only whoever ends a hold may find that looking at the line has ended it.
      switch command {
      case .expire, .release: return before
      default: return []
      }
    }
    for event in own { evolve(&settled, event) }
    return before + own + offers(&settled, at: now)
  }

  /// Offers free seats to those who wait, in their order; whoever finds nothing fitting is passed over.
  private static func offers(_ state: inout State, at now: Timestamp) -> [Event] {
    guard let show = state.show, !state.isCancelled else { return [] }
    var offers: [Event] = []
    // What was looked for in vain is not looked for again.
    var vain: Set<Best> = []
    var line = state.waitingList.line
    var place = 0
    while place < line.count {
      let terms = state.waitingList[line[place]].terms
      place += 1
      guard !vain.contains(terms.wish), mayBeOffered(terms, in: state, show, at: now) else { continue }
      guard let seats = seats(for: terms.wish, in: state, show, at: now) else {
        vain.insert(terms.wish)
        continue
      }
      let offer = Event.seatsHeld(
        SeatsHeld(
          holdID: terms.waitingID.hold, buyer: terms.buyer, seats: seats.map(show.plan.seat(at:)),
          total: Money(seats.reduce(0) { $0 &+ show.plan.price(at: $1) }, show.currency), heldAt: now,
          expiresAt: now + .seconds(show.policy.offerSeconds), waitingID: terms.waitingID))
      evolve(&state, offer)
      offers.append(offer)
      // Where no seat may be left alone, taking some can make room for somebody further ahead: from the front again.
      if show.policy.orphans == .forbidden { (vain, line, place) = ([], state.waitingList.line, 0) }
    }
    return offers
  }

  /// Whether anything may be offered to somebody: not to who has as many seats as a buyer may have, and not to who was
  /// forgotten and cannot be told.
  static func mayBeOffered(
    _ terms: WaitingListJoined, in state: State, _ show: ShowScheduled, at now: Timestamp
  ) -> Bool {
    guard terms.buyer.rawValue != forgottenText else { return false }
    guard let limit = show.policy.seatsPerBuyer else { return true }
    return state.seats(of: terms.buyer, at: now) + terms.wish.count <= limit
  }

  /// The free seats for a wish; nil if there are none.
  static func seats(for wish: Best, in state: State, _ show: ShowScheduled, at now: Timestamp) -> [Int]? {
    guard let free = state.freeSeats(at: now),
      let search = try? SeatSearch(show.plan, free: free, for: wish, orphans: show.policy.orphans)
    else { return nil }
    return search.seats(wish.count, together: wish.together)
  }

  // MARK: Joining and leaving

  static func join(
    _ request: WaitingRequest, of show: ShowScheduled, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    if let earlier = state.waiting(request.waitingID)?.terms {
      guard earlier.buyer == request.buyer, earlier.wish == request.wish else {
        throw .waitingIDReused(request.waitingID)
      }
      return []
    }
    guard !state.isCancelled else { throw .showCancelled }
    guard state.hold(request.waitingID.hold) == nil else { throw .waitingIDReused(request.waitingID) }
    try requirePossible(request.wish, in: show)
    if let limit = show.policy.seatsPerBuyer, request.wish.count > limit {
      throw .buyerLimit(maximum: limit, has: 0)
    }
    guard seats(for: request.wish, in: state, show, at: now) == nil else { throw .seatsStillFree }
    guard state.waitingCount < maximumWaiting else { throw .waitingListFull(maximum: maximumWaiting) }
    return [
      .waitingListJoined(
        WaitingListJoined(
          waitingID: request.waitingID, buyer: request.buyer, wish: request.wish, joinedAt: now))
    ]
  }

  /// There is no use in waiting for what the empty house does not have.
  private static func requirePossible(_ wish: Best, in show: ShowScheduled) throws(Rejection) {
    try requireReasonable(wish)
    let empty = FreeSeats(plan: show.plan)
    let search = try SeatSearch(show.plan, free: empty, for: wish, orphans: .allowed)
    guard search.seats(wish.count, together: wish.together) == nil else { return }
    throw wish.together ? .noAdjacentSeats(count: wish.count) : .notEnoughSeats(count: wish.count)
  }

  static func leave(_ id: WaitingID, _ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    guard let entry = state.waiting(id) else { throw .waitingEntryNotFound(id) }
    switch entry.phase {
    case .waiting: return [.waitingListLeft(WaitingListLeft(waitingID: id, leftAt: now))]
    case .offered: return try release(id.hold, because: "left-waiting-list", state, at: now)
    case .served, .lapsed, .left: return []
    }
  }
}

extension WaitingID {
  /// The entry that a hold is an offer to, if it is one.
  public init(offeredAs hold: HoldID) { self.init(unchecked: hold.rawValue) }

  /// The hold that is an offer to this entry: an entry gets one offer at most.
  public var hold: HoldID { HoldID(unchecked: rawValue) }
}

import Vocabulary

extension Booking {
  /// What follows from `command` at `now`, given everything that happened in the show.
  ///
  /// A repeated command gives no events: its effect is there already.
  public static func decide(
    _ command: Command, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    state.waitingList.isEmpty
      ? try decideAlone(command, state, at: now) : try decideBehindTheLine(command, state, at: now)
  }

  /// The same as if nobody waited.
  static func decideAlone(
    _ command: Command, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    if case .schedule(let schedule) = command { return try decide(schedule, state, at: now) }
    guard let show = state.show else { throw .showNotScheduled }
    switch command {
    case .schedule: return []  // decided above
    case .hold(let hold): return try decide(hold, of: show, state, at: now)
    case .extend(let hold): return try extend(hold, of: show, state, at: now)
    case .confirm(let hold, let order): return try confirm(hold, for: order, state, at: now)
    case .release(let hold, let reason): return try release(hold, because: reason, state, at: now)
    case .expire(let hold): return try expire(hold, state, at: now)
    case .cancelBooking(let hold, let order): return try cancelBooking(hold, of: order, state, at: now)
    case .joinWaitingList(let request): return try join(request, of: show, state, at: now)
    case .leaveWaitingList(let id): return try leave(id, state, at: now)
    case .cancelSeats(let hold, let order, let seats):
      return try cancelSeats(hold, of: order, seats, state, at: now)
    case .cancelShow(let reason): return try cancelShow(because: reason, state, at: now)
    }
  }

  private static func decide(
    _ schedule: Schedule, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    if let show = state.show {
      guard show.fulfils(schedule) else { throw .showAlreadyScheduled }
      return []
    }
    return [.showScheduled(try schedule.validated(at: now))]
  }

  private static func decide(
    _ hold: Hold, of show: ShowScheduled, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    if let earlier = state.hold(hold.holdID) {
      guard earlier.terms.fulfils(hold, plan: show.plan) else { throw .idReused(hold.holdID) }
      return []
    }
    guard !state.isCancelled else { throw .showCancelled }
    let seats = try seats(for: hold.seats, in: state, show, at: now)
    let overdue = try claim(seats, in: state, plan: show.plan, at: now)
    if case .named = hold.seats, show.policy.orphans == .forbidden {
      try requireNoneAlone(beside: seats, in: state, plan: show.plan, at: now)
    }
    try requireWithinLimit(seats.count, of: hold.buyer, in: state, show, at: now)

    // At most 100 seats of at most 10^12 minor units: far from overflow.
    let total = seats.reduce(0) { $0 &+ show.plan.price(at: $1) }
    let held = SeatsHeld(
      holdID: hold.holdID, buyer: hold.buyer, seats: seats.map(show.plan.seat(at:)),
      total: Money(total, show.currency), heldAt: now,
      expiresAt: now + .seconds(show.holdTTLSeconds))
    return overdue.map { expired($0.terms, at: now) } + [.seatsHeld(held)]
  }

  /// A buyer who holds and books within the show's limit.
  private static func requireWithinLimit(
    _ count: Int, of buyer: BuyerID, in state: State, _ show: ShowScheduled, at now: Timestamp
  ) throws(Rejection) {
    guard let limit = show.policy.seatsPerBuyer else { return }
    let has = state.seats(of: buyer, at: now)
    guard has + count <= limit else { throw .buyerLimit(maximum: limit, has: has) }
  }

  private static func extend(
    _ id: HoldID, of show: ShowScheduled, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    let hold = try existing(id, in: state)
    switch hold.phase {
    case .held:
      guard !hold.hasExpired(at: now) else { throw .holdExpired(id) }
      guard !state.isCancelled else { throw .showCancelled }
      let end = hold.terms.heldAt + .seconds(show.policy.holdLifetime(ttl: show.holdTTLSeconds))
      let expiresAt = min(now + .seconds(show.holdTTLSeconds), end)
      // It lives as long already, or has lived as long as it may. Others wait for what is on offer.
      guard expiresAt > hold.expiresAt, hold.terms.waitingID == nil else { return [] }
      return [.holdExtended(HoldExtended(holdID: id, expiresAt: expiresAt, extendedAt: now))]
    case .confirmed(let order), .cancelled(let order): throw .holdAlreadyConfirmed(order)
    case .released: throw .holdReleased(id)
    case .expired: throw .holdExpired(id)
    }
  }

  private static func confirm(
    _ id: HoldID, for order: OrderID, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    let hold = try existing(id, in: state)
    switch hold.phase {
    case .held:
      // Even when nobody else took the seats: late is late, whatever order the messages arrive in.
      guard !hold.hasExpired(at: now) else { throw .holdExpired(id) }
      guard !state.isCancelled else { throw .showCancelled }
      let fact = HoldConfirmed(holdID: id, orderID: order, seats: hold.terms.seats, confirmedAt: now)
      return [.holdConfirmed(fact)]
    case .confirmed(let earlier), .cancelled(let earlier):
      guard earlier == order else { throw .holdAlreadyConfirmed(earlier) }
      return []
    case .released: throw .holdReleased(id)
    case .expired: throw .holdExpired(id)
    }
  }

  static func release(
    _ id: HoldID, because reason: String, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    let hold = try existing(id, in: state)
    switch hold.phase {
    case .held where hold.hasExpired(at: now): return [expired(hold.terms, at: now)]
    case .held:
      let fact = HoldReleased(holdID: id, seats: hold.terms.seats, reason: reason, releasedAt: now)
      return [.holdReleased(fact)]
    case .confirmed(let order): throw .holdAlreadyConfirmed(order)
    case .released, .expired, .cancelled: return []
    }
  }

  private static func expire(_ id: HoldID, _ state: State, at now: Timestamp) throws(Rejection) -> [Event] {
    let hold = try existing(id, in: state)
    switch hold.phase {
    case .held:
      guard hold.hasExpired(at: now) else { throw .holdNotYetExpired(id, until: hold.expiresAt) }
      return [expired(hold.terms, at: now)]
    case .confirmed(let order): throw .holdAlreadyConfirmed(order)
    case .released, .expired, .cancelled: return []
    }
  }

  private static func cancelBooking(
    _ id: HoldID, of order: OrderID, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    let hold = try existing(id, in: state)
    switch hold.phase {
    // Several orders may be placed for one hold; only the one that has the seats may give them back.
    case .confirmed(let owner) where owner != order, .cancelled(let owner) where owner != order:
      throw .holdAlreadyConfirmed(owner)
    case .confirmed:
      let fact = BookingCancelled(holdID: id, orderID: order, seats: hold.terms.seats, cancelledAt: now)
      return [.bookingCancelled(fact)]
    case .cancelled: return []
    case .held, .released, .expired: throw .notConfirmed(id)
    }
  }

  private static func cancelShow(
    because reason: String, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    guard (1...500).contains(reason.count) else { throw .invalidReason }
    if state.isCancelled { return [] }
    return [.showCancelled(ShowCancelled(reason: reason, cancelledAt: now))]
  }

  private static func existing(_ id: HoldID, in state: State) throws(Rejection) -> HoldRecord {
    guard let hold = state.hold(id) else { throw .holdNotFound(id) }
    return hold
  }

  static func expired(_ terms: SeatsHeld, at now: Timestamp) -> Event {
    .holdExpired(HoldExpired(holdID: terms.holdID, seats: terms.seats, expiredAt: now))
  }
}

extension Booking.SeatsHeld {
  /// Whether this hold is what `request` asked for, so that a repeated request is done already.
  ///
  /// Named seats may come in another order. A request for the best seats is fulfilled by any hold of as many
  /// seats of that kind in the section, whichever they were.
  fileprivate func fulfils(_ request: Booking.Hold, plan: SeatPlan) -> Bool {
    guard buyer == request.buyer else { return false }
    switch request.seats {
    case .named(let seats):
      return seats == self.seats || (seats.count == self.seats.count && Set(seats) == Set(self.seats))
    case .best(let best):
      guard seats.count == best.count else { return false }
      let indices = seats.compactMap(plan.index(of:))
      let category = best.category.flatMap { plan.categoryNumbers[$0] }
      return indices.allSatisfy { seat in
        (best.section == nil || plan.section(at: seat).id == best.section)
          && (best.category == nil || plan.priceOfSeat[seat] == category)
      } && indices.count(where: plan.wheelchair.contains) == best.accessible
    }
  }
}

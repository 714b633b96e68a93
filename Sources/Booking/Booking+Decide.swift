import Vocabulary

extension Booking {
  /// What follows from `command` at `now`, given everything that happened in the show.
  ///
  /// A repeated command gives no events: its effect is there already.
  public static func decide(
    _ command: Command, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    if case .schedule(let schedule) = command { return try decide(schedule, state, at: now) }
    guard let show = state.show else { throw .showNotScheduled }
    switch command {
    case .schedule: return []  // decided above
    case .hold(let hold): return try decide(hold, of: show, state, at: now)
    case .confirm(let hold, let order): return try confirm(hold, for: order, state, at: now)
    case .release(let hold, let reason): return try release(hold, because: reason, state, at: now)
    case .expire(let hold): return try expire(hold, state, at: now)
    case .cancelBooking(let hold, let order): return try cancelBooking(hold, of: order, state, at: now)
    case .cancelSeats(let hold, let order, let seats):
      return try cancelSeats(hold, of: order, seats, state, at: now)
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
    let seats = try seats(for: hold.seats, in: state, plan: show.plan, at: now)
    let overdue = try claim(seats, in: state, plan: show.plan, at: now)

    // At most 100 seats of at most 10^12 minor units: far from overflow.
    let total = seats.reduce(0) { $0 &+ show.plan.section(at: $1).price }
    let held = SeatsHeld(
      holdID: hold.holdID, buyer: hold.buyer, seats: seats.map(show.plan.seat(at:)),
      total: Money(total, show.currency), heldAt: now,
      expiresAt: now + .seconds(show.holdTTLSeconds))
    return overdue.map { expired($0.terms, at: now) } + [.seatsHeld(held)]
  }

  private static func confirm(
    _ id: HoldID, for order: OrderID, _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    let hold = try existing(id, in: state)
    switch hold.phase {
    case .held:
      // Even when nobody else took the seats: late is late, whatever order the messages arrive in.
      guard !hold.hasExpired(at: now) else { throw .holdExpired(id) }
      let fact = HoldConfirmed(holdID: id, orderID: order, seats: hold.terms.seats, confirmedAt: now)
      return [.holdConfirmed(fact)]
    case .confirmed(let earlier), .cancelled(let earlier):
      guard earlier == order else { throw .holdAlreadyConfirmed(earlier) }
      return []
    case .released: throw .holdReleased(id)
    case .expired: throw .holdExpired(id)
    }
  }

  private static func release(
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
      guard hold.hasExpired(at: now) else { throw .holdNotYetExpired(id, until: hold.terms.expiresAt) }
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

  private static func existing(_ id: HoldID, in state: State) throws(Rejection) -> HoldRecord {
    guard let hold = state.hold(id) else { throw .holdNotFound(id) }
    return hold
  }

  private static func expired(_ terms: SeatsHeld, at now: Timestamp) -> Event {
    .holdExpired(HoldExpired(holdID: terms.holdID, seats: terms.seats, expiredAt: now))
  }
}

extension Booking.SeatsHeld {
  /// Whether this hold is what `request` asked for, so that a repeated request is done already.
  ///
  /// Named seats may come in another order. A request for the best seats is fulfilled by any hold of as many
  /// seats in the section, whichever they were.
  fileprivate func fulfils(_ request: Booking.Hold, plan: SeatPlan) -> Bool {
    guard buyer == request.buyer else { return false }
    switch request.seats {
    case .named(let seats):
      return seats == self.seats || (seats.count == self.seats.count && Set(seats) == Set(self.seats))
    case .best(let count, let section):
      guard seats.count == count else { return false }
      return section == nil || seats.allSatisfy { plan.section(of: $0)?.id == section }
    }
  }
}

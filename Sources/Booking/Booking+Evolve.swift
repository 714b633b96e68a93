import Vocabulary

extension Booking {
  /// Takes one fact into account, in as many steps as it has seats. It never fails and never decides: a
  /// fact about a hold or a seat that the stream has not introduced changes nothing.
  public static func evolve(_ state: inout State, _ event: Event) {
    switch event {
    case .showScheduled(let fact):
      state = State()
      state.show = fact
      state.holders = Array(repeating: State.nobody, count: fact.plan.totalSeats)
      state.free = FreeSeats(plan: fact.plan)
    case .seatsHeld(let fact):
      state.take(fact)
    case .holdConfirmed(let fact):
      state.setPhase(.confirmed(fact.orderID), of: fact.holdID)
    case .holdReleased(let fact):
      state.end(fact.holdID, as: .released)
    case .holdExpired(let fact):
      state.end(fact.holdID, as: .expired)
    case .bookingCancelled(let fact):
      state.end(fact.holdID, as: .cancelled(fact.orderID))
    case .bookingSeatsCancelled(let fact):
      state.giveUp(fact.seats, of: fact.holdID)
    }
  }
}

extension Booking.State {
  fileprivate mutating func take(_ fact: Booking.SeatsHeld) {
    guard let plan = show?.plan else { return }
    let seats = fact.seats.compactMap { plan.index(of: $0).map(Int32.init) }
    let number = holds.append(fact, seats: seats)
    for seat in seats.lazy.map(Int.init) {
      holders[seat] = number
      free?.remove(seat, row: Int(plan.rowOfSeat[seat]))
    }
    expiries.insert(.init(expiresAt: fact.expiresAt, hold: number))
    dropEndedExpiries()
  }

  /// Puts a hold back that a state had, in the order in which they were made.
  mutating func restore(_ terms: Booking.SeatsHeld, seats: [Int32], in phase: Booking.HoldRecord.Phase) {
    guard let plan = show?.plan else { return }
    let number = holds.append(terms, seats: seats)
    holds[number].phase = phase
    switch phase {
    case .released, .expired, .cancelled: return
    case .held: expiries.insert(.init(expiresAt: terms.expiresAt, hold: number))
    case .confirmed: break
    }
    for seat in seats.lazy.map(Int.init) {
      holders[seat] = number
      free?.remove(seat, row: Int(plan.rowOfSeat[seat]))
    }
  }

  fileprivate mutating func setPhase(_ phase: Booking.HoldRecord.Phase, of id: HoldID) {
    guard let number = holds.number(of: id) else { return }
    holds[number].phase = phase
    dropEndedExpiries()
  }

  /// Ends a hold or a booking and frees the seats that are still its own.
  fileprivate mutating func end(_ id: HoldID, as phase: Booking.HoldRecord.Phase) {
    guard let plan = show?.plan, let number = holds.number(of: id) else { return }
    for seat in holds[number].seats.lazy.map(Int.init) where holders[seat] == number {
      holders[seat] = Booking.State.nobody
      free?.insert(seat, row: Int(plan.rowOfSeat[seat]))
    }
    setPhase(phase, of: id)
  }

  /// Frees some seats of a booking, which has the others from then on.
  fileprivate mutating func giveUp(_ seats: [SeatID], of id: HoldID) {
    guard let plan = show?.plan, let number = holds.number(of: id) else { return }
    let freed = Set(seats.compactMap { plan.index(of: $0).map(Int32.init) })
    for seat in freed.lazy.map(Int.init) where holders[seat] == number {
      holders[seat] = Booking.State.nobody
      free?.insert(seat, row: Int(plan.rowOfSeat[seat]))
    }
    holds[number].giveUp(freed)
  }

  /// Keeps a live hold at the top of the queue, so that `nextExpiry` is true.
  private mutating func dropEndedExpiries() {
    while let first = expiries.first, holds[first.hold].phase != .held { expiries.removeFirst() }
  }
}

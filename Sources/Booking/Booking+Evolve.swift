import Vocabulary

extension Booking {
  /// Takes one fact into account, in as many steps as it has seats. It never fails and never decides: a
  /// fact about a hold or a seat that the stream has not introduced changes nothing.
  public static func evolve(_ state: inout State, _ event: Event) {
    switch event {
    case .showScheduled(let fact):
      state = State()
      state.show = fact
      state.holders = (0..<fact.plan.totalSeats).map {
        fact.plan.blocked.contains($0) ? State.notForSale : State.nobody
      }
      state.free = FreeSeats(plan: fact.plan)
    case .seatsHeld(let fact):
      state.take(fact)
    case .holdExtended(let fact):
      state.extend(fact.holdID, until: fact.expiresAt)
    case .holdConfirmed(let fact):
      state.setPhase(.confirmed(fact.orderID), of: fact.holdID)
      state.closeOffer(fact.holdID, as: .served)
    case .holdReleased(let fact):
      state.end(fact.holdID, as: .released)
      state.closeOffer(fact.holdID, as: .lapsed)
    case .holdExpired(let fact):
      state.end(fact.holdID, as: .expired)
      state.closeOffer(fact.holdID, as: .lapsed)
    case .bookingCancelled(let fact):
      state.end(fact.holdID, as: .cancelled(fact.orderID))
    case .bookingSeatsCancelled(let fact):
      state.giveUp(fact.seats, of: fact.holdID)
    case .showCancelled:
      state.isCancelled = true
    case .waitingListJoined(let fact):
      state.waitingList.append(fact)
    case .waitingListLeft(let fact):
      state.waitingList.setPhase(.left, of: fact.waitingID)
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
      free?.remove(seat, block: Int(plan.blockOfSeat[seat]))
    }
    count(seats.count, of: fact.buyer, hold: number)
    expiries.insert(.init(expiresAt: fact.expiresAt, hold: number))
    dropEndedExpiries()
    if let entry = fact.waitingID { waitingList.setPhase(.offered, of: entry) }
  }

  /// What became of an offer to the waiting list, if the hold was one.
  fileprivate mutating func closeOffer(_ hold: HoldID, as phase: Booking.WaitingRecord.Phase) {
    guard let number = holds.number(of: hold), let entry = holds[number].terms.waitingID else { return }
    waitingList.setPhase(phase, of: entry)
  }

  /// Puts a hold back that a state had, in the order in which they were made.
  mutating func restore(
    _ terms: Booking.SeatsHeld, seats: [Int32], in phase: Booking.HoldRecord.Phase, until expiresAt: Timestamp
  ) {
    guard let plan = show?.plan else { return }
    let number = holds.append(terms, seats: seats)
    holds[number].phase = phase
    holds[number].expiresAt = expiresAt
    switch phase {
    case .released, .expired, .cancelled: return
    case .held: expiries.insert(.init(expiresAt: expiresAt, hold: number))
    case .confirmed: break
    }
    for seat in seats.lazy.map(Int.init) {
      holders[seat] = number
      free?.remove(seat, block: Int(plan.blockOfSeat[seat]))
    }
    count(seats.count, of: terms.buyer, hold: number)
  }

  fileprivate mutating func extend(_ id: HoldID, until instant: Timestamp) {
    guard let number = holds.number(of: id) else { return }
    holds[number].expiresAt = instant
    expiries.insert(.init(expiresAt: instant, hold: number))
    dropEndedExpiries()
  }

  /// Only where there is a limit: otherwise nobody asks.
  private mutating func count(_ seats: Int, of buyer: BuyerID, hold: Int32) {
    guard show?.policy.seatsPerBuyer != nil else { return }
    let holds = holds
    buyers.add(seats, to: buyer, hold: hold) { holds[$0].terms.buyer }
  }

  fileprivate mutating func setPhase(_ phase: Booking.HoldRecord.Phase, of id: HoldID) {
    guard let number = holds.number(of: id) else { return }
    holds[number].phase = phase
    dropEndedExpiries()
  }

  /// Ends a hold or a booking and frees the seats that are still its own.
  fileprivate mutating func end(_ id: HoldID, as phase: Booking.HoldRecord.Phase) {
    guard let plan = show?.plan, let number = holds.number(of: id) else { return }
    var freed = 0
    for seat in holds[number].seats.lazy.map(Int.init) where holders[seat] == number {
      holders[seat] = Booking.State.nobody
      free?.insert(seat, block: Int(plan.blockOfSeat[seat]))
      freed += 1
    }
    count(-freed, of: holds[number].terms.buyer, hold: number)
    setPhase(phase, of: id)
  }

  /// Frees some seats of a booking, which has the others from then on.
  fileprivate mutating func giveUp(_ seats: [SeatID], of id: HoldID) {
    guard let plan = show?.plan, let number = holds.number(of: id) else { return }
    let freed = Set(seats.compactMap { plan.index(of: $0).map(Int32.init) })
    var count = 0
    for seat in freed.lazy.map(Int.init) where holders[seat] == number {
      holders[seat] = Booking.State.nobody
      free?.insert(seat, block: Int(plan.blockOfSeat[seat]))
      count += 1
    }
    self.count(-count, of: holds[number].terms.buyer, hold: number)
    holds[number].giveUp(freed)
  }

  /// Keeps a live hold at the top of the queue, so that `nextExpiry` is true.
  private mutating func dropEndedExpiries() {
    while let first = expiries.first, !isCurrent(first) { expiries.removeFirst() }
  }
}

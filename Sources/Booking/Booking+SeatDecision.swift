import Vocabulary

extension Booking {
  /// **Who wins a seat is decided here and nowhere else.** A buyer gets all of `seats` or none: each must be
  /// free, or lie under a hold whose time is over.
  ///
  /// Two processes may both come to a yes from the same state. The event store then accepts one of them,
  /// because both expect the same version of the stream; the other one reads on and comes here again.
  ///
  /// - Returns: the overdue holds that give way.
  /// - Throws: ``Rejection/seatsUnavailable(_:)`` with every seat that somebody else has.
  static func claim(
    _ seats: [Int], in state: State, plan: SeatPlan, at now: Timestamp
  ) throws(Rejection) -> [HoldBook.Entry] {
    var overdue: [Int32] = []
    var conflicts: [SeatConflict] = []
    for seat in seats {
      switch state.occupancy(ofSeatAt: seat, at: now) {
      case .available:
        let holder = state.holders[seat]
        if holder != State.nobody, !overdue.contains(holder) { overdue.append(holder) }
      case .held: conflicts.append(SeatConflict(seat: plan.seat(at: seat), state: .held))
      case .booked: conflicts.append(SeatConflict(seat: plan.seat(at: seat), state: .booked))
      case .blocked: conflicts.append(SeatConflict(seat: plan.seat(at: seat), state: .blocked))
      }
    }
    guard conflicts.isEmpty else { throw .seatsUnavailable(conflicts) }
    return overdue.map { state.holds[$0] }
  }

  /// The seats a buyer asks for, as indices in the plan.
  static func seats(
    for choice: SeatChoice, in state: State, _ show: ShowScheduled, at now: Timestamp
  ) throws(Rejection) -> [Int] {
    switch choice {
    case .named(let seats): try named(seats, in: show.plan)
    case .best(let best): try find(best, in: state, show, at: now)
    }
  }

  private static func named(_ seats: [SeatID], in plan: SeatPlan) throws(Rejection) -> [Int] {
    try requireReasonable(seats.count)
    var indices: [Int] = []
    var unknown: [SeatID] = []
    indices.reserveCapacity(seats.count)
    for seat in seats {
      if let index = plan.index(of: seat) { indices.append(index) } else { unknown.append(seat) }
    }
    guard unknown.isEmpty else { throw .unknownSeats(unknown) }
    var distinct: Set<Int> = []
    let repeated = indices.filter { !distinct.insert($0).inserted }
    guard repeated.isEmpty else { throw .duplicateSeats(repeated.map(plan.seat(at:))) }
    return indices
  }

  /// The best seats. Those under overdue holds count as free.
  private static func find(
    _ best: Best, in state: State, _ show: ShowScheduled, at now: Timestamp
  ) throws(Rejection) -> [Int] {
    try requireReasonable(best.count)
    guard (0...best.count).contains(best.accessible) else { throw .tooManyAccessible(count: best.count) }
    guard let free = state.freeSeats(at: now) else { throw .showNotScheduled }
    let search = try SeatSearch(show.plan, free: free, for: best, orphans: show.policy.orphans)
    guard let seats = search.seats(best.count, together: best.together) else {
      throw best.together ? .noAdjacentSeats(count: best.count) : .notEnoughSeats(count: best.count)
    }
    return seats
  }

  /// No seat is left free and alone beside `seats`, which are about to be taken.
  static func requireNoneAlone(
    beside seats: [Int], in state: State, plan: SeatPlan, at now: Timestamp
  ) throws(Rejection) {
    let taken = Set(seats)
    func isLeft(_ seat: Int) -> Bool {
      !taken.contains(seat) && state.occupancy(ofSeatAt: seat, at: now) == .available
    }
    var alone: Set<Int> = []
    for seat in seats {
      for neighbour in plan.neighbours(of: seat) where isLeft(neighbour) {
        guard !plan.wheelchair.contains(neighbour) else { continue }
        if !plan.neighbours(of: neighbour).contains(where: isLeft) { alone.insert(neighbour) }
      }
    }
    guard alone.isEmpty else { throw .seatsLeftAlone(alone.sorted().map(plan.seat(at:))) }
  }

  private static func requireReasonable(_ count: Int) throws(Rejection) {
    guard count > 0 else { throw .noSeatsRequested }
    guard count <= maximumSeatsPerHold else { throw .tooManySeats(maximum: maximumSeatsPerHold) }
  }
}

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
      }
    }
    guard conflicts.isEmpty else { throw .seatsUnavailable(conflicts) }
    return overdue.map { state.holds[$0] }
  }

  /// The seats a buyer asks for, as indices in the plan.
  static func seats(
    for choice: SeatChoice, in state: State, plan: SeatPlan, at now: Timestamp
  ) throws(Rejection) -> [Int] {
    switch choice {
    case .named(let seats): try named(seats, in: plan)
    case .best(let count, let section): try best(count, in: section, of: state, plan: plan, at: now)
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

  /// The first block of seats side by side. Seats under overdue holds count as free.
  private static func best(
    _ count: Int, in section: SectionID?, of state: State, plan: SeatPlan, at now: Timestamp
  ) throws(Rejection) -> [Int] {
    try requireReasonable(count)
    var rows = plan.rows.indices
    if let section {
      guard let those = plan.rowsOfSection[section] else { throw .unknownSection(section) }
      rows = those
    }
    var free = state.free
    for hold in state.overdueHoldNumbers(at: now) {
      for seat in state.holds[hold].seats.lazy.map(Int.init) where state.holders[seat] == hold {
        free?.insert(seat, row: Int(plan.rowOfSeat[seat]))
      }
    }
    guard let block = free?.firstBlock(of: count, in: rows, of: plan) else {
      throw .noAdjacentSeats(count: count)
    }
    return Array(block)
  }

  private static func requireReasonable(_ count: Int) throws(Rejection) {
    guard count > 0 else { throw .noSeatsRequested }
    guard count <= maximumSeatsPerHold else { throw .tooManySeats(maximum: maximumSeatsPerHold) }
  }
}

/// Which seats nobody has, as one bit per seat and one count per block, for finding adjacent seats.
///
/// Full blocks are passed over by their count and 64 seats are looked at in one step, so that the best seats in a house
/// of 100,000 are found without reading what is known about each one. Seats that are not for sale are never free.
struct FreeSeats: Sendable {
  private var words: [UInt64]
  private var freeInBlock: [Int32]

  init(plan: SeatPlan) {
    words = Array(repeating: .max, count: (plan.totalSeats + 63) / 64)
    freeInBlock = plan.blocks.map { Int32($0.seats.count) }
    guard !plan.blocked.isEmpty else { return }
    for seat in 0..<plan.totalSeats where plan.blocked.contains(seat) {
      remove(seat, block: Int(plan.blockOfSeat[seat]))
    }
  }

  func count(inBlock block: Int) -> Int { Int(freeInBlock[block]) }

  func contains(_ seat: Int) -> Bool { words[seat / 64] & (1 << UInt64(seat % 64)) != 0 }

  mutating func insert(_ seat: Int, block: Int) {
    let bit: UInt64 = 1 << UInt64(seat % 64)
    guard words[seat / 64] & bit == 0 else { return }
    words[seat / 64] |= bit
    freeInBlock[block] += 1
  }

  mutating func remove(_ seat: Int, block: Int) {
    let bit: UInt64 = 1 << UInt64(seat % 64)
    guard words[seat / 64] & bit != 0 else { return }
    words[seat / 64] &= ~bit
    freeInBlock[block] -= 1
  }

  /// The first free seats side by side, from `start` on and before `end`.
  func firstSegment(from start: Int, before end: Int) -> Range<Int>? {
    let first = next(free: true, from: start, before: end)
    return first < end ? first..<next(free: false, from: first, before: end) : nil
  }

  /// The first seat from `start` that is free, or is taken; `end` when there is none before it.
  private func next(free: Bool, from start: Int, before end: Int) -> Int {
    var seat = start
    while seat < end {
      let word = free ? words[seat / 64] : ~words[seat / 64]
      let ahead = word >> UInt64(seat % 64)
      if ahead != 0 { return min(seat + ahead.trailingZeroBitCount, end) }
      seat = (seat / 64 + 1) * 64
    }
    return end
  }
}

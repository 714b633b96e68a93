/// Which seats nobody has, as one bit per seat and one count per row, for finding adjacent seats.
///
/// Full rows are passed over by their count and 64 seats are looked at in one step, so that the best block in
/// a house of 100,000 seats is found without reading what is known about each seat.
struct FreeSeats: Sendable {
  private var words: [UInt64]
  private var freeInRow: [Int32]

  init(plan: SeatPlan) {
    words = Array(repeating: .max, count: (plan.totalSeats + 63) / 64)
    freeInRow = plan.rows.map { Int32($0.seats.count) }
  }

  mutating func insert(_ seat: Int, row: Int) {
    let bit: UInt64 = 1 << UInt64(seat % 64)
    guard words[seat / 64] & bit == 0 else { return }
    words[seat / 64] |= bit
    freeInRow[row] += 1
  }

  mutating func remove(_ seat: Int, row: Int) {
    let bit: UInt64 = 1 << UInt64(seat % 64)
    guard words[seat / 64] & bit != 0 else { return }
    words[seat / 64] &= ~bit
    freeInRow[row] -= 1
  }

  /// The first `count` free seats that stand side by side in one of `rows`, in the order of the plan.
  func firstBlock(of count: Int, in rows: Range<Int>, of plan: SeatPlan) -> Range<Int>? {
    for row in rows where freeInRow[row] >= count {
      let end = plan.rows[row].seats.upperBound
      var start = next(free: true, from: plan.rows[row].seats.lowerBound, before: end)
      while start + count <= end {
        let stop = next(free: false, from: start, before: min(start + count, end))
        if stop - start == count { return start..<stop }
        start = next(free: true, from: stop, before: end)
      }
    }
    return nil
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

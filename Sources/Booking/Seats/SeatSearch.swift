import Vocabulary

/// Finds the best seats for a party among those that are free.
///
/// The rules, in order; the first one that gives seats decides:
/// 1. side by side, leaving no seat alone;
/// 2. side by side, if the show only avoids seats left alone;
/// 3. if the party may be split, in groups as large as possible, leaving no seat alone;
/// 4. the same, if the show only avoids seats left alone.
///
/// In a show that allows seats left alone, 1 and 3 don't look at that. Of several ways the one with the smallest sum of
/// squared distances from the focal point is taken; of equal ones, and in a plan without a focal point, the first in
/// the order of the plan. Places to stand are side by side wherever they are free.
struct SeatSearch {
  let plan: SeatPlan
  var free: FreeSeats
  /// Where to look.
  let blocks: Range<Int>
  let price: Int32?
  /// How many wheelchair places there have to be among the seats. They, and the seats of companions, are kept for
  /// parties that ask for them.
  let wheelchairs: Int
  let orphans: Booking.Policy.Orphans

  init(
    _ plan: SeatPlan, free: FreeSeats, for best: Booking.Best, orphans: Booking.Policy.Orphans
  ) throws(Booking.Rejection) {
    self.plan = plan
    self.free = free
    self.orphans = orphans
    wheelchairs = best.accessible
    blocks = try SeatSearch.blocks(of: best, in: plan)
    price = try SeatSearch.price(of: best, in: plan)
  }

  private static func blocks(of best: Booking.Best, in plan: SeatPlan) throws(Booking.Rejection) -> Range<Int>
  {
    guard let section = best.section else { return plan.blocks.indices }
    guard let blocks = plan.blocksOfSection[section] else { throw .unknownSection(section) }
    return blocks
  }

  private static func price(of best: Booking.Best, in plan: SeatPlan) throws(Booking.Rejection) -> Int32? {
    guard let category = best.category else { return nil }
    guard let price = plan.categoryNumbers[category] else { throw .unknownCategory(category) }
    return price
  }

  /// The indices of the best `count` seats, rising; nil if there are none.
  func seats(_ count: Int, together: Bool) -> [Int]? {
    if let seats = block(of: count, sparing: orphans != .allowed) { return seats }
    if orphans == .avoided, let seats = block(of: count, sparing: false) { return seats }
    // A wheelchair user stays with the company.
    guard !together, wheelchairs == 0 else { return nil }
    if let seats = groups(of: count, sparing: orphans != .allowed) { return seats }
    switch orphans {
    case .allowed: return nil
    case .avoided: return groups(of: count, sparing: false)
    case .forbidden: return SparingSelection(self, count: count).seats()
    }
  }

  // MARK: Side by side

  /// The best block of seats. `sparing` refuses those that leave a seat alone.
  private func block(of count: Int, sparing: Bool) -> [Int]? {
    var best: (distance: Int64, seats: [Int])?
    func look(in number: Int) {
      guard free.count(inBlock: number) >= count else { return }
      let block = plan.blocks[number]
      let found =
        block.isStanding
        ? standing(count, in: block) : seated(count, in: block, sparing: sparing)
      guard let found, let first = found.seats.first else { return }
      if let best, (best.distance, best.seats.first ?? 0) <= (found.distance, first) { return }
      best = found
    }

    guard let geometry = plan.geometry else {
      for number in blocks {
        look(in: number)
        if let best { return best.seats }
      }
      return nil
    }
    for number in geometry.blocksByDistance.lazy.map(Int.init) where blocks.contains(number) {
      // No seat of this block is nearer, and none of those that come after it.
      if let best, geometry.nearest[number] &* Int64(count) > best.distance { break }
      look(in: number)
    }
    return best?.seats
  }

  private func standing(_ count: Int, in block: SeatPlan.Block) -> (distance: Int64, seats: [Int])? {
    guard wheelchairs == 0, let first = block.seats.first, hasPrice(first) else { return nil }
    let distance = (plan.geometry?.distance(of: first..<first + 1) ?? 0) &* Int64(count)
    var seats: [Int] = []
    var start = block.seats.lowerBound
    while seats.count < count, let segment = free.firstSegment(from: start, before: block.seats.upperBound) {
      seats += segment.prefix(count - seats.count)
      start = segment.upperBound
    }
    return seats.count == count ? (distance, seats) : nil
  }

  private func seated(
    _ count: Int, in block: SeatPlan.Block, sparing: Bool
  ) -> (distance: Int64, seats: [Int])? {
    var best: (distance: Int64, seats: Range<Int>)?
    forEachSegment(of: block) { segment in
      guard segment.count >= count else { return true }
      var unfit = 0
      var chairs = 0
      for seat in segment {
        if !fits(seat) { unfit += 1 }
        if plan.wheelchair.contains(seat) { chairs += 1 }
        let start = seat - count + 1
        if start > segment.lowerBound {
          if !fits(start - 1) { unfit -= 1 }
          if plan.wheelchair.contains(start - 1) { chairs -= 1 }
        }
        guard start >= segment.lowerBound, unfit == 0, chairs == wheelchairs else { continue }
        let seats = start..<seat + 1
        if sparing, leavesSeatAlone(seats, in: segment) { continue }
        guard let geometry = plan.geometry else {
          best = (0, seats)
          return false
        }
        let distance = geometry.distance(of: seats)
        if best.map({ distance < $0.distance }) ?? true { best = (distance, seats) }
      }
      return true
    }
    return best.map { ($0.distance, Array($0.seats)) }
  }

  /// Calls `body` with the free seats side by side, from left to right, until it returns false.
  func forEachSegment(of block: SeatPlan.Block, _ body: (Range<Int>) -> Bool) {
    var start = block.seats.lowerBound
    while let segment = free.firstSegment(from: start, before: block.seats.upperBound) {
      guard body(segment) else { return }
      start = segment.upperBound
    }
  }

  /// Whether taking `seats` out of the free `segment` leaves a single one at either end. A wheelchair place is no seat
  /// left alone: its user comes alone, or with a companion who has a seat beside it.
  private func leavesSeatAlone(_ seats: Range<Int>, in segment: Range<Int>) -> Bool {
    (seats.lowerBound - segment.lowerBound == 1 && !plan.wheelchair.contains(segment.lowerBound))
      || (segment.upperBound - seats.upperBound == 1 && !plan.wheelchair.contains(seats.upperBound))
  }

  /// Whether the party may have the seat if it is free.
  func fits(_ seat: Int) -> Bool {
    guard hasPrice(seat) else { return false }
    return wheelchairs > 0 || !(plan.wheelchair.contains(seat) || plan.companion.contains(seat))
  }

  private func hasPrice(_ seat: Int) -> Bool { price == nil || plan.priceOfSeat[seat] == price }

  // MARK: In groups

  /// The largest group that there is room for, then the largest of the rest, and so on.
  private func groups(of count: Int, sparing: Bool) -> [Int]? {
    var search = self
    var seats: [Int] = []
    var size = count
    while seats.count < count {
      size = min(size, count - seats.count)
      while size > 0 {
        if let group = search.block(of: size, sparing: sparing) {
          search.take(group)
          seats += group
          break
        }
        size -= 1
      }
      if size == 0 { return nil }
    }
    return seats.sorted()
  }

  private mutating func take(_ seats: [Int]) {
    for seat in seats { free.remove(seat, block: Int(plan.blockOfSeat[seat])) }
  }
}

/// How far the seats of a plan are from its focal point.
///
/// A seat's distance counts squared, so that of two ways to seat a party the one without a far seat is better.
struct SeatGeometry: Sendable {
  /// The squared distances of the seats before each index, added up.
  private let sums: [Int64]
  /// The numbers of the plan's blocks, the one with the nearest seat first.
  let blocksByDistance: [Int32]
  /// The smallest squared distance in each block, by its number.
  let nearest: [Int64]

  init(_ layout: SeatLayout, focus: SeatPlan.Point) {
    // At most 3·10^6 away where a plan says so, and 10^5 rows or seats at their usual distance where it does not: the
    // sum of all stays below 2^63.
    var sums: [Int64] = [0]
    sums.reserveCapacity(layout.points.count + 1)
    for point in layout.points {
      let (x, y) = (Int64(point.x - focus.x), Int64(point.y - focus.y))
      sums.append(sums[sums.count - 1] &+ x &* x &+ y &* y)
    }
    let nearest = layout.blocks.map { block in
      block.seats.map { sums[$0 + 1] &- sums[$0] }.min() ?? 0
    }
    self.sums = sums
    self.nearest = nearest
    blocksByDistance = layout.blocks.indices.map(Int32.init).sorted {
      (nearest[Int($0)], $0) < (nearest[Int($1)], $1)
    }
  }

  /// The squared distances of some seats, added up; the smaller, the better.
  func distance(of seats: Range<Int>) -> Int64 { sums[seats.upperBound] &- sums[seats.lowerBound] }
}

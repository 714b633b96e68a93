/// The last way to seat a party that may be split where no seat may be left alone: any seats that do.
///
/// Taking the largest groups first can end with one person who would have to leave a seat alone, although smaller
/// groups would have found room: two free seats, two more, and five, for six people. Here every way is tried, without
/// trying each by itself: for each stretch of free seats it is worked out how many of them can be taken so that none is
/// left alone, for all numbers at once, one bit each. Then those numbers are added up, stretch by stretch in the order
/// of the plan, until the party is seated.
struct SparingSelection {
  /// Numbers of people from 0 to 127, one bit each; a hold has at most 100 seats.
  struct Amounts: Equatable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    static let none = Amounts()
    static let zero = Amounts([0])

    init(_ numbers: some Sequence<Int> = [] as [Int]) {
      for number in numbers {
        if number < 64 { low |= 1 << UInt64(number) } else { high |= 1 << UInt64(number - 64) }
      }
    }

    func contains(_ number: Int) -> Bool {
      number < 64 ? low & (1 << UInt64(number)) != 0 : high & (1 << UInt64(number - 64)) != 0
    }

    /// Each number increased; those beyond 127 fall out.
    func increased(by number: Int) -> Amounts {
      var result = Amounts()
      // Shifts of Swift give 0 when nothing is left, and a negative count shifts the other way.
      result.low = low << UInt64(number)
      result.high =
        high << UInt64(number) | (number >= 64 ? low << UInt64(number - 64) : low >> UInt64(64 - number))
      return result
    }

    static func | (left: Amounts, right: Amounts) -> Amounts {
      var result = left
      result.low |= right.low
      result.high |= right.high
      return result
    }
  }

  private let search: SeatSearch
  private let count: Int

  init(_ search: SeatSearch, count: Int) {
    self.search = search
    self.count = count
  }

  private struct Stretch {
    let seats: Range<Int>
    let isStanding: Bool
    let amounts: Amounts
    /// How many people the stretches before it can take.
    let before: Amounts
  }

  func seats() -> [Int]? {
    var stretches: [Stretch] = []
    var reachable = Amounts.zero
    for number in search.blocks where search.free.count(inBlock: number) > 0 {
      let block = search.plan.blocks[number]
      search.forEachSegment(of: block) { segment in
        let amounts = block.isStanding ? standing(segment) : steps(along: segment).last?.amounts ?? .zero
        guard amounts != .zero else { return true }
        stretches.append(
          Stretch(seats: segment, isStanding: block.isStanding, amounts: amounts, before: reachable))
        reachable = (0...count).reduce(Amounts.none) { sum, number in
          amounts.contains(number) ? sum | reachable.increased(by: number) : sum
        }
        return !reachable.contains(count)
      }
      if reachable.contains(count) { return selection(from: stretches) }
    }
    return nil
  }

  /// Goes back from the last stretch to the first, each giving as few seats as it can.
  private func selection(from stretches: [Stretch]) -> [Int]? {
    var seats: [Int] = []
    var rest = count
    for stretch in stretches.reversed() {
      let number = (0...rest).first { stretch.amounts.contains($0) && stretch.before.contains(rest - $0) }
      guard let number else { return nil }
      rest -= number
      guard number > 0 else { continue }
      seats += stretch.isStanding ? Array(stretch.seats.prefix(number)) : taken(number, of: stretch.seats)
    }
    return seats.sorted()
  }

  private func standing(_ segment: Range<Int>) -> Amounts {
    guard search.fits(segment.lowerBound) else { return .zero }
    return Amounts(0...min(segment.count, count))
  }

  // MARK: One stretch of seats

  /// How many seats can be taken up to and including a seat, by what becomes of that seat.
  private struct Step {
    /// The seat is taken.
    var taken = Amounts.none
    /// It is free, and so far alone.
    var alone = Amounts.none
    /// It is free, and not alone.
    var free = Amounts.none

    /// If the stretch ends here.
    var amounts: Amounts { taken | free | .zero }
  }

  private func steps(along segment: Range<Int>) -> [Step] {
    var steps: [Step] = []
    steps.reserveCapacity(segment.count)
    // What is left of the stretch is taken.
    var last = Step(taken: .zero)
    for seat in segment {
      var step = Step()
      if search.fits(seat) { step.taken = (last.taken | last.free).increased(by: 1) }
      if search.plan.wheelchair.contains(seat) {
        step.free = last.taken | last.alone | last.free
      } else {
        step.alone = last.taken
        step.free = last.alone | last.free
      }
      steps.append(step)
      last = step
    }
    return steps
  }

  private enum Fate { case taken, alone, free }

  /// Which `number` seats of a stretch are taken.
  private func taken(_ number: Int, of segment: Range<Int>) -> [Int] {
    let steps = steps(along: segment)
    guard let end = steps.last else { return [] }
    var fate = end.taken.contains(number) ? Fate.taken : .free
    var rest = number
    var seats: [Int] = []
    for offset in steps.indices.reversed() {
      let before = offset > 0 ? steps[offset - 1] : Step(taken: .zero)
      switch fate {
      case .taken:
        seats.append(segment.lowerBound + offset)
        rest -= 1
        fate = before.taken.contains(rest) ? .taken : .free
      case .alone:
        fate = .taken
      case .free:
        let isWheelchair = search.plan.wheelchair.contains(segment.lowerBound + offset)
        if isWheelchair, before.taken.contains(rest) {
          fate = .taken
        } else {
          fate = before.free.contains(rest) ? .free : .alone
        }
      }
    }
    return seats
  }
}

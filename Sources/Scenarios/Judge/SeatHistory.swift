import Booking
import Vocabulary

/// Follows which seats of a show were free at which position, and so when a wish could not be served.
struct SeatHistory {
  /// Seats side by side, or places to stand.
  private struct Block {
    let section: SectionID
    let isStanding: Bool
    /// By place, from 0.
    var isFree: [Bool]
    /// How long each stretch of free seats is.
    var stretches: [Int]
    let category: CategoryID?
    let wheelchairs: Set<Int>
    let companions: Set<Int>

    /// Nothing but seats for anybody.
    var isPlain: Bool { wheelchairs.isEmpty && companions.isEmpty }

    init(
      _ section: SectionID, seats: Int, isStanding: Bool, category: CategoryID?, wheelchairs: Set<Int>,
      companions: Set<Int>
    ) {
      self.section = section
      self.isStanding = isStanding
      self.category = category
      self.wheelchairs = wheelchairs
      self.companions = companions
      isFree = Array(repeating: true, count: seats)
      stretches = [seats]
    }

    /// False if that changes nothing.
    mutating func set(_ seat: Int, isFree free: Bool) -> Bool {
      guard isFree[seat] != free else { return false }
      isFree[seat] = free
      stretches = isStanding ? [isFree.count { $0 }] : Self.stretches(isFree)
      return true
    }

    private static func stretches(_ isFree: [Bool]) -> [Int] {
      isFree.split(separator: false).map(\.count)
    }

    /// Whether somebody may be given the seat who wants so many wheelchair places.
    func isFor(_ wheelchairs: Int, _ seat: Int) -> Bool {
      isFree[seat] && (wheelchairs > 0 || !(self.wheelchairs.contains(seat) || companions.contains(seat)))
    }

    /// Whether a free seat has no free one beside it. A wheelchair place is never left alone.
    func isAlone(_ seat: Int) -> Bool {
      guard !isStanding, isFree.indices.contains(seat), isFree[seat], !wheelchairs.contains(seat) else {
        return false
      }
      return ![seat - 1, seat + 1].contains { isFree.indices.contains($0) && isFree[$0] }
    }
  }

  private let forbidsOrphans: Bool
  private var blocks: [Block] = []
  private var places: [SeatID: (block: Int, seat: Int)] = [:]
  /// For each wish: since when it cannot be served, and the stretches of positions when it could not.
  private var unserved: [PlannedWish: (since: Int64?, stretches: [ClosedRange<Int64>])] = [:]

  init(_ show: ShowOnSale) {
    forbidsOrphans = show.policy.orphans == .forbidden
    for section in show.sections {
      for line in section.lines {
        let ends = (line.aislesAfter + [line.seats]).sorted()
        var first = 0
        for end in ends where end > first {
          for number in first..<end {
            places[SeatID(unchecked: "\(line.id)-\(number + 1)")] = (blocks.count, number - first)
          }
          func here(_ numbers: [Int]) -> Set<Int> {
            Set(numbers.map { $0 - 1 - first }.filter { (0..<end - first).contains($0) })
          }
          blocks.append(
            Block(
              section.id, seats: end - first, isStanding: section.capacity != nil,
              category: line.category ?? section.category, wheelchairs: here(line.wheelchair),
              companions: here(line.companion)))
          first = end
        }
      }
    }
  }

  mutating func watch(_ wishes: Set<PlannedWish>) {
    for wish in wishes { unserved[wish] = (canServe(wish) ? nil : 0, []) }
  }

  /// Changes come in the order of positions; several may have the same.
  mutating func change(_ seat: SeatID, isTaken: Bool, at position: Int64) {
    guard let (block, number) = places[seat], blocks[block].set(number, isFree: !isTaken) else { return }
    for (wish, (since, stretches)) in unserved {
      switch (since, canServe(wish)) {
      case (nil, false): unserved[wish] = (position, stretches)
      case (let since?, true) where since < position:
        unserved[wish] = (nil, stretches + [since...position - 1])
      case (_?, true): unserved[wish] = (nil, stretches)
      default: break
      }
    }
  }

  mutating func end() {
    for (wish, (since, stretches)) in unserved {
      if let since { unserved[wish] = (nil, stretches + [since ... .max]) }
    }
  }

  /// Whether there was a moment between two positions at which the wish could not be served.
  func couldNotServe(_ wish: PlannedWish, from first: Int64, to last: Int64) -> Bool {
    unserved[wish]?.stretches.contains { $0.overlaps(min(first, last)...last) } ?? false
  }

  /// The free seats beside some, each of which has no free seat beside it any more.
  func alone(beside seats: [SeatID]) -> [SeatID] {
    var alone: Set<SeatID> = []
    for seat in seats {
      guard let (number, place) = places[seat] else { continue }
      let name = seat.rawValue.split(separator: "-").dropLast().joined(separator: "-")
      let label = Int(seat.rawValue.split(separator: "-").last ?? "") ?? 0
      for step in [-1, 1] where blocks[number].isAlone(place + step) {
        alone.insert(SeatID(unchecked: "\(name)-\(label + step)"))
      }
    }
    return alone.sorted()
  }

  func canServe(_ wish: PlannedWish) -> Bool {
    switch wish {
    case .named(let seats):
      return seats.allSatisfy { seat in places[seat].map { blocks[$0.block].isFree[$0.seat] } ?? false }
    case .best(let best):
      let blocks = blocks.lazy.filter { block in
        (block.section == best.section || best.section == nil)
          && (best.category == nil || block.category == best.category)
      }
      if blocks.contains(where: { canSeat(best, in: $0) }) { return true }
      return !best.together && best.accessible == 0 && canSplit(best.count, over: Array(blocks))
    }
  }

  /// Side by side.
  private func canSeat(_ best: Booking.Best, in block: Block) -> Bool {
    if block.isStanding { return best.accessible == 0 && block.stretches.contains { $0 >= best.count } }
    if block.isPlain {
      return best.accessible == 0 && block.stretches.contains { fits(best.count, in: $0, of: block) }
    }
    guard block.isFree.count >= best.count else { return false }
    return (0...block.isFree.count - best.count).contains { first in
      let seats = first..<first + best.count
      guard seats.allSatisfy({ block.isFor(best.accessible, $0) }),
        seats.count(where: block.wheelchairs.contains) == best.accessible
      else { return false }
      guard forbidsOrphans else { return true }
      var after = block
      for seat in seats { _ = after.set(seat, isFree: false) }
      return !after.isAlone(first - 1) && !after.isAlone(seats.upperBound)
    }
  }

  /// Whether `count` of a stretch's seats can be taken, leaving none alone where that is forbidden.
  private func fits(_ count: Int, in stretch: Int, of block: Block) -> Bool {
    stretch >= count && (!forbidsOrphans || block.isStanding || stretch != count + 1)
  }

  /// Of the seats that are for anybody; beside special ones, a seat left alone is not looked for.
  private func canSplit(_ count: Int, over blocks: [Block]) -> Bool {
    var reachable = Set([0])
    for block in blocks {
      let stretches =
        block.isPlain ? block.stretches : [block.isFree.indices.count { block.isFor(0, $0) }]
      for stretch in stretches {
        for some in reachable {
          for taken in 1...max(min(stretch, count), 1)
          where some + taken <= count
            && (block.isPlain ? fits(taken, in: stretch, of: block) : stretch >= taken)
          {
            reachable.insert(some + taken)
          }
        }
        if reachable.contains(count) { return true }
      }
    }
    return false
  }
}

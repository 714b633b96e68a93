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

    init(_ section: SectionID, seats: Int, isStanding: Bool) {
      self.section = section
      self.isStanding = isStanding
      isFree = Array(repeating: true, count: seats)
      stretches = [seats]
    }

    mutating func set(_ seat: Int, isFree free: Bool) {
      isFree[seat] = free
      stretches = isStanding ? [isFree.count { $0 }] : Self.stretches(isFree)
    }

    private static func stretches(_ isFree: [Bool]) -> [Int] {
      isFree.split(separator: false).map(\.count)
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
          blocks.append(Block(section.id, seats: end - first, isStanding: section.capacity != nil))
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
    guard let (block, number) = places[seat] else { return }
    blocks[block].set(number, isFree: !isTaken)
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

  private func canServe(_ wish: PlannedWish) -> Bool {
    switch wish {
    case .named(let seats):
      return seats.allSatisfy { seat in places[seat].map { blocks[$0.block].isFree[$0.seat] } ?? false }
    case .best(let count, let section, let together):
      let blocks = blocks.lazy.filter { $0.section == section || section == nil }
      if blocks.contains(where: { block in block.stretches.contains { fits(count, in: $0, of: block) } }) {
        return true
      }
      return !together && canSplit(count, over: Array(blocks))
    }
  }

  /// Whether `count` of a stretch's seats can be taken, leaving none alone where that is forbidden.
  private func fits(_ count: Int, in stretch: Int, of block: Block) -> Bool {
    stretch >= count && (!forbidsOrphans || block.isStanding || stretch != count + 1)
  }

  private func canSplit(_ count: Int, over blocks: [Block]) -> Bool {
    var reachable = Set([0])
    for block in blocks {
      for stretch in block.stretches {
        for some in reachable {
          for taken in 1...max(min(stretch, count), 1)
          where some + taken <= count && fits(taken, in: stretch, of: block) {
            reachable.insert(some + taken)
          }
        }
        if reachable.contains(count) { return true }
      }
    }
    return false
  }
}

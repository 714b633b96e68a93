import Booking
import Vocabulary

/// The best seats in the plainest way: every possibility is looked at. For small houses only.
///
/// It knows the document and nothing of the program's plan.
struct PlainSeating {
  struct Seat {
    let id: SeatID
    let row: String
    /// nil where people stand.
    let place: Int?
    let section: SectionID
    let category: CategoryID?
    let kind: SeatPlan.Kind
    let blocked: Bool
    let distance: Int
  }

  let seats: [Seat]
  let orphans: Booking.Policy.Orphans

  init(_ document: SeatPlan.Document, orphans: Booking.Policy.Orphans) {
    var seats: [Seat] = []
    var row = 0
    func distance(_ x: Int, _ y: Int) -> Int {
      document.focalPoint.map { ($0.x - x) * ($0.x - x) + ($0.y - y) * ($0.y - y) } ?? 0
    }
    for (number, section) in document.sections.enumerated() {
      if let capacity = section.capacity {
        for place in 1...capacity {
          seats.append(
            Seat(
              id: SeatID(unchecked: "\(section.id)-\(place)"), row: section.id.rawValue, place: nil,
              section: section.id, category: section.category, kind: .ordinary, blocked: false,
              distance: distance(section.x ?? 0, section.y ?? 100 * (row + number))))
        }
        row += 1
        continue
      }
      for line in section.rows {
        let places = line.places ?? Array(1...line.seats)
        let labels = line.labels ?? (1...line.seats).map(String.init)
        for (place, label) in zip(places, labels) {
          let special = (line.special ?? []).filter { $0.seats.contains(label) }
          let x =
            line.x.map { $0 + 100 * (place - 1) } ?? 100 * place - 50 * (places[0] + places[places.count - 1])
          seats.append(
            Seat(
              id: SeatID(unchecked: "\(line.id)-\(label)"), row: line.id.rawValue, place: place,
              section: section.id,
              category: special.compactMap(\.category).last ?? line.category ?? section.category,
              kind: special.compactMap(\.kind).last ?? .ordinary,
              blocked: special.contains { $0.blocked == true },
              distance: distance(x, line.y ?? 100 * (row + number))))
        }
        row += 1
      }
    }
    self.seats = seats
    self.orphans = orphans
  }

  func areBeside(_ a: Int, _ b: Int) -> Bool {
    guard seats[a].row == seats[b].row, let left = seats[a].place, let right = seats[b].place else {
      return false
    }
    return abs(left - right) == 1
  }

  /// Whether one of the free seats is left alone that was not alone before.
  func leavesSeatAlone(_ chosen: [Int], free: Set<Int>) -> Bool {
    let left = free.subtracting(chosen)
    return left.contains { seat in
      seats[seat].place != nil && seats[seat].kind != .wheelchair
        && free.contains { areBeside($0, seat) } && !left.contains { areBeside($0, seat) }
    }
  }

  func candidates(for best: Booking.Best, free: Set<Int>) -> [Int] {
    free.sorted().filter { index in
      let seat = seats[index]
      return (best.section == nil || seat.section == best.section)
        && (best.category == nil || seat.category == best.category)
        && (best.accessible > 0 || seat.kind == .ordinary)
    }
  }

  /// Every way to seat the party side by side.
  func blocks(for best: Booking.Best, free: Set<Int>) -> [[Int]] {
    let candidates = candidates(for: best, free: free)
    var blocks: [[Int]] = []
    for first in candidates {
      if seats[first].place == nil {
        let standing = candidates.filter { seats[$0].row == seats[first].row && $0 >= first }
        if best.accessible == 0, standing.count >= best.count {
          blocks.append(Array(standing.prefix(best.count)))
        }
        continue
      }
      var block = [first]
      while block.count < best.count,
        let next = candidates.first(where: {
          areBeside($0, block[block.count - 1]) && seats[$0].place! > seats[block[block.count - 1]].place!
        })
      {
        block.append(next)
      }
      if block.count == best.count, block.count(where: { seats[$0].kind == .wheelchair }) == best.accessible {
        blocks.append(block)
      }
    }
    return blocks
  }

  /// The best of the ways to sit side by side.
  func bestBlock(for best: Booking.Best, free: Set<Int>) -> [Int]? {
    let blocks = blocks(for: best, free: free)
    func nearest(_ blocks: [[Int]]) -> [Int]? {
      blocks.min { (distance(of: $0), $0[0]) < (distance(of: $1), $1[0]) }
    }
    if orphans == .allowed { return nearest(blocks) }
    let sparing = nearest(blocks.filter { !leavesSeatAlone($0, free: free) })
    return sparing ?? (orphans == .avoided ? nearest(blocks) : nil)
  }

  func distance(of chosen: [Int]) -> Int { chosen.reduce(0) { $0 + seats[$1].distance } }

  /// How many groups people sit in. Those who stand in one section are one.
  func groups(of chosen: [Int]) -> Int {
    let seated = chosen.filter { seats[$0].place != nil }
    let standing = Set(chosen.filter { seats[$0].place == nil }.map { seats[$0].row }).count
    return standing
      + seated.count { seat in
        !seated.contains { areBeside($0, seat) && seats[$0].place! < seats[seat].place! }
      }
  }

  /// Every way to seat a party that may be split; nil if there are more than `limit`.
  func selections(for best: Booking.Best, free: Set<Int>, limit: Int = 30_000) -> [[Int]]? {
    let candidates = candidates(for: best, free: free)
    guard candidates.count >= best.count else { return [] }
    let ways = (0..<best.count).reduce(1.0) { $0 * Double(candidates.count - $1) / Double($1 + 1) }
    guard ways <= Double(limit) else { return nil }
    var all: [[Int]] = [[]]
    for seat in candidates {
      all += all.filter { $0.count < best.count }.map { $0 + [seat] }
    }
    return all.filter {
      $0.count == best.count && (orphans != .forbidden || !leavesSeatAlone($0, free: free))
    }
  }
}

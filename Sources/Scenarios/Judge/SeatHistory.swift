import Vocabulary

/// Follows which seats of a show were free at which position, and so when a wish could not be served.
struct SeatHistory {
  private struct Row {
    let section: SectionID
    /// By seat number, from 0.
    var isFree: [Bool]
    var longestRun: Int
  }

  private var rows: [Row] = []
  private var places: [SeatID: (row: Int, seat: Int)] = [:]
  /// For each wish: since when it cannot be served, and the stretches of positions when it could not.
  private var unserved: [PlannedWish: (since: Int64?, stretches: [ClosedRange<Int64>])] = [:]

  init(_ show: ShowOnSale) {
    for section in show.sections {
      for row in section.rows {
        for number in 0..<row.seats {
          places[SeatID(unchecked: "\(row.id)-\(number + 1)")] = (rows.count, number)
        }
        rows.append(
          Row(section: section.id, isFree: Array(repeating: true, count: row.seats), longestRun: row.seats))
      }
    }
  }

  mutating func watch(_ wishes: Set<PlannedWish>) {
    for wish in wishes { unserved[wish] = (canServe(wish) ? nil : 0, []) }
  }

  /// Changes come in the order of positions; several may have the same.
  mutating func change(_ seat: SeatID, isTaken: Bool, at position: Int64) {
    guard let (row, number) = places[seat] else { return }
    rows[row].isFree[number] = !isTaken
    rows[row].longestRun = Self.longestRun(rows[row].isFree)
    for (wish, (since, stretches)) in unserved {
      switch (since, canServe(wish)) {
      case (nil, false): unserved[wish] = (position, stretches)
      case (let since?, true) where since < position: unserved[wish] = (nil, stretches + [since...position - 1])
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
      seats.allSatisfy { seat in places[seat].map { rows[$0.row].isFree[$0.seat] } ?? false }
    case .best(let count, let section):
      rows.contains { ($0.section == section || section == nil) && $0.longestRun >= count }
    }
  }

  private static func longestRun(_ isFree: [Bool]) -> Int {
    var longest = 0
    var run = 0
    for free in isFree {
      run = free ? run + 1 : 0
      longest = max(longest, run)
    }
    return longest
  }
}

import Foundation

/// What a history tells about when each event was committed.
///
/// An event cannot be committed before the first append that holds it began, and has been committed when an append of
/// it was acknowledged or somebody saw it. Because commit order is position order, each bound also binds the
/// positions after it or before it.
struct CommitTimes {
  /// By index of the log's events: not before, with everything at lower positions taken into account; ascending.
  private(set) var earliest: [Int64] = []
  /// By index: not after, with everything at higher positions taken into account; ascending.
  private(set) var latest: [Int64] = []
  /// Events that were begun only after a higher position had been seen committed.
  private(set) var reversals: [Reversal] = []
  private let positions: [Int64]

  struct Reversal {
    let event: LoggedEvent
    let began: Int64
    let later: LoggedEvent
    let seen: Int64
  }

  /// - Parameters:
  ///   - began: when the first append of an event began.
  ///   - seen: when an event was first known to be committed.
  init(_ log: LogIndex, began: [UUID: Int64], seen: [UUID: Int64]) {
    positions = log.events.map(\.position)
    var bound = Int64.min
    for event in log.events {
      bound = max(bound, began[event.id] ?? .min)
      earliest.append(bound)
    }
    latest = Array(repeating: .max, count: log.events.count)
    bound = .max
    var witness: LoggedEvent?
    for (index, event) in log.events.enumerated().reversed() {
      if let witness, let start = began[event.id], start > bound {
        reversals.append(Reversal(event: event, began: start, later: witness, seen: bound))
      }
      if let time = seen[event.id], time < bound {
        bound = time
        witness = event
      }
      latest[index] = bound
    }
    reversals.reverse()
  }

  /// The ends of the log that an operation between two moments may have seen.
  func ends(between began: Int64, and ended: Int64) -> ClosedRange<Int64> {
    // Committed for certain before it began, and possibly committed before it ended.
    let certain = latest.count(upTo: began == .min ? .min : began - 1)
    let possible = earliest.count(upTo: ended)
    let low = certain == 0 ? 0 : positions[certain - 1]
    let high = possible == 0 ? 0 : positions[possible - 1]
    return low...max(low, high)
  }
}

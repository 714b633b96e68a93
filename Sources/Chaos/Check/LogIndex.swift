import Foundation

/// The final log, prepared for look-ups.
struct LogIndex {
  /// By position.
  let events: [LoggedEvent]
  /// Of each stream: its positions, ascending.
  private(set) var positions: [String: [Int64]] = [:]
  private(set) var byID: [UUID: LoggedEvent] = [:]
  private(set) var byPosition: [Int64: LoggedEvent] = [:]

  init(_ stored: [LoggedEvent]) {
    events = stored.sorted { $0.position < $1.position }
    for event in events {
      positions[event.stream, default: []].append(event.position)
      byID[event.id] = byID[event.id] ?? event
      byPosition[event.position] = byPosition[event.position] ?? event
    }
  }

  var last: Int64 { events.last?.position ?? 0 }

  /// How many events the stream has up to a position, that one included.
  func version(of stream: String, at position: Int64) -> Int64 {
    Int64((positions[stream] ?? []).count(upTo: position))
  }

  /// The position of a stream's nth event; 0 for none, nil if there is no such event.
  func position(of stream: String, version: Int64) -> Int64? {
    if version == 0 { return 0 }
    guard let positions = positions[stream], version > 0, version <= positions.count else { return nil }
    return positions[Int(version) - 1]
  }

  /// Where the log ends while the stream has that version: from the position of that event to before the next one's.
  /// nil: it never had that version.
  func ends(while stream: String, has version: Int64) -> ClosedRange<Int64>? {
    guard let first = position(of: stream, version: version) else { return nil }
    let next = position(of: stream, version: version + 1) ?? .max
    return next > first ? first...(next - 1) : nil
  }
}

extension [Int64] {
  /// How many are at most `limit`; the array is ascending.
  func count(upTo limit: Int64) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] <= limit { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension ClosedRange<Int64> {
  func intersection(_ other: ClosedRange<Int64>?) -> ClosedRange<Int64>? {
    guard let other else { return nil }
    let (low, high) = (Swift.max(lowerBound, other.lowerBound), Swift.min(upperBound, other.upperBound))
    return low <= high ? low...high : nil
  }
}

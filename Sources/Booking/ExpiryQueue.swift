import Vocabulary

/// Holds by the instant at which they end: a binary heap with the earliest first.
///
/// Deadlines are usually added in order, but not always: two processes with different clocks write to the
/// same stream. An entry stays until it reaches the top, also when its hold has ended in another way or
/// was extended, which adds another one; whoever reads the queue looks at the hold.
struct ExpiryQueue: Sendable {
  struct Entry: Sendable {
    let expiresAt: Timestamp
    /// The hold's number in the state.
    let hold: Int32
  }

  private var heap: [Entry] = []

  var first: Entry? { heap.first }

  mutating func insert(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].expiresAt < heap[parent].expiresAt else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func removeFirst() {
    guard let last = heap.popLast(), !heap.isEmpty else { return }
    heap[0] = last
    var parent = 0
    while true {
      var earliest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child].expiresAt < heap[earliest].expiresAt { earliest = child }
      }
      guard earliest != parent else { return }
      heap.swapAt(parent, earliest)
      parent = earliest
    }
  }

  /// The entries at or before `now`, in no particular order; costs as many steps as there are.
  func entries(endedBy now: Timestamp) -> [Entry] {
    var ended: [Entry] = []
    var pending = heap.isEmpty ? [] : [0]
    while let index = pending.popLast() {
      guard heap[index].expiresAt <= now else { continue }
      ended.append(heap[index])
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count { pending.append(child) }
    }
    return ended
  }
}

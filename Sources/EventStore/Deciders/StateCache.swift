import Synchronization
import Vocabulary

/// The states that were used last, at most ``capacity`` of them.
///
/// In two halves: what is used moves to the young one, and when that is full, the old one is dropped whole and the young
/// one is the old one. So no call costs more than a look-up, however many states there are.
final class StateCache<D: Decider>: Sendable {
  private struct Entries {
    var young: [StreamName: FoldedStream<D>] = [:]
    var old: [StreamName: FoldedStream<D>] = [:]

    mutating func take(_ stream: StreamName) -> FoldedStream<D>? {
      old.removeValue(forKey: stream) ?? young.removeValue(forKey: stream)
    }
  }

  let capacity: Int
  private let entries = Mutex(Entries())

  init(capacity: Int) { self.capacity = max(capacity, 2) }

  func state(of stream: StreamName) -> FoldedStream<D>? {
    entries.withLock { entries in
      if let folded = entries.young[stream] { return folded }
      guard let folded = entries.take(stream) else { return nil }
      put(folded, as: stream, into: &entries)
      return folded
    }
  }

  /// Remembers a state, unless a later one is known.
  func remember(_ folded: FoldedStream<D>, of stream: StreamName) {
    entries.withLock { entries in
      let known = entries.take(stream) ?? folded
      put(known.version > folded.version ? known : folded, as: stream, into: &entries)
    }
  }

  func forget(_ stream: StreamName) {
    entries.withLock { _ = $0.take(stream) }
  }

  var count: Int { entries.withLock { $0.young.count + $0.old.count } }

  private func put(_ folded: FoldedStream<D>, as stream: StreamName, into entries: inout Entries) {
    if entries.young.count >= capacity / 2 {
      entries.old = entries.young
      entries.young = [:]
    }
    entries.young[stream] = folded
  }
}

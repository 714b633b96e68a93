import Synchronization
import Vocabulary

/// The states that were used last, at most ``capacity`` of them.
final class StateCache<D: Decider>: Sendable {
  private struct Entry {
    var folded: FoldedStream<D>
    var used: Int
  }

  private struct Entries {
    var byStream: [StreamName: Entry] = [:]
    var clock = 0
  }

  let capacity: Int
  private let entries = Mutex(Entries())

  init(capacity: Int) { self.capacity = max(capacity, 1) }

  func state(of stream: StreamName) -> FoldedStream<D>? {
    entries.withLock { entries in
      entries.clock += 1
      entries.byStream[stream]?.used = entries.clock
      return entries.byStream[stream]?.folded
    }
  }

  /// Remembers a state, unless a later one is known.
  func remember(_ folded: FoldedStream<D>, of stream: StreamName) {
    entries.withLock { entries in
      if let known = entries.byStream[stream]?.folded, known.version > folded.version { return }
      entries.clock += 1
      entries.byStream[stream] = Entry(folded: folded, used: entries.clock)
      guard entries.byStream.count > capacity else { return }
      // A tenth at a time, so that looking for the oldest is rare.
      let oldest = entries.byStream.sorted { $0.value.used < $1.value.used }.prefix(capacity / 10 + 1)
      for (stream, _) in oldest { entries.byStream[stream] = nil }
    }
  }

  func forget(_ stream: StreamName) {
    entries.withLock { _ = $0.byStream.removeValue(forKey: stream) }
  }

  var count: Int { entries.withLock { $0.byStream.count } }
}

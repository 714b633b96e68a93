import Synchronization
import Vocabulary

/// The states that were used last, at most `capacity` of them.
final class StateCache<D: Decider>: Sendable {
  private let states: Mutex<RecentlyUsed<StreamName, FoldedStream<D>>>

  init(capacity: Int) { states = Mutex(RecentlyUsed(capacity: capacity)) }

  func state(of stream: StreamName) -> FoldedStream<D>? {
    states.withLock { $0.value(of: stream) }
  }

  /// Remembers a state, unless a later one is known.
  func remember(_ folded: FoldedStream<D>, of stream: StreamName) {
    states.withLock { states in
      states.update(stream, default: folded) { known in
        if known.version < folded.version { known = folded }
      }
    }
  }

  func forget(_ stream: StreamName) {
    states.withLock { $0.remove(stream) }
  }
}

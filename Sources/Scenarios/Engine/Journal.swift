import Synchronization
import Vocabulary

/// Every request of a run and every answer to it, for the checks: the recorder keeps what a report shows, this keeps
/// what a promise is held against.
final class Journal: Sendable {
  /// One request, sent once or several times at once.
  struct Exchange: Sendable {
    let buyer: Int
    let request: BuyerRequest
    /// The scenario's clock.
    let simulatedAt: Timestamp
    /// One for each copy.
    var answers: [BuyerAnswer]
    /// The log had at least this many events when the request was sent.
    var headBefore: Int64
    /// And at most this many when the refusal came; nil if nobody asked.
    var headAfter: Int64?
    /// When it was sent, and when all copies were answered.
    let startMicroseconds: Int64
    let endMicroseconds: Int64

    /// What the buyer goes by: a success if there was one.
    var answer: BuyerAnswer {
      answers.first { $0.verdict == .done } ?? answers.first ?? .error("no-answer")
    }
  }

  private let entries = Mutex<[Exchange]>([])
  private let head = Atomic<Int64>(0)

  func note(_ exchange: Exchange) { entries.withLock { $0.append(exchange) } }

  var exchanges: [Exchange] { entries.withLock { $0 } }

  /// The furthest position that any answer has told of.
  var knownHead: Int64 { head.load(ordering: .relaxed) }

  func learned(_ position: Int64) { head.max(position, ordering: .relaxed) }
}

import Histogram
import Synchronization

/// Takes down what happens during a run. Any number of tasks call it at once.
///
/// Records go to one of sixteen shards by the caller's buyer, each with its own lock, so that a hundred thousand
/// records from hundreds of tasks do not queue behind each other; locks are held for a few appends and never
/// across a suspension.
public final class RunRecorder: Sendable {
  public typealias LatencyHistogram = Histogram<UInt64>

  /// What is measured one by one.
  public enum Operation: String, CaseIterable, Hashable, Sendable, Codable {
    /// A buyer's whole action, from the first request to the last answer.
    case attempt
    case hold
    case order
    case cancel
    case ask
    case join
    case seeOffer = "see-offer"
    case giveBack = "give-back"
    case transfer
    /// A look at the seats over HTTP.
    case poll
    /// A place in a waiting room: taken, looked at or given up, over HTTP.
    case door
    // Whole operations of terminals.
    case findOpenSeats = "find-open-seats"
    case newReservation = "new-reservation"
    case updateReservation = "update-reservation"
    case updateCustomer = "update-customer"
    case findFlights = "find-flights"
    case deleteReservation = "delete-reservation"
    /// One order of events around a payment, from the hold to its last event.
    case interleaving

    var index: Int { Self.indices[self] ?? 0 }

    private static let indices = Dictionary(
      uniqueKeysWithValues: allCases.enumerated().map { ($0.element, $0.offset) })
  }

  private let shards: [Shard]
  private let start = ContinuousClock.now
  /// How many attempts there will be; 0 if unknown.
  public let expectedAttempts: Int

  public init(expectedAttempts: Int) {
    self.expectedAttempts = expectedAttempts
    shards = (0..<16).map { _ in Shard() }
  }

  public convenience init(for plan: ScenarioPlan) {
    self.init(expectedAttempts: plan.actionCount)
  }

  /// Real time since the recorder was made, in microseconds: the time base of every attempt.
  public var elapsedMicroseconds: Int64 { start.duration(to: .now).microseconds }

  /// Takes down a finished attempt; its duration is recorded as ``Operation/attempt``.
  ///
  /// `lane` is the buyer's index, or any number that differs between tasks.
  public func record(_ attempt: Attempt, lane: Int) {
    shard(lane).content.withLock { content in
      content.attempts.append(attempt)
      content.counts[attempt.outcome, default: 0] += 1
      content.conflicts += attempt.conflicts
      content.measure(.attempt, attempt.endMicroseconds - attempt.startMicroseconds)
    }
  }

  /// Takes down how long one request took.
  public func measure(_ operation: Operation, _ duration: Duration, lane: Int) {
    shard(lane).content.withLock { $0.measure(operation, duration.microseconds) }
  }

  /// How far the run is. Cheap enough for ten times a second.
  public var progress: RunProgress {
    var progress = RunProgress(expected: expectedAttempts, elapsedMicroseconds: elapsedMicroseconds)
    for shard in shards {
      shard.content.withLock { content in
        progress.done += content.attempts.count
        progress.winners += content.counts[.won, default: 0]
        progress.refused += content.counts[.refused, default: 0]
        progress.errors += content.counts[.error, default: 0]
        progress.conflicts += content.conflicts
      }
    }
    return progress
  }

  /// Everything recorded so far, attempts in the order in which they began.
  public func recording() -> Recording {
    var attempts: [Attempt] = []
    var latencies: [Operation: LatencyHistogram] = [:]
    for shard in shards {
      let (found, measured) = shard.content.withLock { ($0.attempts, $0.histograms) }
      attempts += found
      for operation in Operation.allCases {
        guard let histogram = measured[operation.index] else { continue }
        if latencies[operation] == nil {
          latencies[operation] = histogram
        } else {
          latencies[operation]?.add(histogram)
        }
      }
    }
    attempts.sort { ($0.startMicroseconds, $0.buyer) < ($1.startMicroseconds, $1.buyer) }
    return Recording(attempts: attempts, latencies: latencies, elapsedMicroseconds: elapsedMicroseconds)
  }

  private func shard(_ lane: Int) -> Shard {
    shards[Int(UInt(bitPattern: lane) % UInt(shards.count))]
  }

  private final class Shard: Sendable {
    let content = Mutex(Content())
  }

  private struct Content {
    var attempts: [Attempt] = []
    var counts: [Attempt.Outcome: Int] = [:]
    var conflicts = 0
    /// By ``Operation/index``; made when first used, since one takes about 200 KB.
    var histograms: [LatencyHistogram?] = Array(repeating: nil, count: Operation.allCases.count)

    mutating func measure(_ operation: Operation, _ microseconds: Int64) {
      if histograms[operation.index] == nil { histograms[operation.index] = LatencySummary.emptyHistogram() }
      histograms[operation.index]?.record(UInt64(max(0, microseconds)))
    }
  }
}

/// What a ``RunRecorder`` has taken down.
public struct Recording: Sendable {
  public let attempts: [Attempt]
  public let latencies: [RunRecorder.Operation: RunRecorder.LatencyHistogram]
  public let elapsedMicroseconds: Int64
}

/// How far a run is.
public struct RunProgress: Hashable, Sendable {
  /// 0 if unknown.
  public var expected: Int
  public var elapsedMicroseconds: Int64
  public var done = 0
  public var winners = 0
  public var refused = 0
  public var errors = 0
  public var conflicts = 0

  public init(expected: Int, elapsedMicroseconds: Int64) {
    self.expected = expected
    self.elapsedMicroseconds = elapsedMicroseconds
  }

  /// Attempts per second so far.
  public var rate: Double {
    elapsedMicroseconds > 0 ? Double(done) * 1_000_000 / Double(elapsedMicroseconds) : 0
  }
}

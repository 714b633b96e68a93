import Logging
import PostgreSQL

/// What a failing batch means for the next one.
struct FailureMemory: Sendable {
  private var position: Position?
  private(set) var tries = 0

  /// 50 ms, doubled with each failure at the same place, five seconds at most.
  var pause: Duration { min(.milliseconds(50) * (1 << min(max(tries, 1) - 1, 7)), .seconds(5)) }

  mutating func failed(at position: Position) {
    tries = self.position == position ? tries + 1 : 1
    self.position = position
  }
}

extension PartitionRunner {
  /// Tries alone after which a subscription that must not pass its culprit counts as stopped.
  static let triesBeforeStopped = 3

  enum Verdict: Sendable {
    /// Try again after a pause.
    case again(after: Duration)
    /// The culprit is parked.
    case passed(Checkpoint)
  }

  /// Records a failure and decides how to go on: a batch with a poisonous event is taken apart until the culprit
  /// stands alone, and a culprit that no try takes is parked if the subscription says so.
  func judge(
    _ failure: BatchFailure, _ checkpoint: Checkpoint, _ pace: inout Pace, _ memory: inout FailureMemory,
    _ logger: Logger
  ) async -> Verdict {
    memory.failed(at: checkpoint.position)
    let kind = FailureKind(of: failure.error)
    let isAlone = failure.events.count == 1
    let message = describe(failure, isAlone: isAlone)
    logger.error("\(message)", metadata: ["position": "\(checkpoint.position)"])
    switch kind {
    case .transient:
      // Perhaps the batch is more than can be done before a time-out.
      if memory.tries > 1 { pace.limit = max(1, pace.limit / 2) }
      await record(message, checkpoint, isolated: false, logger)
      return .again(after: memory.pause)
    case .poison, .systemic:
      guard isAlone, let culprit = failure.events.first else {
        pace.limit = 1
        await record(message, checkpoint, isolated: failure.events.isEmpty, logger)
        return .again(after: failure.events.isEmpty ? memory.pause : .zero)
      }
      guard kind == .poison, case .park(let limit) = subscription.onPoison else {
        await record(message, checkpoint, isolated: true, logger)
        return .again(after: memory.pause)
      }
      let attempts = await record(message, checkpoint, isolated: true, stopsAfter: .max, logger) ?? 0
      guard attempts >= limit else { return .again(after: memory.pause) }
      do {
        if let passed = try await park(culprit, checkpoint, error: message, attempts: attempts) {
          logger.error(
            "stream \(culprit.stream) is parked; see: aisle projections parked \(subscription.name)",
            metadata: ["position": "\(culprit.position)", "type": "\(culprit.type)"])
          return .passed(passed)
        }
        logger.error(
          "stopped: \(Subscription.maximumParkedStreams) streams are parked already, so the handler is at fault"
        )
        await record(message, checkpoint, isolated: false, stopsAfter: 0, logger)
      } catch {
        logger.warning("the stream could not be parked", metadata: ["error": "\(error)"])
      }
      return .again(after: memory.pause)
    }
  }

  private func describe(_ failure: BatchFailure, isAlone: Bool) -> String {
    guard isAlone, let event = failure.events.first else { return "\(failure.error)" }
    return "\(failure.error) [\(event.type) at position \(event.position) of \(event.stream)]"
  }

  @discardableResult
  private func record(
    _ error: String, _ checkpoint: Checkpoint, isolated: Bool, stopsAfter limit: Int = triesBeforeStopped,
    _ logger: Logger
  ) async -> Int? {
    do {
      return try await store.pool.withConnection {
        try await checkpoints.record(error, of: checkpoint, isolated: isolated, stopsAfter: limit, on: $0)
      }
    } catch {
      logger.warning("the error could not be recorded", metadata: ["error": "\(error)"])
      return nil
    }
  }
}

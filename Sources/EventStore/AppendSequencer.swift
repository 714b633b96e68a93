import Logging
import PostgreSQL
import Synchronization
import Vocabulary

/// Groups the appends that arrive while batches are under way into the next batch: one call, one commit, one
/// flush of the WAL for all of them. Under no load an append is sent at once; under load batches grow by
/// themselves.
final class AppendSequencer: Sendable {
  typealias Reply = CheckedContinuation<Result<AppendOutcome, AppendError>, Never>

  private let pool: PostgresPool
  private let tenant: TenantID
  private let logger: Logger
  private let retryFor: Duration
  private let inline: InlineProjections?
  private let queue: Mutex<AppendQueue<Reply>>

  init(
    pool: PostgresPool, tenant: TenantID, limits: AppendQueue<Reply>.Limits, retryFor: Duration,
    inline: InlineProjections? = nil, logger: Logger
  ) {
    self.inline = inline
    self.pool = pool
    self.tenant = tenant
    self.retryFor = retryFor
    self.logger = logger
    queue = Mutex(AppendQueue(limits: limits))
  }

  /// Waits for its turn and its answer. Not cancelled with its task: the answer says what happened.
  func append(_ append: AtomicAppend) async throws(AppendError) -> AppendOutcome {
    try append.validate()
    let result = await withCheckedContinuation { reply in
      switch queue.withLock({ $0.admit(.init(append: append, reply: reply)) }) {
      case .queued: break
      case .overloaded(let waiting): reply.resume(returning: .failure(.overloaded(waiting: waiting)))
      case .startSending:
        // A lane. It ends by itself when the queue is empty, and prefers the poll thread, so that between two batches there
        // is no thread hop.
        Task(executorPreference: pool.thread) { await self.sendUntilEmpty() }
      }
    }
    return try result.get()
  }

  private func sendUntilEmpty() async {
    var sent = 0
    while true {
      if sent > 1 { await gather(after: sent) }
      let batch = queue.withLock { $0.nextBatch(after: sent) }
      guard !batch.isEmpty else { return }
      await send(batch)
      sent = batch.count
    }
  }

  /// At most so long does a batch wait for those who were just answered.
  private static let longestGathering = Duration.microseconds(150)

  private func gather(after sent: Int) async {
    let deadline = ContinuousClock.now + Self.longestGathering
    // Too short for a timer. Connections go on meanwhile: yielding lets everything else on the thread run.
    while queue.withLock({ $0.mayGrow(after: sent) }), ContinuousClock.now < deadline { await Task.yield() }
  }

  /// Sends a batch; if the database refuses it as a whole, halves it until the culprit stands alone.
  private func send(_ batch: [AppendQueue<Reply>.Entry], sentBefore: Bool = false) async {
    let attempt = AppendBatch(batch.map(\.append), tenant: tenant)
    do {
      let outcomes = try await deliver(attempt, sentBefore: sentBefore)
      for (entry, outcome) in zip(batch, outcomes) { entry.reply.resume(returning: outcome) }
    } catch  where batch.count > 1 && error.isOfTheData {
      let sentBefore = error.wasSentBefore
      await send(Array(batch[..<(batch.count / 2)]), sentBefore: sentBefore)
      await send(Array(batch[(batch.count / 2)...]), sentBefore: sentBefore)
    } catch {
      let result: Result<AppendOutcome, AppendError> =
        switch error {
        case .rejected(let error, _) where error.sqlState == .uniqueViolation: .failure(.eventIDReused)
        case .rejected(let error, _): .failure(.rejected(error))
        case .refused(let refusal, _):
          .failure(.refused(projection: refusal.projection, error: "\(refusal.error)"))
        case .notSent(let error): .failure(.unavailable(error))
        case .unknown(let error): .success(.unknown(error))
        }
      for entry in batch { entry.reply.resume(returning: result) }
    }
  }

  /// A connection that stands still must not keep the queue waiting for ever.
  private static let longestSilence = Duration.seconds(30)

  private enum DeliveryError: Error {
    /// The data is at fault: nothing of the batch is stored.
    case rejected(PostgresError, sentBefore: Bool)
    /// An inline projection cannot handle the data: nothing of the batch is stored.
    case refused(InlineProjections.Refusal, sentBefore: Bool)
    /// It never left this process, or the server could not do it at all: nothing of the batch is stored.
    case notSent(PostgresError)
    /// It was sent and the answer is lost.
    case unknown(PostgresError)

    /// Whether a part of the batch may well be accepted.
    var isOfTheData: Bool {
      switch self {
      case .rejected, .refused: true
      case .notSent, .unknown: false
      }
    }

    var wasSentBefore: Bool {
      switch self {
      case .rejected(_, let sentBefore), .refused(_, let sentBefore): sentBefore
      case .notSent, .unknown: false
      }
    }
  }

  /// Sends the batch until there is an answer or the time is up. Sending again is safe: what an earlier try has
  /// stored is recognised by its event ids.
  private func deliver(
    _ batch: AppendBatch, sentBefore: Bool
  ) async throws(DeliveryError) -> [Result<AppendOutcome, AppendError>] {
    let deadline = ContinuousClock.now + retryFor
    var sentBefore = sentBefore
    var pause = Duration.milliseconds(20)
    var hasMadeRoom = false
    while true {
      do {
        let rows: Rows
        if let inline {
          rows = try await inline.append(batch.sql)
        } else {
          rows = try await pool.query(batch.sql, timeout: Self.longestSilence)
        }
        let outcomes = try batch.outcomes(rows)
        return sentBefore ? outcomes.map(Self.afterResending) : outcomes
      } catch let error as PostgresError {
        let mayBeStored = error.isConnectionLost || error.kind == .timedOut || error.kind == .decoding
        let mayPass = mayBeStored || error.sqlState?.isRetryable == true || error.kind == .connectFailed
        sentBefore = sentBefore || mayBeStored
        if error.sqlState == .checkViolation, !hasMadeRoom {
          // The last partition is full: nobody looked after the log for a long time.
          hasMadeRoom = true
          _ = try? await pool.query("select aisle.add_event_partitions()")
          continue
        }
        guard mayPass, ContinuousClock.now < deadline else {
          if error.kind == .server, error.sqlState?.isCausedByInput == true {
            throw .rejected(error, sentBefore: sentBefore)
          }
          throw sentBefore ? .unknown(error) : .notSent(error)
        }
        logger.warning("append batch is sent again", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(500))
      } catch let refusal as InlineProjections.Refusal {
        throw .refused(refusal, sentBefore: sentBefore)
      } catch {
        // Only cancellation is left, and nothing cancels this task.
        throw .unknown(PostgresError(.client, "\(error)"))
      }
    }
  }

  private static func afterResending(
    _ result: Result<AppendOutcome, AppendError>
  ) -> Result<AppendOutcome, AppendError> {
    switch result {
    case .success(.duplicate(let receipt)):
      // What we find stored now, we stored ourselves.
      .success(.committed(receipt))
    case .success(.conflict(let conflict)) where conflict.mayPassLater:
      // The first try may still wait in a server that has not noticed that we are gone, and be right by then.
      .success(
        .unknown(
          PostgresError(.connectionLost, "the connection was lost; sent again, the append was a conflict")))
    default: result
    }
  }
}

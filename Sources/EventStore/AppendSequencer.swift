import Logging
import PostgreSQL
import Synchronization
import Vocabulary

/// Groups the appends that arrive while a batch is in flight into the next batch: one call, one commit, one
/// flush of the WAL for all of them. Under no load an append is sent at once; under load batches grow by
/// themselves.
final class AppendSequencer: Sendable {
  typealias Reply = CheckedContinuation<Result<AppendOutcome, AppendError>, Never>

  private let pool: PostgresPool
  private let tenant: TenantID
  private let logger: Logger
  private let retryFor: Duration
  private let queue: Mutex<AppendQueue<Reply>>

  init(
    pool: PostgresPool, tenant: TenantID, limits: AppendQueue<Reply>.Limits, retryFor: Duration, logger: Logger
  ) {
    self.pool = pool
    self.tenant = tenant
    self.retryFor = retryFor
    self.logger = logger
    queue = Mutex(AppendQueue(limits: limits))
  }

  /// Waits for its turn and its answer. Not cancelled with its task: the answer says what happened.
  func append(_ append: [StreamAppend]) async throws(AppendError) -> AppendOutcome {
    try append.validate()
    let result = await withCheckedContinuation { reply in
      switch queue.withLock({ $0.admit(.init(append: append, reply: reply)) }) {
      case .queued: break
      case .overloaded(let waiting): reply.resume(returning: .failure(.overloaded(waiting: waiting)))
      case .startSending:
        // Ends by itself when the queue is empty. It prefers the poll thread, so that between two batches
        // there is no thread hop.
        Task(executorPreference: pool.thread) { await self.sendUntilEmpty() }
      }
    }
    return try result.get()
  }

  private func sendUntilEmpty() async {
    while true {
      let batch = queue.withLock { $0.nextBatch() }
      guard !batch.isEmpty else { return }
      await send(batch)
    }
  }

  /// Sends a batch; if the database refuses it as a whole, halves it until the culprit stands alone.
  private func send(_ batch: [AppendQueue<Reply>.Entry]) async {
    let attempt = AppendBatch(batch.map(\.append), tenant: tenant)
    do {
      let outcomes = try await deliver(attempt)
      for (entry, outcome) in zip(batch, outcomes) { entry.reply.resume(returning: outcome) }
    } catch DeliveryError.rejected where batch.count > 1 {
      await send(Array(batch[..<(batch.count / 2)]))
      await send(Array(batch[(batch.count / 2)...]))
    } catch {
      let result: Result<AppendOutcome, AppendError> =
        switch error {
        case .rejected(let error) where error.sqlState == .uniqueViolation: .failure(.eventIDReused)
        case .rejected(let error): .failure(.rejected(error))
        case .notSent(let error): .failure(.unavailable(error))
        case .unknown(let error): .success(.unknown(error))
        }
      for entry in batch { entry.reply.resume(returning: result) }
    }
  }

  private enum DeliveryError: Error {
    /// The server answered with an error: nothing of the batch is stored.
    case rejected(PostgresError)
    /// It never left this process.
    case notSent(PostgresError)
    /// It was sent and the answer is lost.
    case unknown(PostgresError)
  }

  /// Sends the batch until there is an answer or the time is up. Sending again is safe: what an earlier try has
  /// stored is recognised by its event ids.
  private func deliver(_ batch: AppendBatch) async throws(DeliveryError) -> [Result<AppendOutcome, AppendError>] {
    let deadline = ContinuousClock.now + retryFor
    var sentBefore = false
    var pause = Duration.milliseconds(20)
    while true {
      do {
        let rows = try await pool.query(batch.sql)
        let outcomes = try batch.outcomes(rows)
        guard sentBefore else { return outcomes }
        // What we find stored now, we stored ourselves.
        return outcomes.map { result in
          if case .success(.duplicate(let receipt)) = result { .success(.committed(receipt)) } else { result }
        }
      } catch let error as PostgresError {
        let mayBeStored = error.isConnectionLost || error.kind == .timedOut || error.kind == .decoding
        let mayPass = mayBeStored || error.sqlState?.isRetryable == true || error.kind == .connectFailed
        sentBefore = sentBefore || mayBeStored
        guard mayPass, ContinuousClock.now < deadline else {
          if sentBefore { throw .unknown(error) }
          if error.kind == .server { throw .rejected(error) }
          throw .notSent(error)
        }
        logger.warning("append batch is sent again", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(500))
      } catch {
        // Only cancellation is left, and nothing cancels this task.
        throw .unknown(PostgresError(.client, "\(error)"))
      }
    }
  }
}

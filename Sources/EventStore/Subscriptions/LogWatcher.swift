import Logging
import PostgreSQL
import Synchronization
import Vocabulary

/// Wakes subscribers when the log has grown: by `NOTIFY` at once, by polling after a second at the latest.
///
/// It listens on a connection of its own. When that is lost it connects again and wakes everybody, because
/// messages may have been missed.
public final class LogWatcher: Sendable {
  private struct State {
    var head = Position.start
    var nextWaiter: UInt64 = 0
    var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
  }

  private let pool: PostgresPool
  private let tenant: TenantID
  private let vault: SubjectVault
  private let logger: Logger
  private let pollInterval: Duration
  private let state = Mutex(State())

  public init(of store: EventStore, pollInterval: Duration = .seconds(1)) {
    pool = store.pool
    tenant = store.tenant
    vault = store.vault
    logger = store.logger
    self.pollInterval = pollInterval
  }

  /// Listens until the task is cancelled.
  public func run() async {
    while !Task.isCancelled {
      do {
        let connection = try await PostgresConnection.connect(pool.configuration, on: pool.thread)
        do {
          try await connection.listen(to: "aisle_log")
          try await connection.listen(to: SubjectVault.channel)
          wakeAll()
          vault.doubt()
          while !Task.isCancelled {
            if let message = try await connection.nextNotification(within: .seconds(30)) { received(message) }
          }
        } catch {
          await connection.close()
          throw error
        }
        await connection.close()
      } catch {
        if Task.isCancelled { return }
        logger.warning("not listening for new events, polling", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: .milliseconds(500))
      }
    }
  }

  /// Returns when the log may have grown beyond a position, or it is time to look anyway.
  public func wait(beyond position: Position) async {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    var timeout: Task<Void, Never>?
    defer { timeout?.cancel() }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = state.withLock { state in
          guard state.head <= position, !Task.isCancelled else { return true }
          state.waiters[id] = continuation
          return false
        }
        guard !now else { return continuation.resume() }
        // Not before the waiter stands in line: the time may be over at once, and would then wake nobody.
        timeout = Task { [pollInterval] in
          try? await Task.sleep(for: pollInterval)
          wake(id)
        }
      }
    } onCancel: {
      wake(id)
    }
  }

  /// The payload is `tenant head`.
  private func received(_ message: PostgresConnection.Notification) {
    if message.channel == SubjectVault.channel {
      if message.payload == "\(tenant.rawValue)" { vault.doubt() }
      return
    }
    let parts = message.payload.split(separator: " ")
    guard parts.count == 2, Int32(parts[0]) == tenant.rawValue, let head = Int64(parts[1]) else { return }
    let waiters = state.withLock { state in
      state.head = max(state.head, Position(head))
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume() }
  }

  /// After a connection was made: messages may have been missed, and after a fail-over that lost commits the log may
  /// even be shorter than it was. Everybody looks for themselves.
  private func wakeAll() {
    let waiters = state.withLock { state in
      state.head = .start
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume() }
  }

  private func wake(_ id: UInt64) {
    state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
  }
}

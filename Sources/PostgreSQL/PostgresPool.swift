import Logging
import Synchronization

/// A bounded set of connections that share one ``PollThread``.
///
/// Connections are made on demand, handed out warmest first, checked before use when they have been idle, and
/// thrown away when they broke or came back inside a transaction. A caller that has waited for `acquireTimeout`
/// gets a `poolExhausted` error.
public final class PostgresPool: Sendable {
  public let configuration: PostgresConfiguration
  public let size: Int
  /// The thread that every connection of this pool runs on; a hot loop may prefer it as its task executor.
  public let thread: PollThread
  private let acquireTimeout: Duration
  private let logger: Logger
  private let state: Mutex<PoolState<PostgresConnection, CheckedContinuation<Grant, any Error>>>
  private let nextWaiter = Atomic<UInt64>(0)

  /// What a waiting caller receives: a connection, or the right to make one.
  private enum Grant: Sendable {
    case use(PostgresConnection)
    case connect
  }

  public init(
    _ configuration: PostgresConfiguration, size: Int = 16, acquireTimeout: Duration = .seconds(15),
    logger: Logger = Logger(label: "aisle.postgres")
  ) throws(PostgresError) {
    self.configuration = configuration
    self.size = max(1, size)
    self.acquireTimeout = acquireTimeout
    self.logger = logger
    thread = try PollThread()
    state = Mutex(PoolState(size: max(1, size), maximumWaiters: 10_000))
  }

  deinit { thread.stop() }

  // MARK: Statements

  @discardableResult
  public func query(_ statement: SQL, timeout: Duration? = nil) async throws -> Rows {
    try await withConnection { try await $0.query(statement, timeout: timeout) }
  }

  @discardableResult
  public func execute(_ statement: SQL, timeout: Duration? = nil) async throws -> Int {
    try await query(statement, timeout: timeout).affected
  }

  /// Runs `body` in one transaction: committed if it returns, rolled back if it throws. When the connection is
  /// lost during `commit`, the error's ``PostgresError/isConnectionLost`` says that the outcome is unknown.
  public func transaction<T: Sendable>(
    _ body: (PostgresConnection) async throws -> T
  ) async throws -> T {
    try await withConnection { connection in
      try await connection.transaction { try await body(connection) }
    }
  }

  // MARK: Leases

  /// Lends a connection to `body` alone.
  public func withConnection<T: Sendable>(
    _ body: (PostgresConnection) async throws -> T
  ) async throws -> T {
    let connection = try await lease()
    do {
      let value = try await body(connection)
      await giveBack(connection)
      return value
    } catch {
      await giveBack(connection)
      throw error
    }
  }

  private func lease() async throws -> PostgresConnection {
    while true {
      switch state.withLock({ $0.lease() }) {
      case .use(let connection, let since):
        if await isHealthy(connection, idleSince: since) { return connection }
        await discard(connection)
      case .connect: return try await connect()
      case .refuse(let error): throw error
      case .wait:
        switch try await wait() {
        case .use(let connection):
          if await connection.isUsable { return connection }
          await discard(connection)
        case .connect: return try await connect()
        }
      }
    }
  }

  private func connect() async throws -> PostgresConnection {
    do {
      return try await PostgresConnection.connect(configuration, on: thread)
    } catch {
      let next = state.withLock { $0.lost() }
      next?.resume(returning: .connect)
      if !(error is CancellationError) {
        logger.warning("could not connect to the database", metadata: ["error": "\(error)"])
      }
      throw error
    }
  }

  private func wait() async throws -> Grant {
    let id = nextWaiter.add(1, ordering: .relaxed).newValue
    let timeout = Task { [acquireTimeout] in
      try await Task.sleep(for: acquireTimeout)
      expire(id)
    }
    defer { timeout.cancel() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        // Between `lease()` and here a connection may have come free: ask again under the lock.
        let grant: PoolState<PostgresConnection, CheckedContinuation<Grant, any Error>>.Lease = state.withLock
        {
          let lease = Task.isCancelled ? .refuse(PostgresError(.closed, "cancelled")) : $0.lease()
          if case .wait = lease { $0.enqueue(continuation, id: id) }
          return lease
        }
        switch grant {
        case .wait: break
        case .use(let connection, _): continuation.resume(returning: .use(connection))
        case .connect: continuation.resume(returning: .connect)
        case .refuse(let error):
          continuation.resume(throwing: Task.isCancelled ? CancellationError() : error)
        }
      }
    } onCancel: {
      state.withLock { $0.remove(waiter: id) }?.resume(throwing: CancellationError())
    }
  }

  private func expire(_ id: UInt64) {
    let error = PostgresError(
      .poolExhausted, "all \(size) database connections stayed busy for \(acquireTimeout)",
      hint: "Raise the pool's size, or look for long transactions")
    state.withLock { $0.remove(waiter: id) }?.resume(throwing: error)
  }

  private func isHealthy(_ connection: PostgresConnection, idleSince: ContinuousClock.Instant) async -> Bool {
    guard await connection.isUsable else { return false }
    guard await connection.hasUnreadInput || idleSince.duration(to: .now) > .seconds(60) else { return true }
    return (try? await connection.query("select 1", timeout: .seconds(5))) != nil
  }

  private func giveBack(_ connection: PostgresConnection) async {
    guard await connection.isReusable else { return await discard(connection) }
    switch state.withLock({ $0.giveBack(connection, at: .now) }) {
    case .handOver(let waiter, let connection): waiter.resume(returning: .use(connection))
    case .keep: break
    case .close: await connection.close()
    }
  }

  private func discard(_ connection: PostgresConnection) async {
    await connection.close()
    let next = state.withLock { $0.lost() }
    next?.resume(returning: .connect)
  }

  /// Closes idle connections now and the others when they come back; callers in line get an error.
  public func close() async {
    let (connections, waiters) = state.withLock { $0.close() }
    for waiter in waiters { waiter.resume(throwing: PostgresError(.closed, "the connection pool is closed")) }
    for connection in connections { await connection.close() }
  }
}

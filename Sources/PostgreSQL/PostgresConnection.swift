import CLibpq
import Glibc
import Synchronization

/// One connection to PostgreSQL through libpq in non-blocking mode.
///
/// The actor runs on its ``PollThread``, the only thread that ever touches the `PGconn`. At each `await` inside a
/// statement another caller may enter the actor; ``exclusively(_:)`` makes such callers queue, first come first
/// served, so that statements never mix on the wire.
public actor PostgresConnection {
  public nonisolated let thread: PollThread
  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  private let handle: OpenConnection.Handle
  private var connection: OpaquePointer { handle.connection }
  let socket: Int32
  private let cancellation: QueryCancellation
  private var isOpen = true
  private var isBusy = false
  private var queue: [CheckedContinuation<Void, Never>] = []
  /// By text; a text has several statements when its parameters were of different types.
  private var prepared: [String: [PreparedStatement]] = [:]
  private var preparedCount = 0
  private var patience = StatementPatience()
  private var notifications: [Notification] = []
  /// The server's time-out for statements, as far as is known here; nil if there is none.
  private var statementTimeout: Duration?
  /// Until the end of the transaction there is no limit.
  private var isUnlimited = false

  private struct PreparedStatement {
    let name: String
    let types: [UInt32]
  }

  /// A message of `NOTIFY`.
  public struct Notification: Sendable, Hashable {
    public let channel: String
    public let payload: String
  }

  /// Connects on a thread of its own: name look-up and the TLS handshake of libpq block.
  public static func connect(
    _ configuration: PostgresConfiguration, on thread: PollThread
  ) async throws -> PostgresConnection {
    let opened = try await BlockingThread.run { OpenConnection(configuration) }
    let connection = PostgresConnection(
      try opened.get(), statementTimeout: configuration.statementTimeout, thread: thread)
    if let script = configuration.startScript {
      do {
        try await connection.executeScript(script, timeout: configuration.connectTimeout)
      } catch {
        await connection.close()
        throw error
      }
    }
    return connection
  }

  private init(_ opened: OpenConnection.Handle, statementTimeout: Duration?, thread: PollThread) {
    handle = opened
    self.statementTimeout = statementTimeout
    socket = PQsocket(opened.connection)
    cancellation = QueryCancellation(of: opened.connection)
    self.thread = thread
  }

  /// Closes the connection; an open transaction rolls back on the server. A statement under way fails first and
  /// only then is the connection freed.
  public func close() {
    guard isOpen else { return }
    isOpen = false
    if isBusy {
      _ = shutdown(socket, Int32(SHUT_RDWR))
      thread.interrupt(socket)
    } else {
      handle.finish()
    }
  }

  // MARK: Statements

  /// Runs one statement, prepared on its first use, and returns its rows. When the time-out has passed, it is
  /// cancelled on the server.
  @discardableResult
  public func query(
    _ statement: SQL, timeout: Duration? = nil
  ) async throws -> Rows {
    try await exclusively {
      let deadline = timeout.map { ContinuousClock.now + $0 }
      let name = try await prepare(statement, by: deadline)
      let sent = statement.parameters.withBindArrays { values, lengths, formats in
        PQsendQueryPrepared(
          connection, name, Int32(statement.parameters.count), values, lengths, formats, 1)
      }
      guard sent == 1 else { throw lost() }
      return Rows(result: try await finish(by: deadline))
    }
  }

  /// Runs one statement and tells how many rows it changed.
  @discardableResult
  public func execute(_ statement: SQL, timeout: Duration? = nil) async throws -> Int {
    try await query(statement, timeout: timeout).affected
  }

  /// Runs a text of one or several statements, without parameters; for migrations and session settings.
  public func executeScript(_ text: String, timeout: Duration? = nil) async throws {
    try await exclusively {
      let deadline = timeout.map { ContinuousClock.now + $0 }
      guard PQsendQuery(connection, text) == 1 else { throw lost() }
      _ = try await finish(by: deadline)
    }
  }

  /// From here to the end of the transaction statements may take as long as they need.
  public func liftStatementTimeout() async throws {
    try await executeScript("set local statement_timeout = 0")
    isUnlimited = true
  }

  /// For every statement from here on, on the server and here.
  public func setStatementTimeout(_ timeout: Duration) async throws {
    try await executeScript("set statement_timeout = \(timeout.milliseconds)", timeout: timeout)
    statementTimeout = timeout
  }

  /// When a statement that begins now has taken too long.
  private func deadline(_ own: ContinuousClock.Instant?) -> ContinuousClock.Instant? {
    if let own { return own }
    if isUnlimited { return nil }
    let limit = StatementLimit.current ?? statementTimeout.map { $0 + min(StatementLimit.transit, $0) }
    return limit.map { ContinuousClock.now + $0 }
  }

  private func prepare(_ statement: SQL, by deadline: ContinuousClock.Instant?) async throws -> String {
    for known in prepared[statement.text] ?? []
    where known.types.elementsEqual(statement.parameters.lazy.map(\.typeOID)) {
      return known.name
    }
    // Never used again, also if this fails: nobody knows whether a cancelled server has kept it.
    preparedCount += 1
    let name = "s\(preparedCount)"
    let types = statement.parameters.map(\.typeOID)
    guard PQsendPrepare(connection, name, statement.text, Int32(types.count), types) == 1 else {
      throw lost()
    }
    _ = try await finish(by: deadline)
    prepared[statement.text, default: []].append(PreparedStatement(name: name, types: types))
    return name
  }

  // MARK: Notifications

  /// Subscribes to a channel. Messages arrive through ``nextNotification(within:)``.
  public func listen(to channel: String) async throws {
    let quoted =
      "\"" + channel.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    try await executeScript("listen \(quoted)")
  }

  /// Waits for the next message; nil when none came in time. Throws when the connection is lost, so that a
  /// subscriber never goes deaf silently.
  public func nextNotification(within timeout: Duration) async throws -> Notification? {
    try await exclusively {
      let deadline = ContinuousClock.now + timeout
      while true {
        guard isOpen, PQconsumeInput(connection) == 1 else { throw lost() }
        collectNotifications()
        if !notifications.isEmpty { return notifications.removeFirst() }
        try Task.checkCancellation()
        let readiness = await withTaskCancellationHandler {
          await thread.readiness(of: socket, for: .read, until: deadline, unlessCancelled: true)
        } onCancel: {
          thread.interrupt(socket)
        }
        switch readiness {
        case .ready, .interrupted: continue
        case .deadlinePassed: return nil
        }
      }
    }
  }

  private func collectNotifications() {
    while let notify = PQnotifies(connection) {
      notifications.append(
        Notification(
          channel: String(cString: notify.pointee.relname), payload: String(cString: notify.pointee.extra)))
      PQfreemem(notify)
    }
  }

  // MARK: State, for the pool

  /// False when the connection is closed or known to be broken.
  var isUsable: Bool { isOpen && PQstatus(connection) == CONNECTION_OK }

  /// False inside a transaction, or after one has failed without a rollback.
  var isIdle: Bool { PQtransactionStatus(connection) == PQTRANS_IDLE }

  /// True also when the transaction has failed.
  public var isInTransaction: Bool {
    isOpen && [PQTRANS_INTRANS, PQTRANS_INERROR].contains(PQtransactionStatus(connection))
  }

  /// Whether the server has hung up or said something unasked, found without a round trip.
  var hasUnreadInput: Bool {
    var byte: UInt8 = 0
    let count = recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
    return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)
  }

  // MARK: Taking turns

  func exclusively<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    if isBusy {
      await withCheckedContinuation { turn in
        // The turn may have come free on the way here: a task that prefers no executor is enqueued anew at this
        // `await`, although the actor stays the same.
        if isBusy {
          queue.append(turn)
        } else {
          isBusy = true
          turn.resume()
        }
      }
    } else {
      isBusy = true
    }
    defer {
      if !queue.isEmpty {
        queue.removeFirst().resume()
      } else {
        isBusy = false
        if !isOpen { handle.finish() }
      }
    }
    guard isOpen else { throw PostgresError(.closed, "the connection is closed") }
    try Task.checkCancellation()
    return try await body()
  }

  // MARK: Waiting for results

  /// Sends what is buffered, then reads until the statement is complete. Returns the last result or throws the
  /// first error. Cancelling the task cancels the statement on the server; the connection stays usable.
  private func finish(
    by deadline: ContinuousClock.Instant?, startsCopy: Bool = false
  ) async throws -> QueryResult {
    let results = try await untilDone(by: self.deadline(deadline)) { try await self.readResults() }
    if isIdle { isUnlimited = false }
    guard let last = results.last else { throw lost() }
    if last.status == PGRES_COPY_OUT && !startsCopy {
      try await abandonCopy()
      throw PostgresError(.client, "COPY … TO STDOUT runs through copyOut(_:)")
    }
    if let error = results.lazy.compactMap(\.error).first { throw error }
    return last
  }

  /// Runs `read` with the server-side cancellation armed.
  private func untilDone<T: Sendable>(
    by deadline: ContinuousClock.Instant?, _ read: () async throws -> T
  ) async throws -> T {
    patience = StatementPatience(until: deadline)
    let ticket = cancellation.arm()
    do {
      let value = try await withTaskCancellationHandler(operation: read) {
        [cancellation, thread, socket] in
        cancellation.cancel(ticket)
        thread.interrupt(socket)
      }
      await disarm(ticket)
      return value
    } catch {
      await disarm(ticket)
      throw error
    }
  }

  private func disarm(_ ticket: UInt64) async {
    if !cancellation.disarm(ticket) { await settleCancellation() }
  }

  /// A cancel request under way must not hit the next statement: if it does not end, there is no next one.
  private func settleCancellation() async {
    guard isOpen else { return }
    if await !cancellation.settled(within: StatementPatience.grace) { close() }
  }

  private func readResults() async throws -> [QueryResult] {
    try await flush()
    var results: [QueryResult] = []
    while true {
      while PQisBusy(connection) == 1 { try await receive() }
      guard let pointer = PQgetResult(connection) else { break }
      let result = QueryResult(taking: pointer)
      if let error = result.error, error.sqlState == .queryCanceled {
        if patience.isTimedOut {
          throw try await drained(PostgresError(.timedOut, "the statement ran into its time-out"))
        }
        if Task.isCancelled { throw try await drained(CancellationError()) }
      }
      results.append(result)
      if result.status == PGRES_COPY_OUT { break }
      if result.status == PGRES_COPY_IN {
        // Nobody has data for it, and libpq would give this same result for ever: the server is told to give up.
        PQputCopyEnd(connection, "COPY … FROM STDIN is not supported")
        try await flush()
      }
    }
    collectNotifications()
    guard PQstatus(connection) == CONNECTION_OK else {
      throw results.lazy.compactMap(\.error).first ?? lost()
    }
    return results
  }

  /// Reads to the end of a failed statement so that the connection can be used again.
  private func drained<E: Error>(_ error: E) async throws -> E {
    while true {
      while PQisBusy(connection) == 1 { try await receive() }
      guard let pointer = PQgetResult(connection) else { return error }
      PQclear(pointer)
    }
  }

  private func flush() async throws {
    while true {
      switch PQflush(connection) {
      case 0: return
      // The server may be sending while we are: read too, or both sides wait for each other.
      case 1: try await receive(.readOrWrite)
      default: throw lost()
      }
    }
  }

  /// Waits for the server and reads what it has sent; may return with nothing new. Every wait of a statement is
  /// this one.
  private func receive(_ interest: PollThread.Interest = .read) async throws {
    if patience.hasJustTimedOut() { cancellation.cancelNow() }
    // In this case the cancellation handler has sent the request.
    if Task.isCancelled && !patience.isEnding { patience.beginGrace() }
    let readiness = await thread.readiness(
      of: socket, for: interest, until: patience.end, unlessCancelled: !patience.isEnding)
    guard isOpen, PQconsumeInput(connection) == 1 else { throw lost() }
    // Not when there was something to read: then it was we who were slow.
    if readiness == .deadlinePassed && patience.isOver { throw givenUp() }
  }

  /// Closes the connection under its statement, whose late answer or late cancellation can then hit nobody.
  private func givenUp() -> PostgresError {
    close()
    return PostgresError(
      .connectionLost, "the server did not answer, neither the statement nor its cancellation")
  }

  private func lost() -> PostgresError {
    guard isOpen else { return PostgresError(.closed, "the connection is closed") }
    return PostgresError(.connectionLost, trimmed(PQerrorMessage(connection)) ?? "the connection was lost")
  }

  // MARK: COPY

  /// Runs `COPY … TO STDOUT` and hands its rows over in chunks. The server waits while `body` works
  /// (back-pressure through the socket), so memory stays constant however long the table is.
  public func copyOut(
    _ statement: String, chunkBytes: Int = 256 * 1024, _ body: @Sendable (CopyChunk) async throws -> Void
  ) async throws {
    try await exclusively {
      guard PQsendQuery(connection, statement) == 1 else { throw lost() }
      let started = try await finish(by: nil, startsCopy: true)
      guard started.status == PGRES_COPY_OUT else {
        throw PostgresError(.client, "not a COPY … TO STDOUT statement")
      }
      do {
        var isLast = false
        while !isLast {
          let next = try await untilDone(by: nil, { try await self.nextChunk(of: chunkBytes) })
          if !next.chunk.isEmpty { try await body(next.chunk) }
          isLast = next.isLast
        }
      } catch {
        try await abandonCopy()
        throw error
      }
      _ = try await finish(by: nil)
    }
  }

  /// After the last chunk libpq must not be asked again: it would answer "no COPY in progress".
  private func nextChunk(of size: Int) async throws -> (chunk: CopyChunk, isLast: Bool) {
    var chunk = CopyChunk()
    while chunk.bytes.count < size {
      var row: UnsafeMutablePointer<CChar>?
      let count = PQgetCopyData(connection, &row, 1)
      if count > 0, let row {
        chunk.append(UnsafeRawBufferPointer(start: row, count: Int(count)))
        PQfreemem(row)
      } else if count == 0 {
        try await receive()
      } else if count == -1 {
        return (chunk, true)
      } else {
        throw lost()
      }
    }
    return (chunk, false)
  }

  private func abandonCopy() async throws {
    guard isOpen, PQstatus(connection) == CONNECTION_OK else { return }
    cancellation.cancelNow()
    await settleCancellation()
    guard isOpen else { return }
    patience = StatementPatience()
    patience.beginGrace()
    while true {
      var row: UnsafeMutablePointer<CChar>?
      let count = PQgetCopyData(connection, &row, 1)
      if count > 0 {
        PQfreemem(row)
      } else if count == 0 {
        guard (try? await receive()) != nil else { return }
      } else {
        break
      }
    }
    _ = try? await drained(PostgresError(.client, "COPY abandoned"))
  }
}

extension Duration {
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}

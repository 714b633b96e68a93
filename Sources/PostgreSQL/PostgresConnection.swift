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
  private var notifications: [Notification] = []

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
  ) async throws(PostgresError) -> PostgresConnection {
    let opened = await BlockingThread.run { OpenConnection(configuration) }
    let connection = PostgresConnection(try opened.get(), thread: thread)
    if let timeout = configuration.statementTimeout {
      do {
        try await connection.executeScript("set statement_timeout = \(timeout.milliseconds)")
      } catch {
        await connection.close()
        throw error
      }
    }
    return connection
  }

  private init(_ opened: OpenConnection.Handle, thread: PollThread) {
    handle = opened
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

  /// Runs one statement, prepared on its first use, and returns its rows.
  @discardableResult
  public func query(
    _ statement: SQL, timeout: Duration? = nil
  ) async throws -> Rows {
    try await exclusively {
      let name = try await prepare(statement)
      let sent = statement.parameters.withBindArrays { values, lengths, formats in
        PQsendQueryPrepared(
          connection, name, Int32(statement.parameters.count), values, lengths, formats, 1)
      }
      guard sent == 1 else { throw lost() }
      return Rows(result: try await finish(by: timeout))
    }
  }

  /// Runs one statement and tells how many rows it changed.
  @discardableResult
  public func execute(_ statement: SQL, timeout: Duration? = nil) async throws -> Int {
    try await query(statement, timeout: timeout).affected
  }

  /// Runs a text of one or several statements, without parameters; for migrations and session settings.
  public func executeScript(_ text: String) async throws(PostgresError) {
    do {
      try await exclusively {
        guard PQsendQuery(connection, text) == 1 else { throw lost() }
        _ = try await finish(by: nil)
      }
    } catch let error as PostgresError {
      throw error
    } catch {
      throw PostgresError(.timedOut, "the statement was cancelled")
    }
  }

  private func prepare(_ statement: SQL) async throws -> String {
    for known in prepared[statement.text] ?? []
    where known.types.elementsEqual(statement.parameters.lazy.map(\.typeOID)) {
      return known.name
    }
    let name = "s\(preparedCount + 1)"
    let types = statement.parameters.map(\.typeOID)
    guard PQsendPrepare(connection, name, statement.text, Int32(types.count), types) == 1 else {
      throw lost()
    }
    _ = try await finish(by: nil)
    preparedCount += 1
    prepared[statement.text, default: []].append(PreparedStatement(name: name, types: types))
    return name
  }

  // MARK: Notifications

  /// Subscribes to a channel. Messages arrive through ``nextNotification(within:)``.
  public func listen(to channel: String) async throws(PostgresError) {
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
        case .ready: continue
        case .deadlinePassed: return nil
        case .interrupted:
          try Task.checkCancellation()
          throw lost()
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
  var isInTransaction: Bool {
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
      await withCheckedContinuation { queue.append($0) }
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
  private func finish(by timeout: Duration?, startsCopy: Bool = false) async throws -> QueryResult {
    let results = try await untilDone(by: timeout) { try await self.readResults() }
    guard let last = results.last else { throw lost() }
    if last.status == PGRES_COPY_OUT && !startsCopy {
      try await abandonCopy()
      throw PostgresError(.client, "COPY … TO STDOUT runs through copyOut(_:)")
    }
    if let error = results.lazy.compactMap(\.error).first { throw error }
    return last
  }

  /// Runs `read` with the server-side cancellation armed.
  private func untilDone<T: Sendable>(by timeout: Duration?, _ read: () async throws -> T) async throws -> T {
    deadline = timeout.map { ContinuousClock.now + $0 }
    defer { deadline = nil }
    let ticket = cancellation.arm()
    do {
      let value = try await withTaskCancellationHandler(operation: read) { [cancellation] in
        cancellation.cancel(ticket)
      }
      await cancellation.disarm(ticket)
      return value
    } catch {
      await cancellation.disarm(ticket)
      throw error
    }
  }

  private var deadline: ContinuousClock.Instant?

  private func readResults() async throws -> [QueryResult] {
    try await flush()
    var results: [QueryResult] = []
    var timedOut = false
    while true {
      while PQisBusy(connection) == 1 {
        switch await thread.readiness(of: socket, for: .read, until: timedOut ? nil : deadline) {
        case .ready: guard PQconsumeInput(connection) == 1 else { throw lost() }
        case .deadlinePassed:
          timedOut = true
          cancellation.cancelNow()
        case .interrupted: throw lost()
        }
        guard isOpen else { throw PostgresError(.closed, "the connection was closed while a statement ran") }
      }
      guard let pointer = PQgetResult(connection) else { break }
      let result = QueryResult(taking: pointer)
      if let error = result.error, error.sqlState == .queryCanceled {
        if timedOut {
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
      while PQisBusy(connection) == 1 {
        guard await thread.readiness(of: socket, for: .read, until: nil) == .ready,
          PQconsumeInput(connection) == 1
        else { throw lost() }
      }
      guard let pointer = PQgetResult(connection) else { return error }
      PQclear(pointer)
    }
  }

  private func flush() async throws {
    while true {
      switch PQflush(connection) {
      case 0: return
      case 1:
        // The server may be sending while we are: read too, or both sides wait for each other.
        guard await thread.readiness(of: socket, for: .readOrWrite, until: nil) == .ready,
          PQconsumeInput(connection) == 1
        else { throw lost() }
      default: throw lost()
      }
    }
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
        guard await thread.readiness(of: socket, for: .read, until: nil) == .ready,
          PQconsumeInput(connection) == 1
        else { throw lost() }
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
    await cancellation.settled()
    while true {
      var row: UnsafeMutablePointer<CChar>?
      let count = PQgetCopyData(connection, &row, 1)
      if count > 0 {
        PQfreemem(row)
      } else if count == 0 {
        guard await thread.readiness(of: socket, for: .read, until: nil) == .ready,
          PQconsumeInput(connection) == 1
        else { return }
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

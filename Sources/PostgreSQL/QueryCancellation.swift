import CLibpq
import Synchronization

/// Cancels the statement that is running on a connection, and only that one.
///
/// `PQcancel` opens a connection of its own and blocks, so it runs on a separate thread. A request that is still
/// under way when its statement has ended must not hit the next statement: either ``settled(within:)`` sees it end,
/// or the connection is closed. A request that overtakes its own statement is ignored by the server, so it is
/// repeated while the statement runs.
final class QueryCancellation: Sendable {
  /// Sendable: libpq documents `PQcancel` as safe from any thread (even from a signal handler); the struct is
  /// freed only when nothing refers to this object any more.
  private struct Handle: @unchecked Sendable { let pointer: OpaquePointer? }

  private struct State {
    var armed: UInt64?
    var next: UInt64 = 0
    var underWay = 0
    /// At most one: only the connection's current user waits.
    var waiter: (id: UInt64, continuation: CheckedContinuation<Bool, Never>)?

    mutating func number() -> UInt64 {
      next += 1
      return next
    }
  }

  private let handle: Handle
  private let state = Mutex(State())

  init(of connection: OpaquePointer) { handle = Handle(pointer: PQgetCancel(connection)) }

  deinit { PQfreeCancel(handle.pointer) }

  func arm() -> UInt64 {
    state.withLock { state in
      let ticket = state.number()
      state.armed = ticket
      return ticket
    }
  }

  /// Sends a request if this statement is still the one that runs.
  func cancel(_ ticket: UInt64) {
    let send = state.withLock { state in
      guard state.armed == ticket else { return false }
      state.underWay += 1
      return true
    }
    if send { start(repeatingFor: ticket) }
  }

  func cancelNow() {
    let ticket = state.withLock { state in
      state.underWay += 1
      return state.armed
    }
    start(repeatingFor: ticket)
  }

  /// Sends no further request for this statement. True when none is under way.
  func disarm(_ ticket: UInt64) -> Bool {
    state.withLock { state in
      if state.armed == ticket { state.armed = nil }
      return state.underWay == 0
    }
  }

  /// Waits until no request is under way; false when one still is after that time.
  func settled(within limit: Duration) async -> Bool {
    let id = state.withLock { $0.number() }
    let timeout = Task {
      try await Task.sleep(for: limit)
      expire(id)
    }
    defer { timeout.cancel() }
    return await withCheckedContinuation { continuation in
      let isSettled = state.withLock { state in
        guard state.underWay > 0 else { return true }
        state.waiter = (id, continuation)
        return false
      }
      if isSettled { continuation.resume(returning: true) }
    }
  }

  private func expire(_ id: UInt64) {
    let waiter = state.withLock { state in
      guard state.waiter?.id == id else { return CheckedContinuation<Bool, Never>?.none }
      defer { state.waiter = nil }
      return state.waiter?.continuation
    }
    waiter?.resume(returning: false)
  }

  private func start(repeatingFor ticket: UInt64?) {
    do {
      try BlockingThread.start { [self] in
        if let pointer = handle.pointer {
          var message = [CChar](repeating: 0, count: 256)
          _ = PQcancel(pointer, &message, Int32(message.count))
        }
        ended(ticket)
      }
    } catch {
      // No thread to be had: like a request that got lost, it is repeated while the statement runs.
      ended(ticket)
    }
  }

  private func ended(_ ticket: UInt64?) {
    let (waiter, isRunning) = state.withLock { state in
      state.underWay -= 1
      let isRunning = ticket != nil && state.armed == ticket
      guard state.underWay == 0 else { return (CheckedContinuation<Bool, Never>?.none, isRunning) }
      defer { state.waiter = nil }
      return (state.waiter?.continuation, isRunning)
    }
    waiter?.resume(returning: true)
    guard isRunning, let ticket else { return }
    Task {
      try await Task.sleep(for: .milliseconds(100))
      cancel(ticket)
    }
  }
}

import CLibpq
import Synchronization

/// Cancels the statement that is running on a connection, and only that one.
///
/// `PQcancel` opens a connection of its own and blocks, so it runs on a separate thread. A request that is still
/// under way when its statement has ended must not hit the next statement: ``disarm(_:)`` waits for it. A request
/// that overtakes its own statement is ignored by the server, so it is repeated while the statement runs.
final class QueryCancellation: Sendable {
  /// Sendable: libpq documents `PQcancel` as safe from any thread (even from a signal handler); the struct is
  /// freed only when nothing refers to this object any more.
  private struct Handle: @unchecked Sendable { let pointer: OpaquePointer? }

  private struct State {
    var armed: UInt64?
    var next: UInt64 = 0
    var underWay = 0
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let handle: Handle
  private let state = Mutex(State())

  init(of connection: OpaquePointer) { handle = Handle(pointer: PQgetCancel(connection)) }

  deinit { PQfreeCancel(handle.pointer) }

  func arm() -> UInt64 {
    state.withLock { state in
      state.next += 1
      state.armed = state.next
      return state.next
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

  func disarm(_ ticket: UInt64) async {
    let settled = state.withLock { state in
      if state.armed == ticket { state.armed = nil }
      return state.underWay == 0
    }
    if !settled { await self.settled() }
  }

  /// Returns when no request is under way.
  func settled() async {
    await withCheckedContinuation { continuation in
      let now = state.withLock { state in
        guard state.underWay > 0 else { return true }
        state.waiters.append(continuation)
        return false
      }
      if now { continuation.resume() }
    }
  }

  private func start(repeatingFor ticket: UInt64?) {
    BlockingThread.start { [self] in
      if let pointer = handle.pointer {
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &message, Int32(message.count))
      }
      let waiters = state.withLock { state in
        state.underWay -= 1
        guard state.underWay == 0 else { return [CheckedContinuation<Void, Never>]() }
        defer { state.waiters = [] }
        return state.waiters
      }
      for waiter in waiters { waiter.resume() }
      guard let ticket, state.withLock({ $0.armed == ticket }) else { return }
      Task {
        try await Task.sleep(for: .milliseconds(100))
        cancel(ticket)
      }
    }
  }
}

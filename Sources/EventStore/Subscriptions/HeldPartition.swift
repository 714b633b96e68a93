import Synchronization

/// A partition that this process owns, and what is under way in it.
final class HeldPartition: Sendable {
  enum End: Sendable {
    /// It goes to another worker when the batch under way has ended.
    case giveBack
    /// Somebody else has it already.
    case lost
  }

  private struct State {
    var end: End?
    var confirmedUntil: ContinuousClock.Instant
    /// What to cancel when it ends.
    var underWay: (isBatch: Bool, cancel: @Sendable () -> Void)?
  }

  let partition: Partition
  let epoch: Int64
  private let state: Mutex<State>

  init(_ partition: Partition, epoch: Int64, confirmedUntil: ContinuousClock.Instant) {
    self.partition = partition
    self.epoch = epoch
    state = Mutex(State(confirmedUntil: confirmedUntil))
  }

  var end: End? { state.withLock(\.end) }

  /// Whether the lease certainly lasts, by this process' clock. A projection need not ask: its commit would fail. An
  /// effect is not begun without it.
  var isConfirmed: Bool { state.withLock { $0.confirmedUntil > .now } }

  func confirm(until instant: ContinuousClock.Instant) { state.withLock { $0.confirmedUntil = instant } }

  func end(_ reason: End) {
    let cancel = state.withLock { state -> (@Sendable () -> Void)? in
      state.end = reason
      guard let underWay = state.underWay, reason == .lost || !underWay.isBatch else { return nil }
      return underWay.cancel
    }
    cancel?()
  }

  /// Runs a batch, which is cancelled when the partition is lost.
  func batch<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    try await running(isBatch: true, body)
  }

  /// Waits for something, but not longer than the partition is held.
  func wait(_ body: @escaping @Sendable () async -> Void) async {
    _ = try? await running(isBatch: false, body)
  }

  private func running<T: Sendable>(
    isBatch: Bool, _ body: @escaping @Sendable () async throws -> T
  ) async throws -> T {
    let task = Task { try await body() }
    let isOver = state.withLock { state in
      state.underWay = (isBatch, { task.cancel() })
      return state.end == .lost || (state.end != nil && !isBatch)
    }
    if isOver { task.cancel() }
    defer { state.withLock { $0.underWay = nil } }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

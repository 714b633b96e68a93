import Foundation
import Synchronization

/// How long a blocking step may go on: until a deadline, or until the caller's task is cancelled.
///
/// Everything that waits in this module waits on a thread of its own (``onDedicatedThread(_:)``),
/// so sleeping between two looks blocks nobody.
struct Patience: Sendable {
  enum End: Sendable { case timedOut, cancelled }

  let seconds: Int
  private let deadline: ContinuousClock.Instant
  private let cancellation: CancellationFlag?

  init(seconds: Int, cancellation: CancellationFlag? = nil) {
    self.seconds = seconds
    self.cancellation = cancellation
    deadline = .now + .seconds(seconds)
  }

  /// Why to stop waiting, or nil while there is still time.
  var end: End? {
    if cancellation?.isCancelled == true { return .cancelled }
    return ContinuousClock.now >= deadline ? .timedOut : nil
  }

  /// Looks again and again until `look` finds something; nil when patience ends first.
  func wait<T, E: Error>(
    everyMilliseconds interval: Int = 2, until look: () throws(E) -> T?
  ) throws(E) -> T? {
    while true {
      if let found = try look() { return found }
      if end != nil { return nil }
      usleep(UInt32(interval) * 1000)
    }
  }
}

/// Carries a task's cancellation to the thread that works for it.
final class CancellationFlag: Sendable {
  private let flag = Atomic(false)

  var isCancelled: Bool { flag.load(ordering: .relaxed) }
  func cancel() { flag.store(true, ordering: .relaxed) }
}

/// Runs blocking work on a new thread, so that Swift's cooperative pool never waits for a lock, a
/// child process or the disk.
package func onDedicatedThread<T: Sendable, E: Error>(
  _ work: @escaping @Sendable () throws(E) -> T
) async throws(E) -> T {
  let result: Result<T, E> = await withCheckedContinuation { continuation in
    Thread.detachNewThread {
      continuation.resume(returning: Result { () throws(E) -> T in try work() })
    }
  }
  return try result.get()
}

import Foundation
import Synchronization
import Vocabulary

/// Where services get the time from. The domain never asks for it; it is passed in.
public struct TimeSource: Sendable {
  private let read: @Sendable () -> Timestamp

  public init(_ read: @escaping @Sendable () -> Timestamp) { self.read = read }

  public var now: Timestamp { read() }

  /// The system's clock.
  public static let system = TimeSource {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Timestamp(microseconds: Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000)
  }
}

/// A clock that only moves when it is told to, for scenarios that cross a month's end or let a hold expire.
public final class SteeredClock: Sendable {
  private let instant: Mutex<Timestamp>

  public init(_ start: Timestamp) { instant = Mutex(start) }

  public var source: TimeSource { TimeSource { self.instant.withLock { $0 } } }

  public func advance(by duration: Duration) { instant.withLock { $0 = $0 + duration } }

  /// Moves to an instant; never back.
  public func advance(to target: Timestamp) { instant.withLock { $0 = max($0, target) } }
}

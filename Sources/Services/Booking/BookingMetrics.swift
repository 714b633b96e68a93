import Synchronization

/// What the mailboxes of this process did, for reports and metrics.
public final class BookingMetrics: Sendable {
  private let appends = Atomic<Int>(0)
  private let events = Atomic<Int>(0)
  private let conflicts = Atomic<Int>(0)
  private let waiting = Atomic<Int>(0)
  private let refusals = Atomic<Int>(0)

  public struct Counts: Sendable, Hashable {
    public let appends: Int
    public let events: Int
    /// Appends that another process was faster than; each was decided again.
    public let conflicts: Int
    /// Commands for all shows that have no answer yet.
    public let waiting: Int
    /// Commands that were refused because too many waited for their show.
    public let refused: Int
  }

  init() {}

  func appended(events count: Int) {
    appends.add(1, ordering: .relaxed)
    events.add(count, ordering: .relaxed)
  }

  /// So many more wait, or fewer.
  func waits(_ change: Int) { waiting.add(change, ordering: .relaxed) }

  func refused() { refusals.add(1, ordering: .relaxed) }

  func conflicted() { conflicts.add(1, ordering: .relaxed) }

  public var counts: Counts {
    Counts(
      appends: appends.load(ordering: .relaxed), events: events.load(ordering: .relaxed),
      conflicts: conflicts.load(ordering: .relaxed), waiting: waiting.load(ordering: .relaxed),
      refused: refusals.load(ordering: .relaxed))
  }
}

import Synchronization

/// What the mailboxes of this process did, for reports and metrics.
public final class BookingMetrics: Sendable {
  private let appends = Atomic<Int>(0)
  private let events = Atomic<Int>(0)
  private let conflicts = Atomic<Int>(0)

  public struct Counts: Sendable, Hashable {
    public let appends: Int
    public let events: Int
    /// Appends that another process was faster than; each was decided again.
    public let conflicts: Int
  }

  init() {}

  func appended(events count: Int) {
    appends.add(1, ordering: .relaxed)
    events.add(count, ordering: .relaxed)
  }

  func conflicted() { conflicts.add(1, ordering: .relaxed) }

  public var counts: Counts {
    Counts(
      appends: appends.load(ordering: .relaxed), events: events.load(ordering: .relaxed),
      conflicts: conflicts.load(ordering: .relaxed))
  }
}

import Synchronization

/// What this process did at the doors of waiting rooms.
public final class WaitingRoomMetrics: Sendable {
  private let joins = Atomic<Int>(0)
  private let refusals = Atomic<Int>(0)

  public struct Counts: Sendable, Hashable {
    /// Tickets that were drawn.
    public let joined: Int
    /// Holds that were refused for want of an admission.
    public let refused: Int
  }

  init() {}

  func joined(_ count: Int) { joins.add(count, ordering: .relaxed) }
  func refused() { refusals.add(1, ordering: .relaxed) }

  public var counts: Counts {
    Counts(joined: joins.load(ordering: .relaxed), refused: refusals.load(ordering: .relaxed))
  }
}

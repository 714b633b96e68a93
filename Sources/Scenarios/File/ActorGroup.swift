import Vocabulary

/// A number of people who want the same kind of thing. Groups with the same starting instant act at once.
public struct ActorGroup: Hashable, Sendable {
  /// Names the group's members: `night-owls` are `night-owls-001`, `night-owls-002`, …
  public var name: String
  public var kind: Kind
  public var count: Int
  /// How many of them act at the same moment.
  public var concurrency: Int
  public var show: ShowID
  /// Dealt out in turn: the first member has the first account, and so on, round and round.
  public var accounts: [AccountID]
  public var wants: SeatWish
  /// When they start, on the scenario's clock.
  public var startsAt: Timestamp
  /// Real time between the answer to one request and the next, drawn for each member.
  public var thinkTime: ClosedRange<Duration>
  public var pays: Payment
  public var cancels: Cancellation
  /// The share that holds seats and never comes back, in basis points.
  public var abandonsBasisPoints: Int
  /// How often each request is sent; more than once means duplicates with the same `Idempotency-Key`.
  public var repeatEachRequest: Int

  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// They hold seats, order, and pay.
    case buyers
  }

  public enum Payment: Hashable, Sendable {
    /// In the same breath as the hold.
    case atOnce
    /// That long after the hold, on the scenario's clock.
    case after(Duration)
    case never
  }

  public enum Cancellation: Hashable, Sendable {
    case never
    case at(Timestamp)
    /// That long after the group started, on the scenario's clock.
    case after(Duration)
  }
}

/// Which seats somebody asks for.
public enum SeatWish: Hashable, Sendable {
  /// All of these or nothing.
  case named([SeatID])
  /// That many adjacent seats, drawn for each member from the range.
  /// Where they may be split, in groups if need be. `accessible` of them are wheelchair places.
  case best(
    ClosedRange<Int>, section: SectionID?, together: Bool = true, category: CategoryID? = nil,
    accessible: Int = 0)
}

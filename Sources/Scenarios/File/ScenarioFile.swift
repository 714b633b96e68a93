import Ordering
import Vocabulary

/// A scenario as its author wrote it: what is on sale, who acts, what goes wrong, and what must hold at the end.
///
/// Read one with ``load(path:)`` or ``parse(_:file:)``. A `ScenarioFile` that exists is consistent: every show,
/// account, seat and process that it refers to is in it. ``ScenarioPlan`` expands it into who does what and when.
public struct ScenarioFile: Hashable, Sendable {
  /// Kebab-case; the same as the file's name without `.yaml`.
  public var name: String
  public var title: String
  /// A few paragraphs for a newcomer, with `*emphasis*`, `**strong**`, `` `code` `` and `- ` lists.
  public var story: String
  /// Everything random in the plan comes from this number, so a run can be repeated.
  public var seed: UInt64
  public var strategy: Strategy
  /// How many `aisle` processes serve the buyers; nil runs the services inside the scenario runner.
  public var processes: Int?
  public var clock: ScenarioClock
  public var accounts: [ScenarioAccount]
  public var shows: [ShowOnSale]
  public var actors: [ActorGroup]
  public var faults: [Fault]
  public var invariants: [Invariant]
  /// What is kept of the price when somebody gives seats back by a quote.
  public var cancellations: CancellationPolicy = .free
  /// Somebody is told by webhooks what becomes of orders, and answers every so many with 500; nil if nobody is.
  public var notificationsFailEvery: Int? = nil
  /// Strategies with a guard taken out, each with what it must break: a check that cannot fail proves nothing.
  public var controls: [Control] = []

  public struct Control: Hashable, Sendable {
    public let strategy: Strategy
    public let breaks: InvariantName
  }
}

/// Simulated time: requests see these instants, so that an expiry or a month's end needs no real waiting.
public struct ScenarioClock: Hashable, Sendable {
  public var startsAt: Timestamp
  /// When everybody is done the clock moves here once more, so that timers still pending go off.
  public var runsUntil: Timestamp?
}

/// Who pays. The time zone decides the month of a charge.
public struct ScenarioAccount: Hashable, Sendable {
  public var id: AccountID
  public var name: String
  /// IANA name, for example `Europe/Berlin`.
  public var timeZone: String
}

/// Something that goes wrong on purpose.
public enum Fault: Hashable, Sendable {
  case kill(Kill)

  /// SIGKILL to a process once that many requests of the run were acknowledged; it is restarted afterwards.
  public struct Kill: Hashable, Sendable {
    /// 1-based, as in `worker-1`.
    public var worker: Int
    public var afterAcknowledged: Int
    public var restartAfter: Duration
  }
}

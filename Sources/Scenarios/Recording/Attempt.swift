import Vocabulary

/// One buyer's action from the first request to the last answer, as it was recorded.
public struct Attempt: Hashable, Sendable, Codable {
  public var buyer: String
  public var group: String
  public var show: String
  public var action: PlannedAction.Kind
  /// Real time since the run's start, in microseconds.
  public var startMicroseconds: Int64
  public var endMicroseconds: Int64
  /// The scenario's clock at the action.
  public var simulatedAt: Timestamp?
  public var outcome: Outcome
  /// The code of the refusal or the kind of the error; nil for a success.
  public var reason: String?
  /// The seats that were got.
  public var seats: [String]
  /// The version of the show's stream at which the seats were got.
  public var streamVersion: Int64?
  /// Expected-version conflicts on the way to this answer.
  public var conflicts: Int
  /// Which process answered, from 1.
  public var worker: Int?

  public enum Outcome: String, CaseIterable, Hashable, Sendable, Codable {
    /// Has the seats and an order for them.
    case won
    /// Has the seats under a hold.
    case held
    case cancelled
    /// Did what they came for, which was not to get seats: looked, joined the line, gave the ticket to somebody.
    case done
    /// Was told no, with a reason.
    case refused
    /// Anything else.
    case error
  }

  public init(
    buyer: String, group: String, show: String, action: PlannedAction.Kind, startMicroseconds: Int64,
    endMicroseconds: Int64, simulatedAt: Timestamp? = nil, outcome: Outcome, reason: String? = nil,
    seats: [String] = [],
    streamVersion: Int64? = nil, conflicts: Int = 0, worker: Int? = nil
  ) {
    self.buyer = buyer
    self.group = group
    self.show = show
    self.action = action
    self.startMicroseconds = startMicroseconds
    self.endMicroseconds = endMicroseconds
    self.simulatedAt = simulatedAt
    self.outcome = outcome
    self.reason = reason
    self.seats = seats
    self.streamVersion = streamVersion
    self.conflicts = conflicts
    self.worker = worker
  }

  enum CodingKeys: String, CodingKey {
    case buyer, group, show, action, outcome, reason, seats, conflicts, worker
    case startMicroseconds = "start_us"
    case endMicroseconds = "end_us"
    case simulatedAt = "simulated_at"
    case streamVersion = "stream_version"
  }
}

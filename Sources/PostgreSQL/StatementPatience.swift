/// How long the statement under way may still take.
///
/// A statement has until its deadline, if it has one. After that, or once its task is cancelled, the server has a
/// fixed grace to answer the cancel request. A server that does not is given up: its network may be dead.
struct StatementPatience {
  /// Enough for a server that is there; a caller who has given up should not wait much longer.
  static let grace: Duration = .seconds(3)

  private let deadline: ContinuousClock.Instant?
  private var graceEnd: ContinuousClock.Instant?
  /// Whether the deadline, and not a cancellation, ended the statement.
  private(set) var isTimedOut = false

  init(until deadline: ContinuousClock.Instant? = nil) { self.deadline = deadline }

  /// The next moment at which there is something to do.
  var end: ContinuousClock.Instant? { graceEnd ?? deadline }

  /// Whether the statement has been cancelled already.
  var isEnding: Bool { graceEnd != nil }

  /// Whether the server has had all the time that it gets.
  var isOver: Bool { graceEnd.map { $0 <= .now } ?? false }

  /// Looks at the clock before another wait. True when the deadline has just passed: the caller must cancel.
  mutating func hasJustTimedOut() -> Bool {
    guard !isEnding, let deadline, deadline <= .now else { return false }
    isTimedOut = true
    beginGrace()
    return true
  }

  /// The statement has been cancelled.
  mutating func beginGrace() { graceEnd = .now + Self.grace }
}

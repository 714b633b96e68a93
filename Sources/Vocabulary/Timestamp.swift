/// An instant, in microseconds since 1970-01-01T00:00:00Z (the resolution of PostgreSQL's `timestamptz`).
///
/// In JSON it is an RFC 3339 string in UTC. Domain modules never ask for the current time: an instant is
/// always passed in.
public struct Timestamp: Sendable, Hashable {
  public let microseconds: Int64

  public init(microseconds: Int64) {
    self.microseconds = microseconds
  }
}

extension Timestamp: Comparable {
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }
}

extension Timestamp {
  /// The later instant. A sum that no timestamp can hold becomes the last (or first) one; fractions of a
  /// microsecond are dropped.
  public static func + (instant: Timestamp, duration: Duration) -> Timestamp {
    // Compared before it is taken apart: a `Duration` reaches further than its components do.
    let now = Duration.microseconds(instant.microseconds)
    if duration > .microseconds(Int64.max) - now { return Timestamp(microseconds: .max) }
    if duration < .microseconds(Int64.min) - now { return Timestamp(microseconds: .min) }
    // The sum fits into 64 bits now. On the way to it an intermediate result may wrap, and wraps back.
    let (seconds, attoseconds) = duration.components
    let fraction = attoseconds / 1_000_000_000_000
    return Timestamp(microseconds: instant.microseconds &+ seconds &* 1_000_000 &+ fraction)
  }

  /// The earlier instant; the same limits as `+`.
  public static func - (instant: Timestamp, duration: Duration) -> Timestamp {
    instant + (.zero - duration)
  }

  /// The time from `right` to `left`, exactly.
  public static func - (left: Timestamp, right: Timestamp) -> Duration {
    .microseconds(left.microseconds) - .microseconds(right.microseconds)
  }
}

extension Timestamp {
  /// The calendar day that a wall clock shows at this instant, `utcOffset` seconds east of UTC.
  public func civilDate(utcOffset: Int = 0) -> CivilDate {
    CivilDate(daysSinceEpoch: (wholeSeconds + utcOffset).flooredDivision(by: 86_400).quotient)
  }

  /// Seconds since the epoch, rounded towards the past.
  public var wholeSeconds: Int {
    Int(microseconds).flooredDivision(by: 1_000_000).quotient
  }
}

extension Int {
  /// Division that rounds towards negative infinity, so that instants before 1970 fall into the right day.
  func flooredDivision(by divisor: Int) -> (quotient: Int, remainder: Int) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

/// How a run went, in numbers.
public struct Counters: Hashable, Sendable, Codable {
  public var attempts: Int
  /// Attempts that ended with seats and an order for them.
  public var winners: Int
  /// Seats of the winners, each counted as often as somebody won it.
  public var seatsSold: Int
  /// The same, each counted once. Fewer than ``seatsSold`` if a seat was given back and sold again, or oversold.
  public var differentSeatsSold: Int
  public var held: Int
  public var cancelled: Int
  public var refused: Int
  /// By the refusal's code.
  public var refusedByReason: [String: Int]
  public var errors: Int
  /// By the error's kind.
  public var errorsByKind: [String: Int]
  /// Appends that met another version of the stream than expected, and were decided again.
  public var conflicts: Int
  public var appends: Int
  public var events: Int

  public init(_ attempts: [Attempt], log: LogGrowth) {
    var byOutcome: [Attempt.Outcome: Int] = [:]
    var refusals: [String: Int] = [:]
    var failures: [String: Int] = [:]
    var seats = 0
    var differentSeats: Set<[String]> = []
    var conflicts = 0
    for attempt in attempts {
      byOutcome[attempt.outcome, default: 0] += 1
      conflicts += attempt.conflicts
      switch attempt.outcome {
      case .won:
        seats += attempt.seats.count
        differentSeats.formUnion(attempt.seats.map { [attempt.show, $0] })
      case .refused: refusals[attempt.reason ?? "no-reason-given", default: 0] += 1
      case .error: failures[attempt.reason ?? "unknown", default: 0] += 1
      case .held, .cancelled, .done: break
      }
    }
    self.attempts = attempts.count
    winners = byOutcome[.won, default: 0]
    seatsSold = seats
    differentSeatsSold = differentSeats.count
    held = byOutcome[.held, default: 0]
    cancelled = byOutcome[.cancelled, default: 0]
    refused = byOutcome[.refused, default: 0]
    refusedByReason = refusals
    errors = byOutcome[.error, default: 0]
    errorsByKind = failures
    self.conflicts = conflicts
    appends = log.appends
    events = log.events
  }

  enum CodingKeys: String, CodingKey {
    case attempts, winners, held, cancelled, refused, errors, conflicts, appends, events
    case seatsSold = "seats_sold"
    case differentSeatsSold = "different_seats_sold"
    case refusedByReason = "refused_by_reason"
    case errorsByKind = "errors_by_kind"
  }
}

extension [String: Int] {
  /// The most frequent first, then by name.
  var ranked: [(name: String, count: Int)] {
    map { (name: $0.key, count: $0.value) }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
  }
}

/// Whether a run kept what its scenario promises, in a sentence.
public struct Verdict: Hashable, Sendable, Codable {
  public var holds: Bool
  /// Short enough for a headline: `One buyer won. 199 were refused.`
  public var headline: String
  public var invariantsHeld: Int
  public var invariantsBroken: Int
  /// The invariant that was broken earliest, or the first in the file if no time is known.
  public var firstBroken: InvariantName?

  /// A run that judged nothing proves nothing, so it does not hold.
  public init(counters: Counters, invariants: [InvariantResult]) {
    let broken = invariants.filter { !$0.holds }
    invariantsHeld = invariants.count - broken.count
    invariantsBroken = broken.count
    holds = broken.isEmpty && !invariants.isEmpty
    let timed = broken.filter { $0.brokenAtMicroseconds != nil }
    firstBroken =
      (timed.min { ($0.brokenAtMicroseconds ?? 0) < ($1.brokenAtMicroseconds ?? 0) } ?? broken.first)?.name
    headline = Self.headline(counters)
  }

  private static func headline(_ counters: Counters) -> String {
    func people(_ count: Int) -> String { count == 1 ? "One buyer" : "\(Numerals.grouped(count)) buyers" }
    func seats(_ count: Int) -> String { count == 1 ? "one seat" : "\(Numerals.grouped(count)) seats" }
    var sentences: [String] = []
    if counters.winners > 0 {
      // Nobody gave anything back, and still there are fewer seats than were won.
      let isOversold = counters.cancelled == 0 && counters.seatsSold > counters.differentSeatsSold
      sentences.append(
        isOversold
          ? "\(people(counters.winners)) were sold \(seats(counters.differentSeatsSold))."
          : "\(people(counters.winners)) won \(seats(counters.seatsSold)).")
    } else if counters.refused > 0 {
      sentences.append("Nobody won a seat.")
    }
    if counters.cancelled > 0 {
      sentences.append("\(Numerals.grouped(counters.cancelled)) cancelled.")
    }
    if counters.refused > 0 {
      sentences.append(
        "\(Numerals.grouped(counters.refused)) \(counters.refused == 1 ? "was" : "were") refused.")
    }
    let others =
      counters.attempts - counters.winners - counters.held - counters.cancelled - counters.refused
      - counters.errors
    if others > 0 { sentences.append("\(Numerals.grouped(others)) did what was not about buying.") }
    if counters.errors > 0 {
      sentences.append("\(Numerals.grouped(counters.errors)) met an error.")
    }
    return sentences.isEmpty ? "Nobody did anything." : sentences.joined(separator: " ")
  }

  enum CodingKeys: String, CodingKey {
    case holds, headline
    case invariantsHeld = "invariants_held"
    case invariantsBroken = "invariants_broken"
    case firstBroken = "first_broken"
  }
}

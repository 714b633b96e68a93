/// How a round went.
public struct RoundResult: Codable, Sendable {
  public let round: Int
  public let plan: ChaosPlan
  /// Connections that the proxies spoiled, by fault.
  public let spoiled: [String: Int]
  /// Faults that could not be done here, with the reason.
  public let notRun: [String: String]
  public let check: HistoryChecker.Report
  /// What did not end or heal in time, or was not worth looking at; each makes the round fail.
  public let problems: [String]
  public let seconds: Double
  /// Where the round's history is kept: of a failed round, and of every one if asked for.
  public var history: String?

  public var holds: Bool { check.holds && problems.isEmpty }
}

/// A whole run.
public struct ChaosSummary: Codable, Sendable {
  public let seed: UInt64
  public let rounds: Int
  public let failed: Int
  /// How often each fault struck.
  public let faults: [String: Int]
  public let notRun: [String: String]
  public let outcomes: [String: Int]
  public let appends: Int
  public let reads: Int
  public let deliveries: Int
  public let samples: Int
  public let events: Int
  public let violations: Int
  public let problems: Int
  public let seconds: Double

  public init(seed: UInt64, _ results: [RoundResult], seconds: Double) {
    self.seed = seed
    rounds = results.count
    failed = results.count { !$0.holds }
    var faults: [String: Int] = [:]
    var outcomes: [String: Int] = [:]
    for result in results {
      for fault in result.plan.faults where result.notRun[fault.rawValue] == nil {
        faults[fault.rawValue, default: 0] += 1
      }
      outcomes.merge(result.check.outcomes) { $0 + $1 }
    }
    self.faults = faults
    self.outcomes = outcomes
    notRun = results.reduce(into: [:]) { $0.merge($1.notRun) { first, _ in first } }
    func sum(_ value: (RoundResult) -> Int) -> Int { results.reduce(0) { $0 + value($1) } }
    appends = sum(\.check.appends)
    reads = sum(\.check.reads)
    deliveries = sum(\.check.deliveries)
    samples = sum(\.check.samples)
    events = sum(\.check.events)
    violations = sum { $0.check.counts.values.reduce(0, +) }
    problems = sum(\.problems.count)
    self.seconds = seconds
  }

  public var holds: Bool { failed == 0 }
}

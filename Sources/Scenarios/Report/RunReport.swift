import Vocabulary

/// Everything that is known about a finished run. Its JSON (snake_case, ``format`` 1) is what `--json` prints and
/// what the HTML report is made from.
public struct RunReport: Hashable, Sendable, Codable {
  /// Grows when a reader of the JSON has to change.
  public var format = 1
  public var scenario: Scenario
  public var strategy: Strategy
  public var seed: UInt64
  /// Nil when the services ran inside the scenario runner.
  public var processes: Int?
  /// Real time.
  public var startedAt: Timestamp
  /// Real time, in microseconds.
  public var durationMicroseconds: Int64
  /// The scenario's clock from its first instant to its last.
  public var simulated: Simulated
  public var environment: Environment
  public var counters: Counters
  /// In the order of ``RunRecorder/Operation``.
  public var latencies: [LatencySummary]
  public var race: Race
  public var houses: [House]
  public var invariants: [InvariantResult]
  public var verdict: Verdict

  public struct Scenario: Hashable, Sendable, Codable {
    public var name: String
    public var title: String
    public var story: String

    public init(name: String, title: String, story: String) {
      self.name = name
      self.title = title
      self.story = story
    }
  }

  public struct Simulated: Hashable, Sendable, Codable {
    public var from: Timestamp
    public var to: Timestamp

    public init(from: Timestamp, to: Timestamp) {
      self.from = from
      self.to = to
    }
  }

  public struct Environment: Hashable, Sendable, Codable {
    /// For example `15.14`.
    public var postgresql: String
    public var cores: Int
    public var operatingSystem: String
    public var aisle: String

    public init(postgresql: String, cores: Int, operatingSystem: String, aisle: String) {
      self.postgresql = postgresql
      self.cores = cores
      self.operatingSystem = operatingSystem
      self.aisle = aisle
    }

    enum CodingKeys: String, CodingKey {
      case postgresql, cores, aisle
      case operatingSystem = "operating_system"
    }
  }

  /// Makes a report from what was recorded; the verdict follows from the invariants.
  public init(
    plan: ScenarioPlan, recording: Recording, startedAt: Timestamp, environment: Environment, log: LogGrowth,
    houses: [House], invariants: [InvariantResult]
  ) {
    scenario = Scenario(name: plan.scenario.name, title: plan.scenario.title, story: plan.scenario.story)
    strategy = plan.strategy
    seed = plan.seed
    processes = plan.scenario.processes
    self.startedAt = startedAt
    durationMicroseconds = recording.elapsedMicroseconds
    simulated = Simulated(
      from: plan.scenario.clock.startsAt, to: plan.steps.last?.at ?? plan.scenario.clock.startsAt)
    self.environment = environment
    counters = Counters(recording.attempts, log: log)
    latencies = RunRecorder.Operation.allCases.compactMap { operation in
      recording.latencies[operation].flatMap { LatencySummary(operation, $0) }
    }
    race = Race(recording.attempts)
    self.houses = houses
    self.invariants = invariants
    verdict = Verdict(counters: counters, invariants: invariants)
  }

  enum CodingKeys: String, CodingKey {
    case format, scenario, strategy, seed, processes, simulated, environment, counters, latencies, race,
      houses
    case invariants, verdict
    case startedAt = "started_at"
    case durationMicroseconds = "duration_us"
  }
}

/// What a run added to the log.
public struct LogGrowth: Hashable, Sendable, Codable {
  public var appends: Int
  public var events: Int

  public init(appends: Int, events: Int) {
    self.appends = appends
    self.events = events
  }
}

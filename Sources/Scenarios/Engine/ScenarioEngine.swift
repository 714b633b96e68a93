import EventStore
import Foundation
import Logging
import PostgreSQL
import Services
import Vocabulary

/// Carries out plans on a real PostgreSQL server and judges them. Each run has a database of its own.
public struct ScenarioEngine: Sendable {
  public struct Options: Sendable {
    /// How many act at the same moment, in place of the file's numbers.
    public var concurrency: Int?
    /// Leaves the database for somebody who wants to look into it.
    public var keepsDatabase = false
    /// Connections of this process.
    public var poolSize = 16
    /// Connections of each worker process.
    public var workerPoolSize = 8
    /// The `aisle` executable for worker processes; this one if nil.
    public var executable: String?
    /// For the report.
    public var version = "development"

    public init() {}
  }

  /// A run that could be judged, whatever the judgement.
  public struct Outcome: Sendable {
    public let report: RunReport
    /// The database, if it was to be kept.
    public let database: ScenarioDatabase?
  }

  /// Looks on while buyers act; cancelled when they are done.
  public typealias Observer = @Sendable (RunRecorder) async -> Void

  /// A connection string of any database on the server, for a role that may create databases.
  private let server: String
  private let options: Options
  private let logger: Logger

  public init(
    server: String, options: Options = Options(), logger: Logger = Logger(label: "aisle.scenario")
  ) {
    self.server = server
    self.options = options
    self.logger = logger
  }

  /// Runs a plan to its end and judges it. Throws only if it could not be run or judged.
  public func run(_ plan: ScenarioPlan, observer: @escaping Observer = { _ in }) async throws -> Outcome {
    let database = try await ScenarioDatabase.create(on: server, logger: logger)
    do {
      let report = try await perform(plan, on: database, observer: observer) { performance in
        try await Judge(performance).report(environment: environment(performance.aisle.store.pool))
      }
      if !options.keepsDatabase { try await database.drop() }
      return Outcome(report: report, database: options.keepsDatabase ? database : nil)
    } catch {
      if !options.keepsDatabase { await database.dropIfPossible(logger) }
      throw error
    }
  }

  /// Runs a plan on a database and hands what happened to `judge`, while the services are still there.
  func perform<Judgement: Sendable>(
    _ plan: ScenarioPlan, on database: ScenarioDatabase, observer: @escaping Observer = { _ in },
    judge: (Performance) async throws -> Judgement
  ) async throws -> Judgement {
    let pool = try PostgresPool(
      PostgresConfiguration(database.conninfo), size: options.poolSize, logger: logger)
    do {
      let judgement = try await judge(try await act(plan, on: database, pool: pool, observer: observer))
      await pool.close()
      return judgement
    } catch {
      await pool.close()
      throw error
    }
  }

  private func act(
    _ plan: ScenarioPlan, on database: ScenarioDatabase, pool: PostgresPool, observer: @escaping Observer
  ) async throws -> Performance {
    let clock = SteeredClock(plan.scenario.clock.startsAt)
    let outside = Outside(plan, pool: pool, time: clock.source, logger: logger)
    return try await outside.told { target in
      // That a delivery is not acknowledged is what the scenario is about, and no news to who runs it.
      var logger = logger
      if outside.receiver != nil { logger.logLevel = max(logger.logLevel, .error) }
      let aisle = Aisle(
        pool: pool, time: clock.source, payments: outside.payments,
        cancellations: plan.scenario.cancellations, notifying: target, logger: logger)
      return try await outside.serving(aisle) {
        try await act(plan, on: database, aisle: aisle, clock: clock, outside: outside, observer: observer)
      }
    }
  }

  private func act(
    _ plan: ScenarioPlan, on database: ScenarioDatabase, aisle: Aisle, clock: SteeredClock, outside: Outside,
    observer: @escaping Observer
  ) async throws -> Performance {
    try await HouseSetup(plan: plan, aisle: aisle).run()
    let start = try await aisle.catchUp()
    let conflicts = aisle.booking.metrics.counts.conflicts

    let recorder = RunRecorder(for: plan)
    let faults = FaultWatch(plan.scenario.faults)
    let workers = try self.workers(of: plan, on: database, faults: faults, recorder: recorder)
    let journal = Journal()
    journal.learned(start.rawValue)
    let runner = PlanRunner(
      plan: plan, aisle: aisle, clock: clock,
      offices: workers.isEmpty ? [plan.strategy.office(aisle)] : workers, recorder: recorder,
      journal: journal, concurrency: options.concurrency, outside: outside, desks: Desks(plan),
      onClock: { instant in for worker in workers { try worker.advance(to: instant) } })
    let startedAt = TimeSource.system.now
    try await beside(aisle, workers, recorder, plan, observer) { try await runner.run() }
    let recording = recorder.recording()
    try await Settlement(aisle: aisle, clock: clock, outside: outside, isTimed: plan.strategy.isTimed).run()

    return Performance(
      plan: plan, aisle: aisle, recording: recording, exchanges: journal.exchanges, strikes: faults.strikes,
      startPosition: start, startedAt: startedAt, simulatedEnd: clock.source.now,
      conflicts: aisle.booking.metrics.counts.conflicts - conflicts + workers.reduce(0) { $0 + $1.conflicts },
      views: outside.views, stays: outside.stays, messages: outside.receiver?.messages,
      bank: outside.ledger?.kept)
  }

  /// Runs `body` while subscriptions, workers and the observer run; they end with it.
  private func beside(
    _ aisle: Aisle, _ workers: [WorkerProcess], _ recorder: RunRecorder, _ plan: ScenarioPlan,
    _ observer: @escaping Observer, _ body: @escaping @Sendable () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in workers { group.addTask { try await worker.run() } }
      group.addTask {
        try await withThrowingTaskGroup(of: Void.self) { background in
          // With workers, the subscriptions run where a fault can hit them.
          // Where each order of events has its own clock, nobody may act by another one meanwhile.
          if workers.isEmpty, !plan.hasInterleavings {
            background.addTask { await aisle.run(plan.strategy.roles) }
          }
          for worker in workers { await worker.ready() }
          background.addTask { await observer(recorder) }
          defer { background.cancelAll() }
          try await body()
        }
        for worker in workers { worker.close() }
      }
      // Unlike `waitForAll()` this stops at the first failure, which then cancels the others.
      for try await _ in group {}
    }
  }

  private func workers(
    of plan: ScenarioPlan, on database: ScenarioDatabase, faults: FaultWatch, recorder: RunRecorder
  ) throws -> [WorkerProcess] {
    guard let count = plan.scenario.processes else { return [] }
    // A worker that is killed breaks the pipe that is written to; the write then fails, which is enough.
    signal(SIGPIPE, SIG_IGN)
    let launch = WorkerProcess.Launch(
      executable: try options.executable ?? Self.thisExecutable(), conninfo: database.conninfo,
      strategy: plan.strategy, poolSize: options.workerPoolSize)
    return (1...count).map { number in
      WorkerProcess(
        number: number, launch: launch, clock: plan.scenario.clock.startsAt, faults: faults,
        recorder: recorder)
    }
  }

  /// This program's own file, to start more of it.
  public static func thisExecutable() throws -> String {
    do {
      return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    } catch {
      throw ScenarioRunError(
        "the path of this program, which is needed to start workers, is unknown: \(error)")
    }
  }

  private func environment(_ pool: PostgresPool) async throws -> RunReport.Environment {
    let version = try await pool.query("select current_setting('server_version')").first?.decode(String.self)
    return RunReport.Environment(
      postgresql: version?.split(separator: " ").first.map(String.init) ?? "unknown",
      cores: ProcessInfo.processInfo.activeProcessorCount,
      operatingSystem: ProcessInfo.processInfo.operatingSystemVersionString, aisle: options.version)
  }
}

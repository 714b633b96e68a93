import EventStore
import Foundation
import Logging
import PostgreSQL

/// What a round runs: a database, workers behind proxies, and somebody who looks at the projection.
struct ChaosSystem: Sendable {
  let server: ChaosServer
  let disk: SmallDisk?
  let database: String
  let plan: ChaosPlan
  let proxies: [FaultProxy]
  let workers: [WorkerHandle]
  /// Past the proxies.
  let pool: PostgresPool
  let store: EventStore
  let recorder: HistoryRecorder
  let logger: Logger

  init(
    server: ChaosServer, disk: SmallDisk?, database: String, folder: String, plan: ChaosPlan,
    options: ChaosRun.Options, logger: Logger
  ) async throws {
    self.server = server
    self.disk = disk
    self.database = database
    self.plan = plan
    self.logger = logger
    let socket = await server.socketPath
    var proxies: [FaultProxy] = []
    var workers: [WorkerHandle] = []
    for number in 1...max(1, options.workers) {
      let proxy = try await FaultProxy.start(to: socket, seed: plan.seed &+ UInt64(number))
      proxies.append(proxy)
      workers.append(
        WorkerHandle(
          number: number,
          launch: .init(
            executable: options.executable,
            conninfo: "\(proxy.conninfo) dbname=\(database) user=aisle",
            historyFolder: folder, workload: Workload(seed: plan.seed))))
    }
    self.proxies = proxies
    self.workers = workers
    pool = try PostgresPool(
      PostgresConfiguration(
        await server.conninfo(database: database), applicationName: "aisle-chaos-judge",
        connectTimeout: .seconds(2), statementTimeout: .seconds(10)), size: 4, acquireTimeout: .seconds(5),
      logger: logger)
    store = EventStore(pool: pool, logger: logger)
    recorder = try HistoryRecorder(process: "judge", file: "\(folder)/judge.jsonl")
  }

  var spoiled: [String: Int] {
    proxies.reduce(into: [:]) { $0.merge($1.struck) { $0 + $1 } }
  }

  /// Load and faults, until the round's time is over.
  func load() async throws {
    for worker in workers { try worker.start() }
    try await wait("the workers to begin") { workers.allSatisfy(\.isReady) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await lookAtProjection() }
      group.addTask {
        let start = ContinuousClock.now
        for strike in plan.strikes {
          try await Task.sleep(until: start + .milliseconds(strike.atMilliseconds), clock: .continuous)
          try await ChaosStrike(strike, on: self).run()
        }
        try await Task.sleep(until: start + .milliseconds(plan.milliseconds), clock: .continuous)
        try await goOn()
      }
      defer { group.cancelAll() }
      // The sampler does not end by itself.
      try await group.next()
    }
  }

  /// The load goes on until there is something to judge; if nothing comes, the judgement says so.
  private func goOn() async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
      if let head = try? await store.head(), head.rawValue >= 4 * ChaosRound.leastCommitted { return }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Everything is healed; the workers finish. Tells what did not.
  func settle() async -> [String] {
    var problems: [String] = []
    func attempt(_ body: () async throws -> Void) async {
      do { try await body() } catch { problems.append("\(error)") }
    }
    disk?.empty()
    for proxy in proxies { await proxy.heal() }
    for worker in workers { worker.signal(SIGCONT) }
    await attempt { try await server.heal() }
    for worker in workers where worker.isOver {
      problems.append("worker \(worker.name) ended by itself with status \(worker.status ?? -1)")
      await attempt { try worker.start() }
    }
    await attempt {
      try await wait("the workers to be ready") { workers.allSatisfy { $0.isReady || $0.isOver } }
    }
    for worker in workers { worker.drain() }
    await attempt {
      try await wait("every operation to end after everything was healed") {
        workers.allSatisfy { $0.isDrained || $0.isOver }
      }
    }
    for name in [ChaosTables.projection, ChaosTables.relay] {
      await attempt {
        let head = try await patiently { try await store.head() }
        try await patiently {
          try await store.wait(for: name, toReach: head, timeout: ChaosRound.healingLimit)
        }
        if name == ChaosTables.relay {
          try recorder.record(.drained(subscriber: name, position: head.rawValue))
        }
      }
    }
    await attempt {
      let sample = try await patiently { try await ChaosTables.sample(store) }
      try recorder.record(.projected(sample))
    }
    return problems
  }

  /// Ends processes and proxies, whatever state they are in.
  func stop() async {
    for worker in workers {
      worker.signal(SIGCONT)
      worker.close()
    }
    do {
      try await wait("the workers to end", within: .seconds(15)) { workers.allSatisfy(\.isOver) }
    } catch {
      for worker in workers { worker.signal(SIGKILL) }
      try? await wait("the workers to be gone", within: .seconds(15)) { workers.allSatisfy(\.isOver) }
    }
    for proxy in proxies { await proxy.stop() }
  }

  /// Puts the histories together and looks at them.
  func judge() async throws -> ([HistoryRecord], HistoryChecker.Report) {
    for entry in try await ChaosTables.finalLog(pool) { try recorder.record(entry) }
    await pool.close()
    let files = workers.flatMap(\.histories) + [recorder.file].compactMap { $0 }
    let records = try files.flatMap { file in
      // A worker that died before its first breath has left nothing.
      FileManager.default.fileExists(atPath: file) ? try HistoryFile.read(file) : []
    }
    return (records, HistoryChecker.check(records))
  }

  private func lookAtProjection() async throws {
    while true {
      do {
        let sample = try await ChaosTables.sample(store)
        try recorder.record(.projected(sample))
      } catch let error as HistoryRecorder.Failure {
        throw error
      } catch {
        // The server is being killed.
        try Task.checkCancellation()
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Tries again while the server may still be recovering.
  func patiently<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    let deadline = ContinuousClock.now + ChaosRound.healingLimit
    while true {
      do {
        return try await body()
      } catch let error as PostgresError where ContinuousClock.now < deadline {
        logger.debug("not yet", metadata: ["error": "\(error)"])
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  struct TookTooLong: Error, CustomStringConvertible {
    let description: String
  }

  func wait(
    _ what: String, within limit: Duration = ChaosRound.healingLimit, until isSo: () -> Bool
  ) async throws {
    let deadline = ContinuousClock.now + limit
    while !isSo() {
      guard ContinuousClock.now < deadline else {
        throw TookTooLong(description: "waiting for \(what) took more than \(limit)")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}

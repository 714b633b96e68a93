import Foundation
import PostgreSQL

/// Does one fault and undoes it.
struct ChaosStrike: Sendable {
  private let strike: ChaosPlan.Strike
  private let system: ChaosSystem

  init(_ strike: ChaosPlan.Strike, on system: ChaosSystem) {
    self.strike = strike
    self.system = system
  }

  private var length: Duration { .milliseconds(strike.forMilliseconds) }

  func run() async throws {
    var random = ChaosRandom(seed: strike.draw)
    if let fault = strike.fault.proxyFault(&random) {
      let percent = random.number(in: 30...100)
      for proxy in system.proxies where random.chance(70) { await proxy.begin(fault, percent: percent) }
      try await Task.sleep(for: length)
      for proxy in system.proxies { await proxy.heal() }
      return
    }
    switch strike.fault {
    case .killBackend: try await killBackend(&random)
    case .killPostmaster: try await system.server.crash(signal: SIGKILL)
    // What pg_ctl -m immediate sends.
    case .immediateRestart: try await system.server.crash(signal: SIGQUIT)
    case .killWorker: try await killWorker(&random)
    case .pauseWorker: try await pauseWorkers(&random)
    case .diskFull: try await fillDisk(&random)
    case .connectionsExhausted: try await takeConnections()
    case .idleInTransaction: try await sitInTransaction(&random)
    default: break
    }
  }

  private func killBackend(_ random: inout ChaosRandom) async throws {
    let backends = try await system.patiently {
      try await system.pool.query(
        """
        select pid from pg_stat_activity
        where backend_type = 'client backend' and application_name like 'aisle-chaos-w%'
        order by state = 'active' desc, pid
        limit 8
        """
      ).map { try $0.decode(Int32.self) }
    }
    if let backend = random.element(of: backends) { kill(backend, SIGKILL) }
  }

  private func killWorker(_ random: inout ChaosRandom) async throws {
    guard let worker = random.element(of: system.workers) else { return }
    worker.signal(SIGKILL)
    try await system.wait("worker \(worker.name) to die") { worker.isOver }
    try worker.start()
  }

  private func pauseWorkers(_ random: inout ChaosRandom) async throws {
    // One goes on, so that there is somebody to take over.
    let paused = random.shuffled(system.workers).prefix(
      random.number(in: 1...max(1, system.workers.count - 1)))
    for worker in paused { worker.signal(SIGSTOP) }
    do { try await Task.sleep(for: length) } catch {
      for worker in paused { worker.signal(SIGCONT) }
      throw error
    }
    for worker in paused { worker.signal(SIGCONT) }
  }

  private func fillDisk(_ random: inout ChaosRandom) async throws {
    guard let disk = system.disk else { return }
    try disk.fill(leaving: random.number(in: 0...200_000))
    if random.chance(50) {
      // New files of the WAL are needed: that the server cannot make them ends it.
      for _ in 0..<6 { _ = try? await system.pool.query("select pg_switch_wal()", timeout: .seconds(1)) }
    }
    try await Task.sleep(for: length)
    disk.empty()
    try await system.server.heal()
  }

  private func takeConnections() async throws {
    var taken: [PostgresConnection] = []
    // Bounded by what a server has.
    while taken.count < 200 {
      do {
        taken.append(try await PostgresConnection.connect(system.pool.configuration, on: system.pool.thread))
      } catch {
        break
      }
    }
    try? await Task.sleep(for: length)
    for connection in taken { await connection.close() }
    try Task.checkCancellation()
  }

  private func sitInTransaction(_ random: inout ChaosRandom) async throws {
    let locks = random.chance(50)
    do {
      try await system.pool.transaction { connection in
        // A transaction that has written something has a number, and holds back whoever looks at such numbers.
        try await connection.execute("insert into public.chaos_balances values (-1, 'idle', 0, 0, 0)")
        if locks { try await connection.query("select from aisle.log_head where tenant = 1 for update") }
        try await Task.sleep(for: length)
        throw CancellationError()
      }
    } catch is CancellationError {
      try Task.checkCancellation()
    } catch is PostgresError {
      // Thrown out by a fault that is still at work.
    }
  }
}

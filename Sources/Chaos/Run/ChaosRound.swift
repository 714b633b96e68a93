import EventStore
import Foundation
import Logging
import PostgreSQL

/// One round: a fresh log, workers, faults, healing, draining, judgement.
struct ChaosRound: Sendable {
  /// How long the system may take to finish its work after everything was healed.
  static let healingLimit = Duration.seconds(60)
  /// Fewer committed appends than this prove nothing.
  static let leastCommitted = 20

  let number: Int
  let plan: ChaosPlan
  let options: ChaosRun.Options
  let logger: Logger

  func run(on servers: ChaosServers) async throws -> RoundResult {
    let start = ContinuousClock.now
    var notRun: [String: String] = [:]
    var server = try await servers.server()
    var disk: SmallDisk?
    if plan.needsSmallDisk {
      do {
        (server, disk) = try await servers.serverOnSmallDisk()
      } catch let error as SmallDisk.Unavailable {
        notRun[ChaosFault.diskFull.rawValue] = error.description
      }
    }
    let database = "chaos_\(number)"
    let folder = "\(options.folder)/round-\(number)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try await server.makeDatabase(database)
    let system = try await ChaosSystem(
      server: server, disk: disk, database: database, folder: folder, plan: plan, options: options,
      logger: logger)
    var problems: [String] = []
    do {
      try await system.load()
      problems = await system.settle()
    } catch {
      await system.stop()
      throw error
    }
    await system.stop()
    let (records, report) = try await system.judge()
    if report.outcomes["committed", default: 0] < Self.leastCommitted {
      problems.append(
        "only \(report.outcomes["committed", default: 0]) appends were committed, which proves nothing")
    }
    var result = RoundResult(
      round: number, plan: plan, spoiled: system.spoiled, notRun: notRun, check: report, problems: problems,
      seconds: start.secondsToNow)
    if !result.holds, let kept = options.report {
      try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
      let path = "\(kept)/round-\(number)-seed-\(plan.seed).jsonl"
      try HistoryFile.write(records, to: path)
      result.history = path
    }
    try await server.dropDatabase(database)
    try FileManager.default.removeItem(atPath: folder)
    return result
  }
}

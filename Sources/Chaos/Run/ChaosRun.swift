import Foundation
import Logging

/// `aisle chaos`: round after round of load, faults, healing and judgement on a server of its own.
public struct ChaosRun: Sendable {
  public struct Options: Sendable {
    public var rounds = 200
    public var seed: UInt64 = 1
    public var secondsPerRound = 2.0
    public var workers = 3
    public var faults = ChaosFault.allCases
    /// Where the histories of failed rounds are kept.
    public var report: String?
    /// The `aisle` program, of which the workers are made.
    public var executable: String
    /// For the server and the histories; emptied afterwards.
    public var folder: String

    public init(executable: String, folder: String) {
      self.executable = executable
      self.folder = folder
    }
  }

  private let options: Options
  private let logger: Logger

  public init(_ options: Options, logger: Logger) {
    self.options = options
    self.logger = logger
  }

  /// - Parameter progress: hears of each round when it is over.
  public func run(progress: @Sendable (RoundResult) -> Void) async throws -> ChaosSummary {
    let start = ContinuousClock.now
    let servers = ChaosServers(folder: options.folder, logger: logger)
    var results: [RoundResult] = []
    do {
      for round in 0..<options.rounds {
        try Task.checkCancellation()
        let seed = ChaosPlan.seed(ofRound: round, in: options.seed)
        let plan = ChaosPlan(seed: seed, seconds: options.secondsPerRound, faults: options.faults)
        let result = try await ChaosRound(number: round + 1, plan: plan, options: options, logger: logger)
          .run(on: servers)
        results.append(result)
        progress(result)
      }
    } catch {
      await servers.stop()
      throw error
    }
    await servers.stop()
    return ChaosSummary(seed: options.seed, results, seconds: start.secondsToNow)
  }
}

/// The servers of a run: the ordinary one, and one on a small disk when a round fills it.
actor ChaosServers {
  private let folder: String
  private let logger: Logger
  private var ordinary: ChaosServer?
  private var small: (server: ChaosServer, disk: SmallDisk)?

  init(folder: String, logger: Logger) {
    self.folder = folder
    self.logger = logger
  }

  /// Few connections, so that they can all be taken.
  private static let settings = [
    "max_connections": "80", "shared_buffers": "32MB", "min_wal_size": "32MB", "max_wal_size": "96MB",
    // Recovery after a crash should not have a long way to go, and should have something to do.
    "checkpoint_timeout": "30s",
  ]

  func server() async throws -> ChaosServer {
    if let ordinary { return ordinary }
    let home = URL(filePath: "\(folder)/server", directoryHint: .isDirectory)
    let server = try await ChaosServer.start(home: home, settings: Self.settings, logger: logger)
    ordinary = server
    return server
  }

  /// - Throws: ``SmallDisk/Unavailable`` where no file system may be mounted.
  func serverOnSmallDisk() async throws -> (server: ChaosServer, disk: SmallDisk) {
    if let small { return small }
    let disk = try await SmallDisk(at: "\(folder)/small-disk", megabytes: 320)
    do {
      let home = URL(filePath: "\(disk.path)/server", directoryHint: .isDirectory)
      let server = try await ChaosServer.start(home: home, settings: Self.settings, logger: logger)
      small = (server, disk)
      return (server, disk)
    } catch {
      await disk.unmount()
      throw error
    }
  }

  func stop() async {
    await ordinary?.stop()
    if let small {
      await small.server.stop()
      await small.disk.unmount()
    }
  }
}

extension ContinuousClock.Instant {
  var secondsToNow: Double {
    let (seconds, attoseconds) = duration(to: .now).components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}

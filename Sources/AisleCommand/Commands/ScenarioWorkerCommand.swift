import ArgumentParser
import Scenarios
import Vocabulary

/// A process that `aisle scenario run` starts to have buyers served by it.
struct ScenarioWorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Serve the buyers of a scenario, as told on standard input.",
    shouldDisplay: false)

  @Option var strategy: StrategyName

  @Option var clock: Instant

  func run() async throws {
    guard try Settings().databaseURL != nil else {
      throw CommandFailure("a worker is started by aisle scenario run, which tells it its database")
    }
    try await Session.run(handlesSignals: false) { [strategy, clock] session in
      try await ScenarioWorker(
        pool: session.pool, strategy: strategy.strategy, clock: clock.timestamp, logger: session.logger
      ).run()
    }
  }

  struct Instant: ExpressibleByArgument {
    let timestamp: Timestamp

    init?(argument: String) {
      guard let timestamp = Timestamp(rfc3339: argument) else { return nil }
      self.timestamp = timestamp
    }
  }
}

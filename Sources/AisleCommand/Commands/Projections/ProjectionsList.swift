import ArgumentParser
import EventStore

extension ProjectionsCommand {
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Every subscription with its position, its lag, its owner and what is wrong with it.",
      discussion: """
        Exits with status 1 if one of them is failing, has parked events, or is behind although nobody runs it. A \
        subscription that only commands ever ran needs nobody.
        """)

    @Flag(help: "JSON.")
    var json = false

    func run() async throws {
      try await Session.run { [json] session in
        let statuses = try await EventStore(pool: session.pool).subscriptions()
        print(json ? try JSONText.document(statuses.map(Entry.init)) : Self.table(statuses))
        let troubles = statuses.compactMap(Self.trouble)
        guard troubles.isEmpty else { throw CommandFailure(troubles.joined(separator: "\n")) }
      }
    }

    private static func table(_ statuses: [SubscriptionStatus]) -> String {
      TextTable(
        ["subscription", "position", "events", "lag", "lag s", "epoch", "owner", "parked", "state"],
        statuses.flatMap { status in
          status.partitions.map { partition in
            [
              partition.key, "\(partition.position)", "\(partition.events)", "\(partition.lag)",
              "\(partition.lagSeconds)", "\(partition.epoch)", partition.owner ?? "-",
              "\(status.parkedEvents)",
              state(partition, status),
            ]
          }
        }
      ).rendered
    }

    private static func state(_ partition: PartitionStatus, _ status: SubscriptionStatus) -> String {
      let state =
        partition.isStopped
        ? "stopped: \(partition.lastError ?? "")"
        : partition.lastError.map { "failing: \($0)" }
          ?? (partition.isUnowned ? "nobody runs it" : partition.lag == 0 ? "up to date" : "catching up")
      guard let rebuild = status.rebuild else { return state }
      return state + "; rebuilding, \(Int(rebuild.fraction * 100)) %"
        + (rebuild.isOwned ? "" : " (interrupted)")
    }

    private static func trouble(_ status: SubscriptionStatus) -> String? {
      if status.isStopped {
        return "\(status.name) has stopped at an event that it cannot handle; everything behind it waits"
      }
      if status.lastError != nil { return "failing: \(status.name); the events behind it are waiting" }
      if status.isUnowned {
        return
          "nobody runs \(status.name), and it is \(status.lag) positions behind; start a process with its role"
      }
      if status.parkedEvents > 0 {
        return
          "\(status.name) has \(status.parkedEvents) parked events in \(status.parkedStreams) streams; see: "
          + "aisle projections parked \(status.name)"
      }
      return nil
    }
  }
}

private struct Entry: Encodable {
  struct Partition: Encodable {
    let name: String
    let position: Int64
    let lag: Int64
    let lagSeconds: Int64
    let owner: String?
    let epoch: Int64
    let leaseExpiresAt: String?
    let attempts: Int
    let stopped: Bool
    let unowned: Bool
    let lastError: String?
  }

  struct Rebuild: Encodable {
    let position: Int64
    let target: Int64
    let running: Bool
    let lastError: String?
  }

  let subscription: String
  let position: Int64
  let events: Int64
  let lag: Int64
  let lagSeconds: Int64
  let parkedStreams: Int
  let parkedEvents: Int
  let unowned: Bool
  let generation: Int
  let lastError: String?
  let partitions: [Partition]
  let rebuild: Rebuild?

  init(_ status: SubscriptionStatus) {
    subscription = status.name
    position = status.position.rawValue
    events = status.events
    lag = status.lag
    lagSeconds = status.lagSeconds
    parkedStreams = status.parkedStreams
    parkedEvents = status.parkedEvents
    unowned = status.isUnowned
    generation = status.partitions.map(\.generation).max() ?? 1
    lastError = status.lastError
    partitions = status.partitions.map { partition in
      Partition(
        name: partition.key, position: partition.position.rawValue, lag: partition.lag,
        lagSeconds: partition.lagSeconds, owner: partition.owner, epoch: partition.epoch,
        leaseExpiresAt: partition.leaseExpiresAt.map { "\($0)" }, attempts: partition.attempts,
        stopped: partition.isStopped, unowned: partition.isUnowned, lastError: partition.lastError)
    }
    rebuild = status.rebuild.map {
      Rebuild(
        position: $0.position.rawValue, target: $0.target.rawValue, running: $0.isOwned,
        lastError: $0.lastError)
    }
  }
}

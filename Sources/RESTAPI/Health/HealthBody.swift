import EventStore
import Services
import Vocabulary

struct HealthBody: Encodable {
  enum Status: String, Encodable {
    case up = "UP"
    case down = "DOWN"
  }

  struct Subscription: Encodable {
    let status: Status
    let position: Position
    /// In positions of the log.
    let lag: Int64
    let lagSeconds: Int64
    /// Whether a worker that is alive has every partition.
    let owned: Bool
    let parkedStreams: Int
    let parkedEvents: Int
    let lastError: String?

    private enum CodingKeys: String, CodingKey {
      case status, position, lag, owned
      case lagSeconds = "lag_seconds"
      case parkedStreams = "parked_streams"
      case parkedEvents = "parked_events"
      case lastError = "last_error"
    }

    init(_ subscription: SubscriptionStatus) {
      status = subscription.needsAttention ? .down : .up
      position = subscription.position
      lag = subscription.lag
      lagSeconds = subscription.lagSeconds
      owned = subscription.isOwned
      parkedStreams = subscription.parkedStreams
      parkedEvents = subscription.parkedEvents
      // The error itself is in the logs and in `aisle projections list`; it may quote data.
      lastError =
        subscription.isStopped
        ? "stopped at an event that it cannot handle"
        : subscription.lastError != nil
          ? "the last batch failed and is tried again"
          : subscription.isUnowned ? "nobody runs it" : nil
    }
  }

  struct Database: Encodable {
    let status: Status
    let position: Position?
  }

  struct Components: Encodable {
    let database: Database
    let subscriptions: SortedObject<Subscription>
  }

  let status: Status
  let components: Components

  /// - Parameter log: nil if the database cannot be reached.
  init(_ log: HealthResource.LogStatus?) {
    status = log == nil ? .down : .up
    components = Components(
      database: Database(status: status, position: log?.head),
      subscriptions: SortedObject(
        Dictionary(
          (log?.subscriptions ?? []).map { ($0.name, Subscription($0)) },
          uniquingKeysWith: { first, _ in first })))
  }
}

struct InfoBody: Encodable {
  let name = "aisle"
  let version: String
  let startedAt: Timestamp
  let tenant: Int32
  let logID: String
  let position: Position

  private enum CodingKeys: String, CodingKey {
    case name, version
    case startedAt = "started_at"
    case tenant
    case logID = "log_id"
    case position
  }
}

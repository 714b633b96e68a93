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
    let lastError: String?

    private enum CodingKeys: String, CodingKey {
      case status, position, lag
      case lastError = "last_error"
    }
  }

  struct Database: Encodable {
    let status: Status
    let position: Position?
  }

  struct Components: Encodable {
    let database: Database
    let subscriptions: [String: Subscription]
  }

  let status: Status
  let components: Components

  /// - Parameter log: nil if the database cannot be reached.
  init(_ log: HealthResource.LogStatus?) {
    status = log == nil ? .down : .up
    components = Components(
      database: Database(status: status, position: log?.head),
      subscriptions: Dictionary(
        (log?.subscriptions ?? []).map { subscription in
          let isFailing = subscription.lastError != nil
          return (
            subscription.name,
            Subscription(
              status: isFailing ? .down : .up, position: subscription.position, lag: subscription.lag,
              // The error itself is in the logs and in `aisle projections list`; it may quote data.
              lastError: isFailing ? "the last batch failed and is tried again" : nil)
          )
        }, uniquingKeysWith: { first, _ in first }))
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

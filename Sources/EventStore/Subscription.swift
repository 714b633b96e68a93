import PostgreSQL

/// A named reader of the log that remembers how far it got.
///
/// The handler receives events in order, with the connection whose transaction also moves the checkpoint: what it
/// writes there takes effect exactly once, whatever crashes. What it does elsewhere is done at least once.
public struct Subscription: Sendable {
  public typealias Handler =
    @Sendable (_ events: [RecordedEvent], _ connection: PostgresConnection) async throws -> Void

  public let name: String
  /// Only events of these categories; all if empty.
  public let categories: [String]
  /// Only events of these types; all if empty.
  public let types: [String]
  public let batchSize: Int
  /// Whether a commit waits for the disk. A handler that appends events needs it: others may already have read
  /// them. A projection does not: after a crash, tables and checkpoint fall back together and catch up again.
  public let commitsDurably: Bool
  public let handle: Handler

  public init(
    _ name: String, categories: [String] = [], types: [String] = [], batchSize: Int = 1000,
    commitsDurably: Bool = false, handle: @escaping Handler
  ) {
    self.name = name
    self.categories = categories
    self.types = types
    self.batchSize = batchSize
    self.commitsDurably = commitsDurably
    self.handle = handle
  }
}

/// How far a subscription is, and how it fares.
public struct SubscriptionStatus: Sendable {
  public let name: String
  public let position: Position
  /// How many events took effect.
  public let events: Int64
  /// How many positions it is behind the end of the log.
  public let lag: Int64
  /// The error of the last try, if it failed; the events after ``position`` are waiting.
  public let lastError: String?
}

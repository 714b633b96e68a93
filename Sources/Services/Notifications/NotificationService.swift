import EventStore
import Foundation
import Logging
import Ordering
import PostgreSQL
import Vocabulary

/// Tells the outside of what has become of orders, by signed webhooks: choreography beside the services, which know
/// nothing of it.
///
/// The subscription writes an outbox in the transaction of its checkpoint; ``run()`` delivers it. A message's id is the
/// event's, so it is in the outbox once, whatever is delivered, repeated or rebuilt.
public struct NotificationService: Sendable {
  /// Where messages go and what they are signed with.
  public struct Target: Sendable {
    public let url: URL
    public let secret: WebhookSecret

    public init(url: URL, secret: WebhookSecret) {
      self.url = url
      self.secret = secret
    }
  }

  static let name = "notifications"

  static let kinds: [Ordering.Event.Kind] = [
    .orderConfirmed, .orderFailed, .orderSeatsCancelled, .orderCancelled, .ticketTransferred,
  ]

  /// An event that is older than this when the subscription comes to it is no news: whoever sets notifications up on an
  /// old log does not write to everybody who ever bought a ticket.
  static let newsAge = "1 day"

  /// After so many tries, which take about three hours, a message is given up.
  public static let maximumAttempts = 14
  /// Taken at a time.
  static let batch = 20

  public let target: Target?
  let store: EventStore
  let ordering: OrderingService
  let time: TimeSource
  let logger: Logger
  let caller = HTTPCaller(timeout: .seconds(10))

  /// nil if nobody is to be told anything.
  var subscription: Subscription? {
    guard target != nil else { return nil }
    return Subscription(
      Self.name, categories: [Ordering.Event.category], types: Self.kinds.map(\.rawValue), batchSize: 1000,
      commitsDurably: true, onPoison: .park(after: 5), handle: note)
  }

  /// Writes the outbox; never while events are replayed.
  @Sendable private func note(_ events: [RecordedEvent], on connection: PostgresConnection) async throws {
    if Replay.isActive { return }
    try await connection.execute(
      """
      insert into notifications (tenant, message_id, position, type, order_id, due_at)
      select \(store.tenant.rawValue), e.id, e.position, e.type, e.order_id, \(time.now)
      from unnest(
        \(events.map(\.id)), \(events.map(\.position.rawValue)), \(events.map(\.type)), \(events.map(\.stream.id)),
        \(events.map(\.recordedAt))) e (id, position, type, order_id, recorded_at)
      where e.recorded_at > clock_timestamp() - \(Self.newsAge)::text::interval
      on conflict (tenant, message_id) do nothing
      """)
  }

  /// A message as operators see it.
  public struct Entry: Sendable {
    public let id: UUID
    public let position: Position
    public let type: String
    public let order: OrderID
    public let attempts: Int
    public let sentAt: Timestamp?
    public let deadAt: Timestamp?
    public let lastError: String?
  }

  /// The latest messages, or those that were given up.
  public func list(onlyDead: Bool, limit: Int = 1000) async throws -> [Entry] {
    try await store.pool.query(
      """
      select message_id, position, type, order_id, attempts, sent_at, dead_at, last_error
      from aisle.notifications
      where tenant = \(store.tenant.rawValue) and (dead_at is not null or not \(onlyDead)::boolean)
      order by position desc
      limit \(limit)
      """
    ).map { row in
      Entry(
        id: try row.column(0), position: Position(try row.column(1)), type: try row.column(2),
        order: OrderID(unchecked: try row.column(3)), attempts: Int(try row.column(4, as: Int32.self)),
        sentAt: try row.column(5), deadAt: try row.column(6), lastError: try row.column(7))
    }
  }

  /// Has messages that were given up tried again, from the first try on.
  ///
  /// - Parameter id: one message; all of them for nil.
  /// - Returns: how many there were.
  public func retry(_ id: UUID? = nil) async throws -> Int {
    try await store.pool.query(
      """
      update aisle.notifications
      set dead_at = null, attempts = 0, due_at = \(time.now)
      where tenant = \(store.tenant.rawValue) and dead_at is not null
        and message_id = coalesce(\(id as UUID?)::uuid, message_id)
      returning 1
      """
    ).count
  }
}

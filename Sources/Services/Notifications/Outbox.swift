import EventStore
import Foundation
import Logging
import Ordering
import PostgreSQL
import Vocabulary

/// Messages of one channel that wait to be sent, and those that were: `aisle.notifications`.
public struct Outbox: Sendable {
  /// How somebody is told.
  public enum Channel: String, Sendable {
    case webhook
    case email

    /// The message about an event; the same in every try.
    func messageID(of event: RecordedEvent) -> UUID {
      switch self {
      case .webhook: event.id
      case .email: UUID.derived(from: "email", event.id.uuidString)
      }
    }
  }

  /// An event that is older than this when the subscription comes to it is no news: whoever sets notifications up on an
  /// old log does not write to everybody who ever bought a ticket.
  static let newsAge = "1 day"

  /// How long whoever has claimed messages has for them. Then they are due again, as after a crash.
  static let lease = "5 minutes"

  let channel: Channel
  let store: EventStore
  let time: TimeSource
  let logger: Logger

  /// Writes events down to be told; never while they are replayed.
  @Sendable func note(_ events: [RecordedEvent], on connection: PostgresConnection) async throws {
    if Replay.isActive { return }
    try await connection.execute(
      """
      insert into notifications (tenant, channel, message_id, position, type, order_id, due_at)
      select \(store.tenant.rawValue), \(channel.rawValue)::text, e.id, e.position, e.type, e.order_id, \(time.now)
      from unnest(
        \(events.map(channel.messageID)), \(events.map(\.position.rawValue)), \(events.map(\.type)),
        \(events.map(\.stream.id)), \(events.map(\.recordedAt))) e (id, position, type, order_id, recorded_at)
      where e.recorded_at > clock_timestamp() - \(Self.newsAge)::text::interval
      on conflict (tenant, message_id) do nothing
      """)
  }

  // MARK: Delivery

  /// A message that this process is to send.
  struct Message: Sendable {
    let id: UUID
    let position: Position
    let order: OrderID
    let attempts: Int
  }

  /// What a try met.
  struct Failure: Sendable {
    let reason: String
    /// Whether another try would meet it too.
    var isForGood = false

    init(_ reason: String) { self.reason = reason }
  }

  /// Takes what is due; for others it is so again when ``lease`` is over.
  func claim(_ limit: Int) async throws -> [Message] {
    let now = time.now
    let tenant = store.tenant.rawValue
    return try await store.pool.query(
      """
      with claimed as (
        update aisle.notifications n
        set attempts = n.attempts + 1, due_at = \(now)::timestamptz + \(Self.lease)::text::interval
        from (
          select message_id
          from aisle.notifications
          where tenant = \(tenant) and channel = \(channel.rawValue) and sent_at is null and dead_at is null
            and due_at <= \(now)
          order by due_at, position
          limit \(limit)
          for update skip locked
        ) d
        where n.tenant = \(tenant) and n.message_id = d.message_id
        returning n.message_id, n.position, n.order_id, n.attempts
      )
      select message_id, position, order_id, attempts from claimed order by position
      """
    ).map { row in
      let (id, position, order, attempts) = try row.decode(UUID.self, Int64.self, String.self, Int32.self)
      return Message(
        id: id, position: Position(position), order: OrderID(unchecked: order), attempts: Int(attempts))
    }
  }

  /// Writes down what became of a try. Pauses between tries double from one second to half an hour.
  func record(_ message: Message, _ failure: Failure?) async throws {
    let isDead =
      failure.map { $0.isForGood || message.attempts >= NotificationService.maximumAttempts } ?? false
    if let failure {
      logger.warning(
        isDead ? "a notification is given up" : "a notification was not acknowledged",
        metadata: [
          "message": "\(message.id)", "channel": "\(channel.rawValue)", "attempts": "\(message.attempts)",
          "error": "\(failure.reason)",
        ])
    }
    let now = time.now
    try await store.pool.execute(
      """
      update aisle.notifications
      set sent_at = case when \(failure == nil) then \(now)::timestamptz end,
          dead_at = case when \(isDead) then \(now)::timestamptz end, last_error = \(failure?.reason as String?),
          due_at = \(now)::timestamptz + least(power(2, attempts - 1), 1800) * interval '1 second'
      where tenant = \(store.tenant.rawValue) and message_id = \(message.id)
      """)
  }

  /// There is nobody to tell.
  func drop(_ message: Message) async throws {
    try await store.pool.execute(
      """
      delete from aisle.notifications
      where tenant = \(store.tenant.rawValue) and message_id = \(message.id)
      """)
  }

  // MARK: Operators

  /// A message as operators see it.
  public struct Entry: Sendable {
    public let id: UUID
    public let channel: String
    public let position: Position
    public let type: String
    public let order: OrderID
    public let attempts: Int
    public let sentAt: Timestamp?
    public let deadAt: Timestamp?
    public let lastError: String?
  }

  /// The latest messages of all channels, or those that were given up.
  static func list(of store: EventStore, onlyDead: Bool, limit: Int) async throws -> [Entry] {
    try await store.pool.query(
      """
      select message_id, channel, position, type, order_id, attempts, sent_at, dead_at, last_error
      from aisle.notifications
      where tenant = \(store.tenant.rawValue) and (dead_at is not null or not \(onlyDead)::boolean)
      order by position desc
      limit \(limit)
      """
    ).map { row in
      Entry(
        id: try row.column(0), channel: try row.column(1), position: Position(try row.column(2)),
        type: try row.column(3), order: OrderID(unchecked: try row.column(4)),
        attempts: Int(try row.column(5, as: Int32.self)), sentAt: try row.column(6),
        deadAt: try row.column(7),
        lastError: try row.column(8))
    }
  }

  static func retry(_ id: UUID?, in store: EventStore, at now: Timestamp) async throws -> Int {
    try await store.pool.query(
      """
      update aisle.notifications
      set dead_at = null, attempts = 0, due_at = \(now)
      where tenant = \(store.tenant.rawValue) and dead_at is not null
        and message_id = coalesce(\(id as UUID?)::uuid, message_id)
      returning 1
      """
    ).count
  }
}

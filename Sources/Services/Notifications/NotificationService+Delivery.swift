import EventStore
import Foundation
import Ordering
import PostgreSQL
import Vocabulary

extension NotificationService {
  /// Delivers until the task is cancelled.
  public func run() async {
    guard target != nil else { return }
    while !Task.isCancelled {
      do {
        if try await deliver() == Self.batch { continue }
      } catch {
        if Task.isCancelled { return }
        logger.warning("notifications will be looked for again", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: .milliseconds(500))
    }
  }

  /// Tries what is due now.
  ///
  /// - Returns: how many messages there were.
  @discardableResult
  public func deliver() async throws -> Int {
    guard let target else { return 0 }
    let due = try await claim()
    for message in due { try await deliver(message, to: target) }
    return due.count
  }

  private struct Message {
    let id: UUID
    let position: Position
    let order: OrderID
    let attempts: Int
  }

  /// What is claimed is due again after its pause, whether or not the one who claimed it lives to send it. Pauses double
  /// from one second to half an hour.
  private func claim() async throws -> [Message] {
    let now = time.now
    let tenant = store.tenant.rawValue
    return try await store.pool.query(
      """
      with claimed as (
        update aisle.notifications n
        set attempts = n.attempts + 1,
            due_at = \(now)::timestamptz + least(power(2, n.attempts), 1800) * interval '1 second'
        from (
          select message_id
          from aisle.notifications
          where tenant = \(tenant) and sent_at is null and dead_at is null and due_at <= \(now)
          order by due_at, position
          limit \(Self.batch)
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

  private func deliver(_ message: Message, to target: Target) async throws {
    var failure: String?
    do {
      let body = try await body(of: message)
      let signature = WebhookSignature.sign(body, at: time.now, with: target.secret)
      let answer = try await caller.send(
        "POST", target.url, headers: [WebhookSignature.header: signature], body)
      if !(200..<300).contains(answer.status) {
        failure = "\(answer.status) \(String(decoding: answer.body.prefix(200), as: UTF8.self))"
      }
    } catch {
      if Task.isCancelled { throw error }
      failure = "\(error)"
    }
    try await record(message, failure)
  }

  private func record(_ message: Message, _ failure: String?) async throws {
    let isDead = failure != nil && message.attempts >= Self.maximumAttempts
    if let failure {
      logger.warning(
        isDead ? "a notification is given up" : "a notification was not acknowledged",
        metadata: ["message": "\(message.id)", "attempts": "\(message.attempts)", "error": "\(failure)"])
    }
    let now = time.now
    try await store.pool.execute(
      """
      update aisle.notifications
      set sent_at = case when \(failure == nil) then \(now)::timestamptz end,
          dead_at = case when \(isDead) then \(now)::timestamptz end, last_error = \(failure as String?)
      where tenant = \(store.tenant.rawValue) and message_id = \(message.id)
      """)
  }

  // MARK: Messages

  /// What is posted: the event, with the order that it is about.
  private struct Body: Encodable {
    let id: String
    let type: String
    let occurredAt: Timestamp
    let orderID: OrderID
    let showID: ShowID
    let accountID: AccountID
    /// Who bought; a placeholder if the person was forgotten since.
    let buyer: BuyerID
    let seats: [SeatID]
    var total: Money?
    var refund: Money?
    var reason: String?
    /// Who has the ticket now.
    var holder: BuyerID?

    private enum CodingKeys: String, CodingKey {
      case id, type
      case occurredAt = "occurred_at"
      case orderID = "order_id"
      case showID = "show_id"
      case accountID = "account_id"
      case buyer, seats, total, refund, reason, holder
    }
  }

  private struct EventGone: Error, CustomStringConvertible {
    let position: Position
    var description: String { "the event at position \(position) is not in the log any more" }
  }

  private func body(of message: Message) async throws -> [UInt8] {
    guard let event = try await store.read(at: [message.position]).first else {
      throw EventGone(position: message.position)
    }
    let order = try await ordering.order(message.order).order
    func body(_ occurredAt: Timestamp, _ seats: [SeatID]) -> Body {
      Body(
        id: message.id.uuidString.lowercased(), type: event.type, occurredAt: occurredAt,
        orderID: order.orderID,
        showID: order.showID, accountID: order.accountID, buyer: order.buyer, seats: seats)
    }
    var result: Body
    switch try event.decode(as: Ordering.Event.self) {
    case .orderConfirmed(let fact):
      result = body(fact.occurredAt, fact.lines.map(\.seat))
      result.total = fact.total
    case .orderFailed(let fact):
      result = body(fact.occurredAt, order.lines.map(\.seat))
      result.reason = fact.reason
    case .orderSeatsCancelled(let fact):
      result = body(fact.occurredAt, fact.lines.map(\.seat))
      result.refund = fact.refund
    case .orderCancelled(let fact):
      result = body(fact.occurredAt, fact.lines.map(\.seat))
      result.refund = fact.refund
    case .ticketTransferred(let fact):
      result = body(fact.transferredAt, [fact.seat])
      result.holder = fact.holder
    default: result = body(event.recordedAt, [])
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(result))
  }
}

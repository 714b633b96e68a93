import EventStore
import Foundation
import Ordering
import PostgreSQL
import Vocabulary

/// An order as it is listed.
public struct OrderView: Sendable {
  public enum Status: String, Sendable, Codable {
    case placed
    /// A provider has not said yet whether it has the money.
    case paymentPending = "payment-pending"
    case confirmed, failed, cancelled
  }

  public let id: OrderID
  public let show: ShowID
  public let hold: HoldID
  public let account: AccountID
  public let buyer: BuyerID
  public let lines: [Ordering.Line]
  public let total: Money
  public let refund: Money
  public let status: Status
  public let reason: String?
  public let paymentMethod: String
  public let placedAt: Timestamp
  public let version: Int64
  public let position: Position
}

extension ReadModels {
  /// Fills `aisle.orders`.
  var orders: Subscription {
    let tenant = store.tenant.rawValue
    return Subscription(
      "orders", categories: [Ordering.Event.category], batchSize: 2000, onPoison: .park(after: 5),
      tables: ["orders"]
    ) { events, connection in
      var changes = OrderChanges()
      for event in events { try changes.add(event) }
      try await changes.write(tenant: tenant, on: connection)
    }
  }

  /// Orders that have been `placed` since before an instant, the oldest first.
  public func unfinishedOrders(before instant: Timestamp, limit: Int) async throws -> [OrderID] {
    try await store.pool.query(
      """
      select order_id
      from aisle.orders
      where tenant = \(store.tenant.rawValue) and status = 'placed' and changed_at < \(instant)
      order by changed_at
      limit \(limit)
      """
    ).map { OrderID(unchecked: try $0.decode(String.self)) }
  }

  /// How long a provider is asked for an answer; after that only a webhook can bring it.
  private static let longestInquiry = Duration.seconds(3 * 86_400)

  /// Orders whose payment has had no answer since before an instant, the oldest first, whatever became of them.
  public func unpaidOrders(before instant: Timestamp, limit: Int) async throws -> [OrderID] {
    try await store.pool.query(
      """
      select order_id
      from aisle.orders
      where tenant = \(store.tenant.rawValue) and payment_open and changed_at < \(instant)
        and changed_at > \(instant - Self.longestInquiry)
      order by changed_at
      limit \(limit)
      """
    ).map { OrderID(unchecked: try $0.decode(String.self)) }
  }

  /// Orders in the order in which they were placed, after a position.
  public func orders(after position: Position, limit: Int) async throws -> [OrderView] {
    try await store.pool.query(
      """
      select order_id, show_id, hold_id, account_id, buyer, lines, amount, refund, currency, status, reason,
             placed_at, version, position, payment_method
      from aisle.orders
      where tenant = \(store.tenant.rawValue) and position > \(position.rawValue)
      order by position
      limit \(limit)
      """
    ).map(OrderView.init)
  }
}

extension OrderView {
  fileprivate init(row: Row) throws {
    let currency = try Currency(stored: row.column(8))
    let lines = try row.column(5, as: JSONB.self)
    self.init(
      id: OrderID(unchecked: try row.column(0)), show: ShowID(unchecked: try row.column(1)),
      hold: HoldID(unchecked: try row.column(2)), account: AccountID(unchecked: try row.column(3)),
      buyer: BuyerID(unchecked: try row.column(4)),
      lines: try JSONDecoder().decode([Ordering.Line].self, from: Data(lines.bytes)),
      total: Money(try row.column(6), currency), refund: Money(try row.column(7), currency),
      status: Status(rawValue: try row.column(9)) ?? .placed, reason: try row.column(10),
      paymentMethod: try row.column(14), placedAt: try row.column(11), version: try row.column(12),
      position: Position(try row.column(13)))
  }
}

/// The net effect of a batch of order events, written with one statement for each kind of change.
private struct OrderChanges {
  private struct Change {
    /// nil: as it was.
    var status: OrderView.Status?
    /// Whether the status is only that of an order that was waiting for its payment. Money may come, or be refused,
    /// when the order has long ended.
    var onlyIfPending = false
    var reason: String?
    /// nil: as it was.
    var paymentOpen: Bool?
    /// What more is refunded.
    var refund: Int64 = 0
    var at: Timestamp
    var version: Int64
  }

  private var placed: [(order: Ordering.OrderPlaced, position: Int64)] = []
  private var changes: [String: Change] = [:]

  mutating func add(_ recorded: RecordedEvent) throws {
    func change(
      to status: OrderView.Status? = nil, onlyIfPending: Bool = false, reason: String? = nil,
      paymentOpen: Bool? = nil, refund: Int64 = 0, at instant: Timestamp
    ) {
      let earlier = changes[recorded.stream.id]
      var change = Change(
        status: status, onlyIfPending: onlyIfPending, reason: reason ?? earlier?.reason,
        paymentOpen: paymentOpen ?? earlier?.paymentOpen,
        refund: (earlier?.refund ?? 0) + refund, at: instant, version: recorded.version)
      if let known = earlier?.status, status == nil || (onlyIfPending && known != .paymentPending) {
        change.status = known
        change.onlyIfPending = earlier?.onlyIfPending ?? false
      } else if earlier?.status == .paymentPending {
        change.onlyIfPending = false
      }
      changes[recorded.stream.id] = change
    }
    switch try recorded.decode(as: Ordering.Event.self) {
    case .orderPlaced(let fact):
      placed.append((fact, recorded.position.rawValue))
      change(to: .placed, at: fact.placedAt)
    case .paymentRequested(let fact): change(to: .paymentPending, paymentOpen: true, at: fact.requestedAt)
    case .paymentReceived(let fact):
      change(to: .placed, onlyIfPending: true, paymentOpen: false, at: fact.receivedAt)
    case .paymentDeclined(let fact): change(paymentOpen: false, at: fact.declinedAt)
    case .refundRequested(let fact): change(at: fact.requestedAt)
    case .refundSettled(let fact): change(at: fact.settledAt)
    case .orderConfirmed(let fact): change(to: .confirmed, at: fact.occurredAt)
    case .orderFailed(let fact): change(to: .failed, reason: fact.reason, at: fact.occurredAt)
    case .cancellationQuoted(let fact): change(at: fact.quotedAt)
    case .ticketTransferred(let fact): change(at: fact.transferredAt)
    case .ticketCheckedIn(let fact): change(at: fact.checkedInAt)
    case .orderSeatsCancelled(let fact): change(refund: fact.refund.minorUnits, at: fact.occurredAt)
    case .orderCancelled(let fact):
      change(to: .cancelled, refund: fact.refund.minorUnits, at: fact.occurredAt)
    }
  }

  func write(tenant: Int32, on connection: PostgresConnection) async throws {
    if !placed.isEmpty {
      let orders = placed.map(\.order)
      try await connection.execute(
        """
        insert into orders (
          tenant, order_id, show_id, hold_id, account_id, buyer, lines, amount, currency, status, payment_method,
          placed_at, changed_at, version, position)
        select \(tenant), o.order_id, o.show_id, o.hold_id, o.account_id, o.buyer, o.lines, o.amount, o.currency,
               'placed', o.payment_method, o.placed_at, o.placed_at, 1, o.position
        from unnest(
          \(orders.map(\.orderID.rawValue)), \(orders.map(\.showID.rawValue)), \(orders.map(\.holdID.rawValue)),
          \(orders.map(\.accountID.rawValue)), \(orders.map(\.buyer.rawValue)),
          \(try orders.map { JSONB(Array(try JSONEncoder().encode($0.lines))) }),
          \(orders.map(\.total.minorUnits)), \(orders.map(\.total.currency.code)), \(orders.map(\.paymentMethod)),
          \(orders.map(\.placedAt)), \(placed.map(\.position)))
          o (order_id, show_id, hold_id, account_id, buyer, lines, amount, currency, payment_method, placed_at,
             position)
        """)
    }
    let orders = Array(changes.keys)
    let states = orders.compactMap { changes[$0] }
    try await connection.execute(
      """
      update orders o
      set status = case
            when c.status is null or (c.only_if_pending and o.status <> 'payment-pending') then o.status
            else c.status
          end,
          reason = coalesce(c.reason, o.reason), payment_open = coalesce(c.payment_open, o.payment_open),
          refund = o.refund + c.refund, changed_at = c.changed_at,
          version = c.version
      from unnest(
        \(orders), \(states.map(\.status?.rawValue)), \(states.map(\.onlyIfPending)), \(states.map(\.reason)),
        \(states.map(\.paymentOpen)),        \(states.map(\.refund)), \(states.map(\.at)), \(states.map(\.version)))
        c (order_id, status, only_if_pending, reason, payment_open, refund, changed_at, version)
      where o.tenant = \(tenant) and o.order_id = c.order_id
      """)
  }
}

import Billing
import EventStore
import Foundation
import Ordering
import PostgreSQL
import Vocabulary

/// The subscription `billing`: turns confirmed and cancelled orders into charges and refunds.
///
/// In one transaction with its checkpoint it adds lines and totals to the tables and appends `charged` and
/// `refunded` to the accounts' streams. A batch takes the same seven statements whatever its size; the append comes
/// last, because it holds the log's lock until the commit.
///
/// An event that it cannot bill stops it: each bill's digest is a chain in the order of the log, so nothing may overtake.
///
/// What it does with an event depends on that event and on what stands before it in the log, never on how the events
/// were cut into batches; a second delivery finds the totals beyond its position, and its account event by its id.
struct BillingProjection: Sendable {
  static let name = "billing"

  /// An order event with what it is to be billed by.
  struct Source {
    let event: RecordedEvent
    let kind: BillLine.Kind
    let order: Billing.BillableOrder
  }

  let store: EventStore

  func subscription(batchSize: Int = 2000) -> Subscription {
    Subscription(
      Self.name, categories: [Ordering.Event.category],
      types: [Ordering.Event.Kind.orderConfirmed, .orderSeatsCancelled, .orderCancelled].map(\.rawValue),
      batchSize: batchSize, commitsDurably: true, onPoison: .stop,
      tables: ["billing_months", "billing_lines"],
      handle: handle)
  }

  @Sendable func handle(_ events: [RecordedEvent], on connection: PostgresConnection) async throws {
    let sources = try events.compactMap(Source.init)
    guard let last = sources.last else { return }
    let zones = try await AccountZones.load(
      of: Set(sources.map(\.order.accountID)), before: last.event.position, tenant: store.tenant,
      on: connection)
    let closings = try await AccountClosings.load(
      of: Set(sources.map(\.order.accountID)), tenant: store.tenant, on: connection)
    let entries = try sources.map { source in
      let closed = closings.months(of: source.order.accountID)
      let zone = zones.zone(of: source.order.accountID, at: source.event.position)
      return switch source.kind {
      case .charge: (source, try Billing.charge(for: source.order, in: zone, closed: closed))
      case .refund: (source, try Billing.refund(for: source.order, in: zone, closed: closed))
      }
    }
    var changes = try await BillingChanges.load(
      Set(entries.map { BillKey($0.1) }), tenant: store.tenant, on: connection)
    for (source, entry) in entries { try changes.add(entry, kind: source.kind) }
    try await changes.write(tenant: store.tenant, on: connection)
    // Of a rebuild only the tables are wanted: the accounts' streams have it all already.
    if Replay.isActive { return }
    try await store.append(entries.map { try append($1, because: $0) }, inTransactionOf: connection)
  }

  /// One append for each event: whatever the batches were, a second delivery meets exactly the same appends.
  private func append(_ entry: Billing.Entry, because source: Source) throws -> [StreamAppend] {
    let event = source.kind == .charge ? Billing.Event.charged(entry) : .refunded(entry)
    let cause = source.event
    return [
      StreamAppend(
        .account(entry.accountID), expecting: .any,
        [
          try NewEvent(
            event, id: .derived(from: Self.name, cause.id.uuidString),
            metadata: EventMetadata(
              actor: cause.metadata.actor, correlationID: cause.metadata.correlationID, causationID: cause.id,
              traceparent: cause.metadata.traceparent))
        ])
    ]
  }
}

extension BillingProjection.Source {
  /// nil if the event moves no money.
  fileprivate init?(_ recorded: RecordedEvent) throws {
    func order(
      _ account: AccountID, _ order: OrderID, _ show: ShowID, _ currency: Currency, _ lines: [Ordering.Line],
      _ instant: Timestamp
    ) -> Billing.BillableOrder {
      Billing.BillableOrder(
        accountID: account, orderID: order, showID: show, sourcePosition: recorded.position.rawValue,
        currency: currency,
        lines: lines.map {
          .init(seat: $0.seat, amount: $0.amount, taxRateBasisPoints: $0.taxRateBasisPoints)
        },
        occurredAt: instant)
    }
    switch try recorded.decode(as: Ordering.Event.self) {
    case .orderConfirmed(let fact):
      self.init(
        event: recorded, kind: .charge,
        order: order(
          fact.accountID, fact.orderID, fact.showID, fact.total.currency, fact.lines, fact.occurredAt))
    case .orderSeatsCancelled(let fact):
      self.init(
        event: recorded, kind: .refund,
        order: order(
          fact.accountID, fact.orderID, fact.showID, fact.refund.currency, fact.lines, fact.occurredAt))
    case .orderCancelled(let fact) where !fact.lines.isEmpty:
      self.init(
        event: recorded, kind: .refund,
        order: order(
          fact.accountID, fact.orderID, fact.showID, fact.refund.currency, fact.lines, fact.occurredAt))
    case .orderPlaced, .paymentRequested, .paymentReceived, .paymentDeclined, .refundRequested,
      .refundSettled,
      .cancellationQuoted, .ticketTransferred, .ticketCheckedIn,
      .orderFailed, .orderCancelled:
      return nil
    }
  }
}

extension StreamName {
  public static func account(_ id: AccountID) -> StreamName {
    StreamName(category: Billing.Event.category, id: id.rawValue)
  }
}

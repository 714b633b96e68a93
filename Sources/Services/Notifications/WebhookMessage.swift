import Foundation
import Ordering
import Vocabulary

/// What is posted: the event, with the order that it is about.
struct WebhookMessage: Encodable {
  private let id: String
  private let type: String
  private let occurredAt: Timestamp
  private let orderID: OrderID
  private let showID: ShowID
  private let accountID: AccountID
  /// Who bought; a placeholder if the person was forgotten since.
  private let buyer: BuyerID
  private var seats: [SeatID] = []
  private var total: Money?
  private var refund: Money?
  private var reason: String?
  /// Who has the ticket now.
  private var holder: BuyerID?

  private enum CodingKeys: String, CodingKey {
    case id, type
    case occurredAt = "occurred_at"
    case orderID = "order_id"
    case showID = "show_id"
    case accountID = "account_id"
    case buyer, seats, total, refund, reason, holder
  }

  init(_ id: UUID, _ news: OrderNews) {
    self.id = id.uuidString.lowercased()
    type = news.event.type
    orderID = news.order.orderID
    showID = news.order.showID
    accountID = news.order.accountID
    buyer = news.order.buyer
    switch news.event {
    case .orderConfirmed(let fact):
      occurredAt = fact.occurredAt
      seats = fact.lines.map(\.seat)
      total = fact.total
    case .orderFailed(let fact):
      occurredAt = fact.occurredAt
      seats = news.order.lines.map(\.seat)
      reason = fact.reason
    case .orderSeatsCancelled(let fact):
      occurredAt = fact.occurredAt
      seats = fact.lines.map(\.seat)
      refund = fact.refund
    case .orderCancelled(let fact):
      occurredAt = fact.occurredAt
      seats = fact.lines.map(\.seat)
      refund = fact.refund
    case .ticketTransferred(let fact):
      occurredAt = fact.transferredAt
      seats = [fact.seat]
      holder = fact.holder
    default: occurredAt = news.recordedAt
    }
  }
}

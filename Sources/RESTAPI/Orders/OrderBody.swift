import EventStore
import Ordering
import Services
import Vocabulary

/// An order as it is answered.
struct OrderBody: Encodable {
  let orderID: OrderID
  let showID: ShowID
  let holdID: HoldID
  let accountID: AccountID
  let buyer: BuyerID
  let status: OrderView.Status
  /// Why it failed.
  let reason: String?
  let lines: [Line]
  let total: Money
  let refund: Money
  let paymentMethod: String
  let placedAt: Timestamp
  let version: Int64

  struct Line: Encodable {
    let seat: SeatID
    /// Tax included.
    let amount: Money
    let taxRateBasisPoints: Int

    private enum CodingKeys: String, CodingKey {
      case seat, amount
      case taxRateBasisPoints = "tax_rate_bp"
    }
  }

  private enum CodingKeys: String, CodingKey {
    case orderID = "order_id"
    case showID = "show_id"
    case holdID = "hold_id"
    case accountID = "account_id"
    case buyer, status, reason, lines, total, refund
    case paymentMethod = "payment_method"
    case placedAt = "placed_at"
    case version
  }
}

extension OrderBody {
  init(_ receipt: OrderingService.Receipt) {
    let order = receipt.order
    let isUnpaid = receipt.payment.map { $0.received == nil } ?? false
    var status = isUnpaid ? OrderView.Status.paymentPending : .placed
    var reason: String?
    let refund = Money(receipt.refunded, order.total.currency)
    switch receipt.state {
    case .none, .placed: break
    case .confirmed: status = .confirmed
    case .failed(_, let why): (status, reason) = (.failed, why)
    case .cancelled: status = .cancelled
    }
    self.init(
      orderID: order.orderID, showID: order.showID, holdID: order.holdID, accountID: order.accountID,
      buyer: order.buyer, status: status, reason: reason,
      lines: Line.list(order.lines, in: order.total.currency),
      total: order.total, refund: refund, paymentMethod: order.paymentMethod, placedAt: order.placedAt,
      version: receipt.version)
  }

  init(_ order: OrderView) {
    self.init(
      orderID: order.id, showID: order.show, holdID: order.hold, accountID: order.account, buyer: order.buyer,
      status: order.status, reason: order.reason, lines: Line.list(order.lines, in: order.total.currency),
      total: order.total, refund: order.refund, paymentMethod: order.paymentMethod, placedAt: order.placedAt,
      version: order.version)
  }
}

extension OrderBody.Line {
  fileprivate static func list(_ lines: [Ordering.Line], in currency: Currency) -> [OrderBody.Line] {
    lines.map {
      OrderBody.Line(
        seat: $0.seat, amount: Money($0.amount, currency), taxRateBasisPoints: $0.taxRateBasisPoints)
    }
  }
}

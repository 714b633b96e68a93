import Booking
import EventStore
import Foundation
import Ordering
import Services
import Vocabulary

/// Control: takes the bank's webhooks as many shops do. The money is there, so it is noted and the seats are booked; if they
/// are gone, the order has failed, and that is all. Nobody thinks of giving the money back.
struct NaiveTill: Sendable {
  let aisle: Aisle

  func take(_ body: [UInt8]) async throws {
    let notice = try JSONDecoder().decode(PaymentNotice.self, from: Data(body))
    guard notice.type == .chargeSucceeded else { return }
    try await received(
      notice.data.paymentID, notice.data.amount, for: notice.data.orderID, at: aisle.time.now)
  }

  func received(_ payment: PaymentID, _ amount: Money, for id: OrderID, at now: Timestamp) async throws {
    let receipt = try await aisle.ordering.order(id)
    guard case .placed(let order) = receipt.state else { return }
    let paid = Ordering.Event.paymentReceived(
      Ordering.PaymentReceived(orderID: id, paymentID: payment, amount: amount, receivedAt: now))
    var end = Ordering.Event.orderConfirmed(
      Ordering.OrderConfirmed(
        orderID: id, showID: order.showID, accountID: order.accountID, lines: order.lines, total: order.total,
        occurredAt: now))
    do throws(ServiceError) {
      _ = try await aisle.booking.confirm(order.holdID, for: id)
    } catch .bookingRejected(let rejection) {
      end = .orderFailed(Ordering.OrderFailed(orderID: id, reason: rejection.code, occurredAt: now))
    }
    _ = try await aisle.store.append(
      to: .order(id), expecting: .version(receipt.version), [try NewEvent(paid), try NewEvent(end)])
  }
}

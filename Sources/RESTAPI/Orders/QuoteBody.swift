import Ordering
import Vocabulary

/// What a cancellation would give back, as it is answered.
struct QuoteBody: Encodable {
  let quoteID: QuoteID
  let orderID: OrderID
  let seats: [Seat]
  let refund: Money
  let fee: Money
  let expiresAt: Timestamp

  struct Seat: Encodable {
    let seat: SeatID
    let refund: Money
  }

  private enum CodingKeys: String, CodingKey {
    case quoteID = "quote_id"
    case orderID = "order_id"
    case seats, refund, fee
    case expiresAt = "expires_at"
  }

  init(_ quote: Ordering.CancellationQuoted) {
    quoteID = quote.quoteID
    orderID = quote.orderID
    seats = quote.lines.map { Seat(seat: $0.seat, refund: Money($0.amount, quote.refund.currency)) }
    refund = quote.refund
    fee = quote.fee
    expiresAt = quote.expiresAt
  }
}

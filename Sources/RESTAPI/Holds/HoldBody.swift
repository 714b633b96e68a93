import Booking
import Services
import Vocabulary

/// A hold as it is answered.
struct HoldBody: Encodable {
  let holdID: HoldID
  let showID: ShowID
  let buyer: BuyerID
  let seats: [SeatID]
  let total: Money
  let heldAt: Timestamp
  let expiresAt: Timestamp
  /// held, confirmed, released, expired or cancelled
  let status: String
  let orderID: OrderID?

  private enum CodingKeys: String, CodingKey {
    case holdID = "hold_id"
    case showID = "show_id"
    case buyer, seats, total
    case heldAt = "held_at"
    case expiresAt = "expires_at"
    case status
    case orderID = "order_id"
  }
}

extension HoldBody {
  init(_ hold: HoldView, at now: Timestamp) {
    let isOver = hold.status == "held" && hold.expiresAt <= now
    self.init(
      holdID: hold.id, showID: hold.show, buyer: hold.buyer, seats: hold.seats, total: hold.total,
      heldAt: hold.heldAt, expiresAt: hold.expiresAt, status: isOver ? "expired" : hold.status,
      orderID: hold.order)
  }

  init(_ hold: Booking.HoldRecord, of show: ShowID, at now: Timestamp) {
    var order: OrderID?
    let status: String
    switch hold.phase {
    case .held: status = hold.hasExpired(at: now) ? "expired" : "held"
    case .confirmed(let id): (status, order) = ("confirmed", id)
    case .released: status = "released"
    case .expired: status = "expired"
    case .cancelled(let id): (status, order) = ("cancelled", id)
    }
    let terms = hold.terms
    self.init(
      holdID: terms.holdID, showID: show, buyer: terms.buyer, seats: terms.seats, total: terms.total,
      heldAt: terms.heldAt, expiresAt: hold.expiresAt, status: status, orderID: order)
  }
}

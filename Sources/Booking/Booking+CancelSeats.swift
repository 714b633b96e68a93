import Vocabulary

extension Booking {
  /// Some of the booked seats are free again; the booking goes on with the others.
  public struct BookingSeatsCancelled: Sendable, Hashable, Codable {
    public let holdID: HoldID
    public let orderID: OrderID
    public let seats: [SeatID]
    public let cancelledAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case orderID = "order_id"
      case seats
      case cancelledAt = "cancelled_at"
    }

    public init(holdID: HoldID, orderID: OrderID, seats: [SeatID], cancelledAt: Timestamp) {
      self.holdID = holdID
      self.orderID = orderID
      self.seats = seats
      self.cancelledAt = cancelledAt
    }
  }

  /// Seats that the booking has no more are passed over: they were given back before.
  static func cancelSeats(
    _ id: HoldID, of order: OrderID, _ seats: [SeatID], _ state: State, at now: Timestamp
  ) throws(Rejection) -> [Event] {
    guard let hold = state.hold(id) else { throw .holdNotFound(id) }
    switch hold.phase {
    case .confirmed(let owner) where owner != order, .cancelled(let owner) where owner != order:
      throw .holdAlreadyConfirmed(owner)
    case .confirmed:
      let given = Set(seats)
      let freed = hold.terms.seats.filter(given.contains)
      if freed.isEmpty { return [] }
      guard freed.count == hold.terms.seats.count else {
        let fact = BookingSeatsCancelled(holdID: id, orderID: order, seats: freed, cancelledAt: now)
        return [.bookingSeatsCancelled(fact)]
      }
      return [.bookingCancelled(BookingCancelled(holdID: id, orderID: order, seats: freed, cancelledAt: now))]
    case .cancelled: return []
    case .held, .released, .expired: throw .notConfirmed(id)
    }
  }
}

extension Booking.SeatsHeld {
  /// The same with fewer seats, for what has become of it.
  func keeping(_ seats: [SeatID]) -> Booking.SeatsHeld {
    Booking.SeatsHeld(
      holdID: holdID, buyer: buyer, seats: seats, total: total, heldAt: heldAt, expiresAt: expiresAt)
  }
}

import Booking
import Vocabulary

/// The show that the booking tests are about: 12 seats, a hold lives for ten minutes.
enum Lear {
  static let sections = [
    SeatPlan.Section(
      id: "stalls", price: 4500, rows: [.init(id: "A", seats: 4), .init(id: "B", seats: 4)]),
    SeatPlan.Section(id: "circle", price: 2500, rows: [.init(id: "AA", seats: 4)]),
  ]

  static let schedule = Booking.Schedule(
    showID: "lear", title: "King Lear", startsAt: "2026-12-01T19:30:00Z", currency: .eur,
    taxRateBasisPoints: 1000, holdTTLSeconds: 600, sections: sections)

  static let scheduled = Booking.Event.showScheduled(
    .init(
      showID: "lear", title: "King Lear", startsAt: "2026-12-01T19:30:00Z", currency: .eur,
      taxRateBasisPoints: 1000, holdTTLSeconds: 600, plan: plan, scheduledAt: "2026-11-01T09:00:00Z"))

  /// The sections above are valid, or every test fails here.
  static let plan: SeatPlan = { try! SeatPlan(sections: sections) }()

  static let noon: Timestamp = "2026-11-24T12:00:00Z"
  static let beforeItEnds: Timestamp = "2026-11-24T12:09:59.999999Z"
  static let whenItEnds: Timestamp = "2026-11-24T12:10:00Z"

  /// At noon, so it lives until ten past.
  static func held(
    _ hold: HoldID, by buyer: BuyerID = "cordelia", _ seats: SeatID..., at instant: Timestamp = noon
  ) -> Booking.Event {
    let total = seats.reduce(0) { $0 + (plan.price(of: $1) ?? 0) }
    return .seatsHeld(
      .init(
        holdID: hold, buyer: buyer, seats: seats, total: Money(total, .eur), heldAt: instant,
        expiresAt: instant + .seconds(600)))
  }

  static func confirmed(
    _ hold: HoldID, _ order: OrderID, _ seats: SeatID..., at instant: Timestamp = beforeItEnds
  ) -> Booking.Event {
    .holdConfirmed(.init(holdID: hold, orderID: order, seats: seats, confirmedAt: instant))
  }

  static func released(
    _ hold: HoldID, _ seats: SeatID..., because reason: String = "changed my mind",
    at instant: Timestamp = beforeItEnds
  ) -> Booking.Event {
    .holdReleased(.init(holdID: hold, seats: seats, reason: reason, releasedAt: instant))
  }

  static func expired(
    _ hold: HoldID, _ seats: SeatID..., at instant: Timestamp = whenItEnds
  ) -> Booking.Event {
    .holdExpired(.init(holdID: hold, seats: seats, expiredAt: instant))
  }

  static func cancelled(
    _ hold: HoldID, _ order: OrderID, _ seats: SeatID..., at instant: Timestamp
  ) -> Booking.Event {
    .bookingCancelled(.init(holdID: hold, orderID: order, seats: seats, cancelledAt: instant))
  }

  static func hold(
    _ hold: HoldID, by buyer: BuyerID = "cordelia", _ seats: SeatID...
  ) -> Booking.Command {
    .hold(.init(holdID: hold, buyer: buyer, seats: .named(seats)))
  }

  static func best(
    _ count: Int, in section: SectionID? = nil, as hold: HoldID, by buyer: BuyerID = "cordelia"
  ) -> Booking.Command {
    .hold(.init(holdID: hold, buyer: buyer, seats: .best(count: count, section: section)))
  }
}

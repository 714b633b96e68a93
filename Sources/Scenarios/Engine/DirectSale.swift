import Booking
import EventStore
import Foundation
import Ordering
import Services
import Vocabulary

/// Events of a sale, written without asking the services: what the strategies append that are here for comparison.
///
/// Event ids follow from the ids of hold and order, so a repeat is stored once.
struct DirectSale {
  let show: Booking.ShowScheduled
  let hold: HoldID
  let buyer: BuyerID
  let seats: [SeatID]

  func held(at now: Timestamp) throws -> StreamAppend {
    let total = seats.reduce(0) { $0 + (show.plan.price(of: $1) ?? 0) }
    let fact = Booking.SeatsHeld(
      holdID: hold, buyer: buyer, seats: seats, total: Money(total, show.currency), heldAt: now,
      expiresAt: now + .seconds(show.holdTTLSeconds))
    return try inShow(.seatsHeld(fact))
  }

  func confirmed(_ order: OrderID, account: AccountID, at now: Timestamp) throws -> [StreamAppend] {
    let placed = placed(order, account: account, at: now)
    let fact = Ordering.OrderConfirmed(
      orderID: order, showID: show.showID, accountID: account, lines: placed.lines, total: placed.total,
      occurredAt: now)
    return [
      try inShow(
        .holdConfirmed(.init(holdID: hold, orderID: order, seats: seats, confirmedAt: now))),
      try inOrder(order, [.orderPlaced(placed), .orderConfirmed(fact)]),
    ]
  }

  func failed(_ order: OrderID, account: AccountID, reason: String, at now: Timestamp) throws -> [StreamAppend] {
    [
      try inOrder(
        order,
        [
          .orderPlaced(placed(order, account: account, at: now)),
          .orderFailed(.init(orderID: order, reason: reason, occurredAt: now)),
        ])
    ]
  }

  func cancelled(_ order: OrderID, account: AccountID, at now: Timestamp) throws -> [StreamAppend] {
    let placed = placed(order, account: account, at: now)
    let fact = Ordering.OrderCancelled(
      orderID: order, showID: show.showID, accountID: account, lines: placed.lines, refund: placed.total,
      occurredAt: now)
    return [
      try inOrder(order, [.orderCancelled(fact)]),
      try inShow(
        .bookingCancelled(.init(holdID: hold, orderID: order, seats: seats, cancelledAt: now))),
    ]
  }

  private func placed(_ order: OrderID, account: AccountID, at now: Timestamp) -> Ordering.OrderPlaced {
    let lines = seats.map { seat in
      Ordering.Line(
        seat: seat, amount: show.plan.price(of: seat) ?? 0, taxRateBasisPoints: show.taxRateBasisPoints)
    }
    return Ordering.OrderPlaced(
      orderID: order, showID: show.showID, holdID: hold, accountID: account, buyer: buyer, lines: lines,
      total: Money(lines.reduce(0) { $0 + $1.amount }, show.currency), paymentMethod: "card", placedAt: now)
  }

  private func inShow(_ event: Booking.Event) throws -> StreamAppend {
    StreamAppend(
      .show(show.showID), expecting: .any,
      [try NewEvent(event, id: .derived(from: event.type, hold.rawValue))])
  }

  private func inOrder(_ order: OrderID, _ events: [Ordering.Event]) throws -> StreamAppend {
    StreamAppend(
      .order(order), expecting: .any,
      try events.map { try NewEvent($0, id: .derived(from: $0.type, order.rawValue)) })
  }
}

extension AppendOutcome {
  /// For an append that expects nothing and so cannot be in conflict.
  func answer(seats: [SeatID] = []) -> BuyerAnswer {
    switch self {
    case .committed(let receipt), .duplicate(let receipt):
      .done(
        seats: seats, version: receipt.streams.first { $0.name.category == Booking.Event.category }?.version,
        position: receipt.position.rawValue)
    case .conflict: .error("conflict", "an append without an expected version was in conflict")
    case .unknown(let error): .error("outcome-unknown", "\(error)", isUnknown: true)
    }
  }
}

extension BuyerAnswer {
  /// For whatever a strategy of comparison may throw.
  init(_ error: any Error) {
    switch error {
    case let error as ServiceError: self.init(error)
    case let error as AppendError: self = .error("append-failed", error.description)
    default: self = .error("database", "\(error)")
    }
  }
}

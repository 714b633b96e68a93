import Booking
import EventStore
import Ordering
import Vocabulary

/// Orders: a hold becomes a booking and a charge, or nothing.
///
/// The steps are `order-placed`, then `hold-confirmed` in the show's stream, then `order-confirmed`; if the show
/// refuses, `order-failed`. Each step may be repeated without harm, so an order that a crash left in the middle
/// is finished by ``OrderProcess``.
public final class OrderingService: Sendable {
  private let booking: BookingService
  private let orders: OrderStream

  public init(store: EventStore, booking: BookingService, time: TimeSource = .system) {
    self.booking = booking
    orders = OrderStream(store: store, time: time)
  }

  /// An order as it stands.
  public struct Receipt: Sendable {
    public let order: Ordering.OrderPlaced
    public let state: Ordering.State
    /// Version of the order's stream.
    public let version: Int64
    /// Position of the order's last event.
    public let position: Position
  }

  /// Places an order for a hold and sees it through. Repeating it with the same id gives the same order.
  public func place(
    _ id: OrderID, hold: HoldID, account: AccountID, paymentMethod: String,
    _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    let (terms, show) = try await booking.lookUp(hold, context)
    let place = Ordering.Place(
      orderID: id, showID: show.showID, holdID: hold, accountID: account, buyer: terms.terms.buyer,
      currency: show.currency,
      lines: terms.terms.seats.map { seat in
        Ordering.Line(
          seat: seat, amount: show.plan.price(of: seat) ?? 0, taxRateBasisPoints: show.taxRateBasisPoints)
      },
      paymentMethod: paymentMethod)
    let placed = try await orders.execute(.place(place), on: id, isNew: true, context)
    return try await seeThrough(id, placed, context)
  }

  /// Cancels an order: a confirmed one is refunded and its seats are freed.
  public func cancel(
    _ id: OrderID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    let outcome: OrderStream.Outcome
    do throws(ServiceError) {
      outcome = try await orders.execute(.cancel, on: id, context)
    } catch .orderRejected(.notPlaced) {
      throw .notFound(kind: "order", id: id.rawValue)
    }
    return try await seeThrough(id, outcome, context)
  }

  /// The order folded from its stream: always the truth, unlike a list.
  public func order(_ id: OrderID) async throws(ServiceError) -> Receipt {
    try receipt(id, try await orders.fold(id))
  }

  /// Does what is left to do for an order, whatever state a crash left it in.
  func resume(_ id: OrderID, _ context: RequestContext) async throws(ServiceError) {
    _ = try await finish(id, try await orders.fold(id), context)
  }

  // MARK: Steps

  /// What is stored is not taken back by trouble with the next step: the answer is then the order as it stands, and
  /// ``OrderProcess`` does the rest.
  private func seeThrough(
    _ id: OrderID, _ outcome: OrderStream.Outcome, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt {
    do throws(ServiceError) {
      return try await finish(id, outcome, context)
    } catch .unavailable, .unreadable, .overloaded, .outcomeUnknown {
      return try receipt(id, outcome)
    }
  }

  private func finish(
    _ id: OrderID, _ outcome: OrderStream.Outcome, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt {
    switch outcome.state {
    case .none, .confirmed, .failed: return try receipt(id, outcome)
    case .placed(let order): return try await confirm(order, context)
    case .cancelled(let order, _):
      try await giveBackSeats(of: order, context)
      return try receipt(id, outcome)
    }
  }

  private func confirm(
    _ order: Ordering.OrderPlaced, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt {
    do throws(ServiceError) {
      _ = try await booking.confirm(order.holdID, for: order.orderID, context)
    } catch .bookingRejected(let rejection) {
      let failed = try await orders.execute(.fail(reason: rejection.code), on: order.orderID, context)
      return try receipt(order.orderID, failed)
    }
    do throws(ServiceError) {
      return try receipt(order.orderID, try await orders.execute(.confirm, on: order.orderID, context))
    } catch .orderRejected {
      // Cancelled or failed by somebody else meanwhile: no order, no seats.
      try await giveBackSeats(of: order, context)
      return try receipt(order.orderID, try await orders.fold(order.orderID))
    }
  }

  private func giveBackSeats(
    of order: Ordering.OrderPlaced, _ context: RequestContext
  ) async throws(ServiceError) {
    while true {
      do throws(ServiceError) {
        _ = try await booking.cancelBooking(order.holdID, for: order.orderID, context)
        return
      } catch .bookingRejected(.holdAlreadyConfirmed) {
        // The seats belong to another order of the same hold.
        return
      } catch .bookingRejected(.notConfirmed) {
        // The order was cancelled before its hold was confirmed.
      }
      do throws(ServiceError) {
        _ = try await booking.release(order.holdID, reason: "order-cancelled", context)
        return
      } catch .bookingRejected(.holdAlreadyConfirmed(let owner)) {
        // If it is ours, somebody who was seeing the order through has confirmed it between the two steps.
        guard owner == order.orderID else { return }
      }
    }
  }

  private func receipt(_ id: OrderID, _ outcome: OrderStream.Outcome) throws(ServiceError) -> Receipt {
    guard let order = outcome.state.order else { throw .notFound(kind: "order", id: id.rawValue) }
    return Receipt(order: order, state: outcome.state, version: outcome.version, position: outcome.position)
  }
}

import Booking
import EventStore
import Foundation
import Ordering
import Vocabulary

/// Orders: a hold becomes a booking and a charge, or nothing.
///
/// The steps are `order-placed`, then the payment if a provider has to get one, then `hold-confirmed` in the show's
/// stream, then `order-confirmed`; if the show refuses or the payment is declined, `order-failed`, and what was paid is
/// given back. Each step may be repeated without harm, so an order that a crash left in the middle is finished by
/// ``OrderProcess``. Without a payment all of them are one append.
public final class OrderingService: Sendable {
  let booking: BookingService
  let rooms: WaitingRooms?
  let orders: OrderStream
  let payments: Payments
  let cancellations: CancellationPolicy
  let time: TimeSource

  /// - Parameter rooms: told when a buyer has got what an admission was for.
  public init(
    store: EventStore, booking: BookingService, rooms: WaitingRooms? = nil, payments: Payments = .none,
    cancellations: CancellationPolicy = .free, time: TimeSource = .system
  ) {
    self.booking = booking
    self.rooms = rooms
    self.payments = payments
    self.cancellations = cancellations
    self.time = time
    orders = OrderStream(store: store, time: time)
  }

  /// An order as it stands.
  public struct Receipt: Sendable {
    public let order: Ordering.OrderPlaced
    public let state: Ordering.Standing
    /// Of an order that is paid through a provider.
    public let payment: Ordering.Payment?
    /// The latest quote for a cancellation.
    public let quote: Ordering.CancellationQuoted?
    /// What was refunded on the account, in minor units.
    public let refunded: Int64
    /// One for each seat, once the order was confirmed.
    public let tickets: [Ordering.Ticket]
    /// Version of the order's stream.
    public let version: Int64
    /// Position of the order's last event.
    public let position: Position
  }

  /// Places an order for a hold and sees it through. Repeating it with the same id gives the same order.
  ///
  /// - Parameters:
  ///   - paymentMethod: `provider:card` is paid through that provider, and may still be unpaid when this returns;
  ///     anything else is put on the account.
  ///   - email: where the buyer is told what becomes of the order.
  public func place(
    _ id: OrderID, hold: HoldID, account: AccountID, paymentMethod: String, email: EmailAddress? = nil,
    _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    let payment = try payment(of: id, by: paymentMethod)
    let (terms, show) = try await booking.lookUp(hold, context)
    let place = Ordering.Place(
      orderID: id, showID: show.showID, holdID: hold, accountID: account, buyer: terms.terms.buyer,
      currency: show.currency,
      lines: terms.terms.seats.map { seat in
        Ordering.Line(
          seat: seat, amount: show.plan.price(of: seat) ?? 0, taxRateBasisPoints: show.taxRateBasisPoints)
      },
      paymentMethod: paymentMethod, email: email, payment: payment)
    if payment == nil, let booked = try await bookAtOnce(place, context) { return booked }
    let placed = try await orders.execute(.place(place), on: id, isNew: true, context)
    return try await seeThrough(id, placed, context)
  }

  /// Of an order that nobody waits for a payment of: it begins, gets its seats and is confirmed in one append, or nothing
  /// happens.
  ///
  /// - Returns: nil if nothing happened. The order was begun before, or does not get its seats, which step by step
  ///   will be found and recorded.
  private func bookAtOnce(
    _ place: Ordering.Place, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt? {
    let draft = try orders.draft([.place(place), .confirm], context)
    do throws(ServiceError) {
      guard
        let position = try await booking.confirm(
          place.holdID, for: place.orderID, beginning: draft.events, context)
      else { return nil }
      await rooms?.served(place.buyer, at: place.showID)
      return try receipt(place.orderID, draft.outcome(at: position))
    } catch .bookingRejected {
      return nil
    }
  }

  /// Cancels an order: a confirmed one is refunded and its seats are freed.
  public func cancel(
    _ id: OrderID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    let outcome = try await execute(.cancel, on: id, context)
    return try await seeThrough(id, outcome, context)
  }

  /// The order folded from its stream: always the truth, unlike a list.
  public func order(_ id: OrderID) async throws(ServiceError) -> Receipt {
    try receipt(id, try await orders.fold(id))
  }

  /// Does what is left to do for an order, whatever state a crash left it in.
  public func resume(_ id: OrderID, _ context: RequestContext) async throws(ServiceError) {
    _ = try await finish(id, try await orders.fold(id), context)
  }

  /// A command on an order that has to be there.
  func execute(
    _ command: Ordering.Command, on id: OrderID, _ context: RequestContext
  ) async throws(ServiceError) -> OrderStream.Outcome {
    do throws(ServiceError) {
      return try await orders.execute(command, on: id, context)
    } catch .orderRejected(.notPlaced) {
      throw .notFound(kind: "order", id: id.rawValue)
    }
  }

  // MARK: Steps

  /// What is stored is not taken back by trouble with the next step: the answer is then the order as it stands, and
  /// ``OrderProcess`` does the rest.
  func seeThrough(
    _ id: OrderID, _ outcome: OrderStream.Outcome, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt {
    do throws(ServiceError) {
      return try await finish(id, outcome, context)
    } catch .unavailable, .unreadable, .overloaded, .outcomeUnknown, .invalid {
      return try receipt(id, outcome)
    }
  }

  func finish(
    _ id: OrderID, _ outcome: OrderStream.Outcome, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt {
    switch outcome.state.standing {
    case .none: return try receipt(id, outcome)
    case .placed(let order):
      guard outcome.state.isUnpaid else { return try await confirm(order, context) }
      let charged = try await collect(order, outcome, context)
      // Without an answer yet, there is nothing more to do.
      return charged.state.isUnpaid ? try receipt(id, charged) : try await finish(id, charged, context)
    case .confirmed(let order):
      let cancelled = outcome.state.cancelledSeats
      if !cancelled.isEmpty {
        _ = try await booking.cancelSeats(cancelled.sorted(), of: order.holdID, for: id, context)
      }
      return try receipt(id, try await settleRefunds(outcome, context))
    case .failed(let order, _):
      let inquired = try await inquire(order, outcome, context)
      return try receipt(id, try await settleRefunds(inquired, context))
    case .cancelled(let order, _):
      try await giveBackSeats(of: order, context)
      let inquired = try await inquire(order, outcome, context)
      return try receipt(id, try await settleRefunds(inquired, context))
    }
  }

  private func confirm(
    _ order: Ordering.OrderPlaced, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt {
    do throws(ServiceError) {
      _ = try await booking.confirm(order.holdID, for: order.orderID, context)
    } catch .bookingRejected(let rejection) {
      let failed = try await fail(order.orderID, because: rejection.code, context)
      return try receipt(order.orderID, try await settleRefunds(failed, context))
    }
    do throws(ServiceError) {
      let confirmed = try await orders.execute(.confirm, on: order.orderID, context)
      await rooms?.served(order.buyer, at: order.showID)
      return try receipt(order.orderID, confirmed)
    } catch .orderRejected {
      // Cancelled or failed by somebody else meanwhile: no order, no seats.
      try await giveBackSeats(of: order, context)
      let ended = try await orders.fold(order.orderID)
      return try receipt(order.orderID, try await settleRefunds(ended, context))
    }
  }

  /// Fails the order, unless somebody else was faster in ending it.
  func fail(
    _ id: OrderID, because reason: String, _ context: RequestContext
  ) async throws(ServiceError) -> OrderStream.Outcome {
    do throws(ServiceError) {
      return try await orders.execute(.fail(reason: reason), on: id, context)
    } catch .orderRejected {
      return try await orders.fold(id)
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

  func receipt(_ id: OrderID, _ outcome: OrderStream.Outcome) throws(ServiceError) -> Receipt {
    guard let order = outcome.state.order else { throw .notFound(kind: "order", id: id.rawValue) }
    return Receipt(
      order: order, state: outcome.state.standing, payment: outcome.state.payment,
      quote: outcome.state.quote, refunded: outcome.state.refunded, tickets: outcome.state.tickets,
      version: outcome.version,
      position: outcome.position)
  }
}

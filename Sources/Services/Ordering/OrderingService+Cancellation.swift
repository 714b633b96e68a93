import EventStore
import Ordering
import Vocabulary

extension OrderingService {
  /// How long a quote can be taken up.
  public static let quoteLifetime = Duration.seconds(15 * 60)

  /// Says what cancelling now would give back, by the policy and the time that is left before the show. Nothing is
  /// cancelled. Repeating it with the same id gives the same quote.
  ///
  /// - Parameter seats: nil for all that the order still has.
  public func quoteCancellation(
    of id: OrderID, seats: [SeatID]?, as quote: QuoteID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    let folded = try await orders.fold(id)
    guard let order = folded.state.order else { throw .notFound(kind: "order", id: id.rawValue) }
    let (_, show) = try await booking.lookUp(order.holdID, context)
    let now = time.now
    guard let fee = cancellations.feeBasisPoints(at: now, before: show.startsAt) else {
      throw .orderRejected(.tooLateToCancel(id))
    }
    let request = Ordering.QuoteRequest(
      id: quote, seats: seats, feeBasisPoints: fee, expiresAt: min(now + Self.quoteLifetime, show.startsAt))
    return try receipt(id, try await execute(.quoteCancellation(request), on: id, context))
  }

  /// Cancels what a quote was for, at its terms. Repeating it changes nothing.
  public func confirmCancellation(
    of id: OrderID, quote: QuoteID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    try await seeThrough(id, try await execute(.confirmCancellation(quote), on: id, context), context)
  }
}

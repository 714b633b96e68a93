import Ordering
import Vocabulary

extension OrderingService {
  /// Gives the ticket for a seat to somebody else. Who pays, and is refunded, stays the same.
  public func transfer(
    _ seat: SeatID, of id: OrderID, to holder: BuyerID, email: EmailAddress? = nil,
    _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    try receipt(id, try await execute(.transfer(seat, to: holder, email: email), on: id, context))
  }

  /// Lets somebody in with the ticket for a seat, once. Repeating it with the same scan changes nothing; another scan of
  /// the same ticket is refused.
  public func checkIn(
    _ seat: SeatID, of id: OrderID, scan: ScanID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    try receipt(id, try await execute(.checkIn(seat, scan: scan), on: id, context))
  }

  /// Refunds whatever an order of a cancelled show still has.
  func refundCancelledShow(_ id: OrderID, _ context: RequestContext) async throws(ServiceError) {
    let outcome = try await execute(.refundCancelledShow, on: id, context)
    _ = try await finish(id, outcome, context)
  }
}

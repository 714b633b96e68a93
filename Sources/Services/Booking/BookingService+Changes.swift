import Booking
import EventStore
import Vocabulary

// What happens to holds and shows besides being made and ended.
extension BookingService {
  /// Lets a hold live on, within the show's limit. At the limit nothing changes, which the hold's `expiresAt` tells.
  public func extend(
    _ id: HoldID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> HoldReceipt {
    try await send(.extend(id), of: id, context).holdReceipt(id)
  }

  /// Ends the sale of a show that will not take place. Its bookings stand until each is cancelled.
  @discardableResult
  public func cancelShow(
    _ show: ShowID, reason: String, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    try await send(.cancelShow(reason: reason), to: show, context).receipt
  }
}

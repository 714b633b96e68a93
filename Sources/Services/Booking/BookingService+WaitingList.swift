import Booking
import EventStore
import Vocabulary

// Waiting for seats of a show that has none. Seats that are freed are offered in the append that frees them: an offer
// is a hold under the id of the entry.
extension BookingService {
  /// Somebody's place on the waiting list, and the hold if seats were offered.
  public struct WaitingReceipt: Sendable {
    public let entry: Booking.WaitingRecord
    public let offer: Booking.HoldRecord?
    public let receipt: Receipt
  }

  /// Waits behind everybody who waits already. Repeating it with the same id gives the same place.
  public func joinWaitingList(
    _ id: WaitingID, show: ShowID, buyer: BuyerID, wish: Booking.Best,
    _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> WaitingReceipt {
    guard id.hold.show == show else { throw .invalid("waiting id \(id) does not belong to show \(show)") }
    let request = Booking.WaitingRequest(waitingID: id, buyer: buyer, wish: wish)
    return try await send(.joinWaitingList(request), to: show, context).waitingReceipt(id)
  }

  /// Waits no longer, and gives an offer back. Repeating it is fine.
  public func leaveWaitingList(
    _ id: WaitingID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> WaitingReceipt {
    guard let show = id.hold.show else { throw .notFound(kind: "waiting-list entry", id: id.rawValue) }
    return try await send(.leaveWaitingList(id), to: show, context).waitingReceipt(id)
  }

  /// A place on the waiting list as the show's stream has it now.
  public func waiting(
    _ id: WaitingID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> WaitingReceipt {
    guard let show = id.hold.show else { throw .notFound(kind: "waiting-list entry", id: id.rawValue) }
    return try await mailbox(of: show).lookUp(id, context).waitingReceipt(id)
  }
}

extension ShowMailbox.Decision {
  fileprivate func waitingReceipt(_ id: WaitingID) throws(ServiceError) -> BookingService.WaitingReceipt {
    guard let waiting else { throw .notFound(kind: "waiting-list entry", id: id.rawValue) }
    return BookingService.WaitingReceipt(entry: waiting, offer: hold, receipt: receipt)
  }
}

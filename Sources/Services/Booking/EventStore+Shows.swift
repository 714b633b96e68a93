import Booking
import EventStore
import Vocabulary

extension EventStore {
  /// A show as it was scheduled, which never changes: the first event of its stream; nil if there is none.
  public func scheduledShow(_ id: ShowID) async throws -> Booking.ShowScheduled? {
    guard let first = try await read(.show(id), limit: 1).first,
      case .showScheduled(let show) = try first.decode(as: Booking.Event.self)
    else { return nil }
    return show
  }
}

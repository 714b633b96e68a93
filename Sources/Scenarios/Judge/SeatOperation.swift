import Vocabulary

/// What one request did to one seat, or saw of it, as its buyer was told.
struct SeatOperation: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    /// The seat went to a hold, until an instant of the scenario's clock.
    case taken(HoldID, until: Timestamp)
    /// The hold became a booking.
    case booked(HoldID)
    /// The booking was given back.
    case freed(HoldID)
    /// Refused: somebody had the seat.
    case seenTaken
    /// Refused: the hold did not have the seat any more.
    case seenLost(HoldID)
  }

  let kind: Kind
  /// The scenario's clock while it was decided.
  let at: Timestamp
  /// When the request was sent and when the answer came, in microseconds of the run. It took effect in between.
  let start: Int64
  let end: Int64
  /// False if nobody knows whether it took effect: it did at some moment after it was sent, or never.
  var isCertain = true
}

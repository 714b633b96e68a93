import Services
import Vocabulary

/// What a buyer asked and was told at the door of a waiting room, from taking a place until going.
struct DoorStay: Sendable {
  struct Ask: Sendable {
    /// For the first time, if the server was too busy to answer then.
    let sentMicroseconds: Int64
    let answeredMicroseconds: Int64
    let isAdmitted: Bool
  }

  let buyer: BuyerID
  let show: ShowID
  /// The first one took the place, the others looked at it.
  var asks: [Ask] = []
  /// When the order was sent, or the place given up: the buyer may be out from then on.
  var goesAtMicroseconds: Int64?

  /// When the buyer learned that they are in.
  var toldMicroseconds: Int64? { asks.first(where: \.isAdmitted)?.answeredMicroseconds }

  /// The last look that was answered with "not yet".
  var lastWaiting: Ask? { asks.dropFirst().last { !$0.isAdmitted } }

  /// When the buyer was inside for certain; nil if never.
  ///
  /// An admission's time begins with the look that first shows it, which is after the look before was sent. A second is
  /// taken off it, since the room goes by the database's clock.
  func inside(_ terms: WaitingRoom.Terms) -> Range<Int64>? {
    guard let first = asks.firstIndex(where: \.isAdmitted) else { return nil }
    let begins = asks[first].answeredMicroseconds
    let lasts = Int64(terms.admissionSeconds - 1) * 1_000_000
    let ends = min(goesAtMicroseconds ?? .max, asks[max(0, first - 1)].sentMicroseconds + lasts)
    return begins < ends ? begins..<ends : nil
  }
}

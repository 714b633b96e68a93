import Vocabulary

/// Who may sit where in one show. The stream `show-<id>` is the only authority on its seats.
///
/// Read it in this order: ``Booking/Command``, ``Booking/Event``, ``Booking/State``, then
/// ``Booking/decide(_:_:at:)``. Who wins a seat is decided in `Booking+SeatDecision.swift`.
public enum Booking: Decider {
  public static var initialState: State { State() }

  /// How many seats one hold may take.
  public static let maximumSeatsPerHold = 100

  /// How many seats one show may have.
  public static let maximumSeatsPerShow = 100_000

  /// The highest price of a seat, in minor units; a hold's total is far from overflowing below it.
  public static let maximumPrice: Int64 = 1_000_000_000_000

  /// How long a show may let its holds live.
  public static let holdTTLSeconds = 1...86_400

  /// The tax rates a show may have; 10,000 basis points are 100 %.
  public static let taxRateBasisPoints = 0...10_000
}

import Vocabulary

/// What a buyer ordered and what became of it. One stream `order-<id>` per order.
///
/// ```
/// none ──place──▶ placed ──confirm──▶ confirmed ──cancel──▶ cancelled (refunded)
///                   ├──fail─────▶ failed
///                   └──cancel───▶ cancelled (nothing to refund)
/// ```
/// An order that is paid through a provider is only confirmed once the money is there. Money for which the buyer has no
/// seat is given back; see `Ordering+Payment.swift`.
///
/// Read it in this order: ``Ordering/Command``, ``Ordering/Event``, ``Ordering/State``, then
/// ``Ordering/decide(_:_:at:)``.
public enum Ordering: Decider {
  public static var initialState: State { .none }

  /// One seat of an order.
  public struct Line: Sendable, Hashable, Codable {
    public let seat: SeatID
    /// Tax included, in minor units of the order's currency.
    public let amount: Int64
    /// The rate on the net amount, in basis points.
    public let taxRateBasisPoints: Int

    private enum CodingKeys: String, CodingKey {
      case seat
      case amount
      case taxRateBasisPoints = "tax_rate_bp"
    }

    public init(seat: SeatID, amount: Int64, taxRateBasisPoints: Int) {
      self.seat = seat
      self.amount = amount
      self.taxRateBasisPoints = taxRateBasisPoints
    }
  }
}

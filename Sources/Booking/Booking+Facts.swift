import Vocabulary

extension Booking {
  /// The show is on sale with this plan of seats.
  public struct ShowScheduled: Sendable, Hashable, Codable {
    public let showID: ShowID
    public let title: String
    public let startsAt: Timestamp
    public let currency: Currency
    public let taxRateBasisPoints: Int
    public let holdTTLSeconds: Int
    public let plan: SeatPlan
    public let scheduledAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case showID = "show_id"
      case title
      case startsAt = "starts_at"
      case currency
      case taxRateBasisPoints = "tax_rate_bp"
      case holdTTLSeconds = "hold_ttl_seconds"
      case plan = "sections"
      case scheduledAt = "scheduled_at"
    }

    public init(
      showID: ShowID, title: String, startsAt: Timestamp, currency: Currency, taxRateBasisPoints: Int,
      holdTTLSeconds: Int, plan: SeatPlan, scheduledAt: Timestamp
    ) {
      self.showID = showID
      self.title = title
      self.startsAt = startsAt
      self.currency = currency
      self.taxRateBasisPoints = taxRateBasisPoints
      self.holdTTLSeconds = holdTTLSeconds
      self.plan = plan
      self.scheduledAt = scheduledAt
    }
  }

  /// A buyer has these seats until `expiresAt` (exclusive).
  public struct SeatsHeld: Sendable, Hashable, Codable {
    public let holdID: HoldID
    public let buyer: BuyerID
    public let seats: [SeatID]
    public let total: Money
    public let heldAt: Timestamp
    public let expiresAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case buyer
      case seats
      case total
      case heldAt = "held_at"
      case expiresAt = "expires_at"
    }

    public init(
      holdID: HoldID, buyer: BuyerID, seats: [SeatID], total: Money, heldAt: Timestamp, expiresAt: Timestamp
    ) {
      self.holdID = holdID
      self.buyer = buyer
      self.seats = seats
      self.total = total
      self.heldAt = heldAt
      self.expiresAt = expiresAt
    }
  }

  /// The held seats are booked for an order.
  public struct HoldConfirmed: Sendable, Hashable, Codable {
    public let holdID: HoldID
    public let orderID: OrderID
    public let seats: [SeatID]
    public let confirmedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case orderID = "order_id"
      case seats
      case confirmedAt = "confirmed_at"
    }

    public init(holdID: HoldID, orderID: OrderID, seats: [SeatID], confirmedAt: Timestamp) {
      self.holdID = holdID
      self.orderID = orderID
      self.seats = seats
      self.confirmedAt = confirmedAt
    }
  }

  /// The held seats were given back before their time was over.
  public struct HoldReleased: Sendable, Hashable, Codable {
    public let holdID: HoldID
    public let seats: [SeatID]
    public let reason: String
    public let releasedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case seats
      case reason
      case releasedAt = "released_at"
    }

    public init(holdID: HoldID, seats: [SeatID], reason: String, releasedAt: Timestamp) {
      self.holdID = holdID
      self.seats = seats
      self.reason = reason
      self.releasedAt = releasedAt
    }
  }

  /// The hold's time was over before it was confirmed.
  public struct HoldExpired: Sendable, Hashable, Codable {
    public let holdID: HoldID
    public let seats: [SeatID]
    /// When it was noticed; never before the hold's `expiresAt`.
    public let expiredAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case seats
      case expiredAt = "expired_at"
    }

    public init(holdID: HoldID, seats: [SeatID], expiredAt: Timestamp) {
      self.holdID = holdID
      self.seats = seats
      self.expiredAt = expiredAt
    }
  }

  /// The booked seats are free again.
  public struct BookingCancelled: Sendable, Hashable, Codable {
    public let holdID: HoldID
    public let orderID: OrderID
    public let seats: [SeatID]
    public let cancelledAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case orderID = "order_id"
      case seats
      case cancelledAt = "cancelled_at"
    }

    public init(holdID: HoldID, orderID: OrderID, seats: [SeatID], cancelledAt: Timestamp) {
      self.holdID = holdID
      self.orderID = orderID
      self.seats = seats
      self.cancelledAt = cancelledAt
    }
  }
}

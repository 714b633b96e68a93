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
    public let policy: Policy
    public let scheduledAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case showID = "show_id"
      case title
      case startsAt = "starts_at"
      case currency
      case taxRateBasisPoints = "tax_rate_bp"
      case holdTTLSeconds = "hold_ttl_seconds"
      case policy
      case scheduledAt = "scheduled_at"
    }

    public init(
      showID: ShowID, title: String, startsAt: Timestamp, currency: Currency, taxRateBasisPoints: Int,
      holdTTLSeconds: Int, plan: SeatPlan, policy: Policy = .standard, scheduledAt: Timestamp
    ) {
      self.showID = showID
      self.title = title
      self.startsAt = startsAt
      self.currency = currency
      self.taxRateBasisPoints = taxRateBasisPoints
      self.holdTTLSeconds = holdTTLSeconds
      self.plan = plan
      self.policy = policy
      self.scheduledAt = scheduledAt
    }

    /// The plan's own keys stand beside those of the show.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      showID = try container.decode(ShowID.self, forKey: .showID)
      title = try container.decode(String.self, forKey: .title)
      startsAt = try container.decode(Timestamp.self, forKey: .startsAt)
      currency = try container.decode(Currency.self, forKey: .currency)
      taxRateBasisPoints = try container.decode(Int.self, forKey: .taxRateBasisPoints)
      holdTTLSeconds = try container.decode(Int.self, forKey: .holdTTLSeconds)
      plan = try SeatPlan(from: decoder)
      policy = try container.decodeIfPresent(Policy.self, forKey: .policy) ?? .standard
      scheduledAt = try container.decode(Timestamp.self, forKey: .scheduledAt)
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(showID, forKey: .showID)
      try container.encode(title, forKey: .title)
      try container.encode(startsAt, forKey: .startsAt)
      try container.encode(currency, forKey: .currency)
      try container.encode(taxRateBasisPoints, forKey: .taxRateBasisPoints)
      try container.encode(holdTTLSeconds, forKey: .holdTTLSeconds)
      try plan.encode(to: encoder)
      if policy != .standard { try container.encode(policy, forKey: .policy) }
      try container.encode(scheduledAt, forKey: .scheduledAt)
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

  /// The buyer has the held seats until a later instant.
  public struct HoldExtended: Sendable, Hashable, Codable {
    public let holdID: HoldID
    public let expiresAt: Timestamp
    public let extendedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case expiresAt = "expires_at"
      case extendedAt = "extended_at"
    }

    public init(holdID: HoldID, expiresAt: Timestamp, extendedAt: Timestamp) {
      self.holdID = holdID
      self.expiresAt = expiresAt
      self.extendedAt = extendedAt
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

  /// The show will not take place. Its bookings stand until each is cancelled.
  public struct ShowCancelled: Sendable, Hashable, Codable {
    public let reason: String
    public let cancelledAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case reason
      case cancelledAt = "cancelled_at"
    }

    public init(reason: String, cancelledAt: Timestamp) {
      self.reason = reason
      self.cancelledAt = cancelledAt
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

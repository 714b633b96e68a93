import Vocabulary

extension Booking {
  /// The rules of one show's sale that are not the same everywhere.
  public struct Policy: Sendable, Hashable {
    /// Whether a purchase may leave a single free seat between others that are taken.
    public enum Orphans: String, Sendable, Hashable, Codable, CaseIterable {
      case allowed
      /// Only where the party would get no seats side by side otherwise, and by who names seats.
      case avoided
      case forbidden
    }

    public var orphans: Orphans
    /// How many seats one buyer may have, held and booked; `nil` for no limit.
    public var seatsPerBuyer: Int?
    /// How long a hold may live with all its extensions; three times as long as without if left out.
    public var holdLifetimeSeconds: Int?

    public static let standard = Policy()

    public init(orphans: Orphans = .allowed, seatsPerBuyer: Int? = nil, holdLifetimeSeconds: Int? = nil) {
      self.orphans = orphans
      self.seatsPerBuyer = seatsPerBuyer
      self.holdLifetimeSeconds = holdLifetimeSeconds
    }

    /// How long a hold may live in a show whose holds live `ttl` seconds at first.
    public func holdLifetime(ttl: Int) -> Int { holdLifetimeSeconds ?? 3 * ttl }
  }

  /// The limits that a show may set for a buyer.
  public static let seatsPerBuyer = 1...100_000

  /// How long a show may let its holds live with all extensions.
  public static let holdLifetimeSeconds = 1...259_200
}

extension Booking.Policy: Codable {
  private enum CodingKeys: String, CodingKey {
    case orphans
    case seatsPerBuyer = "seats_per_buyer"
    case holdLifetimeSeconds = "hold_lifetime_seconds"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    orphans = try container.decodeIfPresent(Orphans.self, forKey: .orphans) ?? .allowed
    seatsPerBuyer = try container.decodeIfPresent(Int.self, forKey: .seatsPerBuyer)
    holdLifetimeSeconds = try container.decodeIfPresent(Int.self, forKey: .holdLifetimeSeconds)
  }
}

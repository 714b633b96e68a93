import Vocabulary

extension Booking {
  /// Somebody waits for seats of the show, behind everybody who waits already.
  public struct WaitingListJoined: Sendable, Hashable, Codable {
    public let waitingID: WaitingID
    public let buyer: BuyerID
    public let wish: Best
    public let joinedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case waitingID = "waiting_id"
      case buyer
      case wish
      case joinedAt = "joined_at"
    }

    public init(waitingID: WaitingID, buyer: BuyerID, wish: Best, joinedAt: Timestamp) {
      self.waitingID = waitingID
      self.buyer = buyer
      self.wish = wish
      self.joinedAt = joinedAt
    }
  }

  /// Somebody waits no longer, of their own accord.
  public struct WaitingListLeft: Sendable, Hashable, Codable {
    public let waitingID: WaitingID
    public let leftAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case waitingID = "waiting_id"
      case leftAt = "left_at"
    }

    public init(waitingID: WaitingID, leftAt: Timestamp) {
      self.waitingID = waitingID
      self.leftAt = leftAt
    }
  }
}

extension Booking.Best: Codable {
  private enum CodingKeys: String, CodingKey { case count, section, category, together, accessible }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    count = try container.decode(Int.self, forKey: .count)
    section = try container.decodeIfPresent(SectionID.self, forKey: .section)
    category = try container.decodeIfPresent(CategoryID.self, forKey: .category)
    together = try container.decodeIfPresent(Bool.self, forKey: .together) ?? true
    accessible = try container.decodeIfPresent(Int.self, forKey: .accessible) ?? 0
  }

  /// Leaves out what is as usual.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(count, forKey: .count)
    try container.encodeIfPresent(section, forKey: .section)
    try container.encodeIfPresent(category, forKey: .category)
    if !together { try container.encode(together, forKey: .together) }
    if accessible != 0 { try container.encode(accessible, forKey: .accessible) }
  }
}

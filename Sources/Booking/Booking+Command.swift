import Vocabulary

extension Booking {
  /// What somebody wants of a show.
  public enum Command: Sendable, Hashable {
    /// Puts the show on sale.
    case schedule(Schedule)
    /// Takes seats for a while, all of them or none.
    case hold(Hold)
    /// Turns a live hold into a booking.
    case confirm(HoldID, order: OrderID)
    /// Lets a live hold live on for as long as a new one would, within the show's limit.
    case extend(HoldID)
    /// Gives a hold's seats back early.
    case release(HoldID, reason: String)
    /// Ends a hold whose time is over.
    case expire(HoldID)
    /// Gives the seats of a confirmed hold back.
    case cancelBooking(HoldID, for: OrderID)
    /// Gives some seats of a confirmed hold back.
    case cancelSeats(HoldID, for: OrderID, seats: [SeatID])
    /// The show will not take place. Nothing is sold any more; what is booked stays booked until it is refunded.
    case cancelShow(reason: String)
    /// Waits for seats of a show that has none of the kind.
    case joinWaitingList(WaitingRequest)
    /// Waits no longer; an offer is given back.
    case leaveWaitingList(WaitingID)
  }

  public struct Schedule: Sendable, Hashable {
    public var showID: ShowID
    public var title: String
    public var startsAt: Timestamp
    public var currency: Currency
    /// On the net price, and contained in every seat's price.
    public var taxRateBasisPoints: Int
    public var holdTTLSeconds: Int
    public var sections: [SeatPlan.Section]
    public var categories: [SeatPlan.Category]
    public var focalPoint: SeatPlan.Point?
    public var policy: Policy

    public init(
      showID: ShowID, title: String, startsAt: Timestamp, currency: Currency, taxRateBasisPoints: Int,
      holdTTLSeconds: Int, sections: [SeatPlan.Section], categories: [SeatPlan.Category] = [],
      focalPoint: SeatPlan.Point? = nil, policy: Policy = .standard
    ) {
      self.showID = showID
      self.title = title
      self.startsAt = startsAt
      self.currency = currency
      self.taxRateBasisPoints = taxRateBasisPoints
      self.holdTTLSeconds = holdTTLSeconds
      self.sections = sections
      self.categories = categories
      self.focalPoint = focalPoint
      self.policy = policy
    }

    /// The seat plan as it was written down.
    public var plan: SeatPlan.Document {
      SeatPlan.Document(sections: sections, categories: categories, focalPoint: focalPoint)
    }
  }

  public struct Hold: Sendable, Hashable {
    public var holdID: HoldID
    public var buyer: BuyerID
    public var seats: SeatChoice

    public init(holdID: HoldID, buyer: BuyerID, seats: SeatChoice) {
      self.holdID = holdID
      self.buyer = buyer
      self.seats = seats
    }
  }

  public struct WaitingRequest: Sendable, Hashable {
    public var waitingID: WaitingID
    public var buyer: BuyerID
    public var wish: Best

    public init(waitingID: WaitingID, buyer: BuyerID, wish: Best) {
      self.waitingID = waitingID
      self.buyer = buyer
      self.wish = wish
    }
  }

  /// Which seats a buyer asks for.
  public enum SeatChoice: Sendable, Hashable {
    case named([SeatID])
    /// The best ones that are free; how they are found is in `SeatSearch.swift`.
    case best(Best)

    /// The best `count` seats side by side.
    public static func best(count: Int, section: SectionID? = nil) -> SeatChoice {
      .best(Best(count: count, section: section))
    }
  }

  /// What the best seats are to be like.
  public struct Best: Sendable, Hashable {
    public var count: Int
    public var section: SectionID?
    public var category: CategoryID?
    /// Side by side or not at all. Otherwise the party may be split if need be.
    public var together: Bool
    /// How many of the seats have to be wheelchair places.
    public var accessible: Int

    public init(
      count: Int, section: SectionID? = nil, category: CategoryID? = nil, together: Bool = true,
      accessible: Int = 0
    ) {
      self.count = count
      self.section = section
      self.category = category
      self.together = together
      self.accessible = accessible
    }
  }
}

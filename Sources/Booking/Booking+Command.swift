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
    /// Gives a hold's seats back early.
    case release(HoldID, reason: String)
    /// Ends a hold whose time is over.
    case expire(HoldID)
    /// Gives the seats of a confirmed hold back.
    case cancelBooking(HoldID, for: OrderID)
    /// Gives some seats of a confirmed hold back.
    case cancelSeats(HoldID, for: OrderID, seats: [SeatID])
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

    public init(
      showID: ShowID, title: String, startsAt: Timestamp, currency: Currency, taxRateBasisPoints: Int,
      holdTTLSeconds: Int, sections: [SeatPlan.Section]
    ) {
      self.showID = showID
      self.title = title
      self.startsAt = startsAt
      self.currency = currency
      self.taxRateBasisPoints = taxRateBasisPoints
      self.holdTTLSeconds = holdTTLSeconds
      self.sections = sections
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

  /// Which seats a buyer asks for.
  public enum SeatChoice: Sendable, Hashable {
    case named([SeatID])
    /// The first `count` adjacent seats of one row, rows taken in the order of the plan.
    case best(count: Int, section: SectionID? = nil)
  }
}

import Booking
import Services
import Vocabulary

/// A show, its house and what is already sold when the run starts.
public struct ShowOnSale: Hashable, Sendable {
  public var id: ShowID
  public var title: String
  public var startsAt: Timestamp
  public var currency: Currency
  /// Tax that the prices include, in basis points (7 % is 700).
  public var taxBasisPoints: Int
  /// How long a hold lasts without payment.
  public var holdTTL: Duration
  public var sections: [Section]
  public var alreadySold: AlreadySold
  /// The place that the best seats are nearest to; without one the first are the best.
  public var focalPoint: SeatPlan.Point? = nil
  public var policy: Booking.Policy = .standard
  /// When it is called off.
  public var calledOffAt: Timestamp? = nil
  /// Prices by name, for seats that cost the same wherever they stand.
  public var categories: [SeatPlan.Category] = []
  /// Who may shop at once; everybody if nil. Its clock is the real one.
  public var waitingRoom: WaitingRoom.Terms? = nil

  public struct Section: Hashable, Sendable {
    public var id: SectionID
    /// Minor units of the show's currency, tax included; of seats without a category.
    public var price: Int64?
    public var rows: [Row]
    /// How many people a section without rows takes.
    public var capacity: Int? = nil
    /// Of its rows that name none.
    public var category: CategoryID? = nil
  }

  public struct Row: Hashable, Sendable {
    public var id: String
    public var seats: Int
    /// From left to right, where there is an aisle.
    public var aislesAfter: [Int] = []
    public var category: CategoryID? = nil
    /// The numbers of the seats that are places for a wheelchair, and of those kept for who comes with its user.
    public var wheelchair: [Int] = []
    public var companion: [Int] = []
  }

  public enum AlreadySold: Hashable, Sendable {
    case nothing
    /// All but the last N seats in plan order.
    case allBut(Int)
    /// All but these.
    case allExcept([SeatID])
    case seats([SeatID])
  }

  public var totalSeats: Int {
    sections.reduce(0) { $0 + $1.lines.reduce(0) { $0 + $1.seats } }
  }

  /// Every seat in plan order: section by section, row by row, from number 1.
  public var seatIDs: [SeatID] {
    sections.flatMap { section in
      section.lines.flatMap { row in
        (1...max(row.seats, 1)).map { SeatID(unchecked: "\(row.id)-\($0)") }
      }
    }
  }

  /// The seats that somebody else bought before the run starts, in plan order.
  public var seatsAlreadySold: [SeatID] {
    switch alreadySold {
    case .nothing: return []
    case .allBut(let count): return Array(seatIDs.dropLast(count))
    case .allExcept(let free):
      let free = Set(free)
      return seatIDs.filter { !free.contains($0) }
    case .seats(let sold):
      let sold = Set(sold)
      return seatIDs.filter { sold.contains($0) }
    }
  }
}

extension ShowOnSale {
  /// Of the categories that a section's seats have, the highest first.
  func prices(in section: Section) -> [Int64] {
    let used = Set(
      section.rows.compactMap { $0.category ?? section.category } + [section.category].compactMap(\.self))
    return Set(categories.filter { used.contains($0.id) }.map(\.price)).sorted(by: >)
  }
}

extension ShowOnSale.Section {
  /// What its seats are named after: its rows, or the section itself where people stand.
  var lines: [ShowOnSale.Row] {
    capacity.map { [ShowOnSale.Row(id: id.rawValue, seats: $0)] } ?? rows
  }
}

extension ShowOnSale.Row {
  /// Where each seat stands, an aisle being as wide as a seat; nil if they stand side by side.
  var places: [Int]? {
    guard !aislesAfter.isEmpty else { return nil }
    return (1...max(seats, 1)).map { seat in seat + aislesAfter.count { $0 < seat } }
  }
}

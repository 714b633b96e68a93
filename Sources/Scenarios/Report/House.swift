import Vocabulary

/// A show's seats at the end of a run, for a picture of the house.
public struct House: Hashable, Sendable, Codable {
  public var show: String
  public var title: String
  public var sections: [Section]

  public struct Section: Hashable, Sendable, Codable {
    public var id: String
    /// For people: `45.00 EUR`.
    public var price: String
    public var rows: [Row]

    public init(id: String, price: String, rows: [Row]) {
      self.id = id
      self.price = price
      self.rows = rows
    }
  }

  public struct Row: Hashable, Sendable, Codable {
    public var id: String
    /// From number 1.
    public var seats: [Seat]

    public init(id: String, seats: [Seat]) {
      self.id = id
      self.seats = seats
    }
  }

  public struct Seat: Hashable, Sendable, Codable {
    public var state: State
    /// Who has it; more than one if it was sold more than once.
    public var buyers: [String]
    /// When it was first sold in this run, in real microseconds since the start.
    public var soldAtMicroseconds: Int64?

    public init(_ state: State, buyers: [String] = [], soldAtMicroseconds: Int64? = nil) {
      self.state = state
      self.buyers = buyers
      self.soldAtMicroseconds = soldAtMicroseconds
    }

    enum CodingKeys: String, CodingKey {
      case state, buyers
      case soldAtMicroseconds = "sold_at_us"
    }
  }

  public enum State: String, CaseIterable, Hashable, Sendable, Codable {
    case free
    case held
    /// Before the run began.
    case soldBefore = "sold-before"
    case sold
    /// To several buyers at once.
    case oversold
  }

  public init(show: String, title: String, sections: [Section]) {
    self.show = show
    self.title = title
    self.sections = sections
  }

  /// The house of a planned show; `state` is asked for each seat.
  public init(_ show: ShowOnSale, state: (SeatID) -> Seat) {
    self.init(
      show: show.id.rawValue, title: show.title,
      sections: show.sections.map { section in
        let prices = section.price.map { [$0] } ?? show.prices(in: section)
        let price = prices.map { Money(minorUnits: $0, currency: show.currency).formatted }.joined(
          separator: ", ")
        return Section(
          id: section.id.rawValue, price: price,
          rows: section.lines.map { row in
            Row(
              id: row.id,
              seats: (1...max(row.seats, 1)).map { state(SeatID(unchecked: "\(row.id)-\($0)")) })
          })
      })
  }

  var seatCount: Int { sections.reduce(0) { $0 + $1.rows.reduce(0) { $0 + $1.seats.count } } }

  func count(_ state: State) -> Int {
    sections.reduce(0) { sum, section in
      sum + section.rows.reduce(0) { $0 + $1.seats.count { $0.state == state } }
    }
  }
}

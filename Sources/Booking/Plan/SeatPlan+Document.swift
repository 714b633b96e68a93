import Vocabulary

extension SeatPlan {
  /// A plan as somebody writes it down. It may have any mistakes; ``SeatPlan/init(_:)`` finds them.
  ///
  /// Coordinates are in hundredths: 100 from one seat to the next, 100 from one row to the next, x to the right and y
  /// away from the stage.
  public struct Document: Sendable, Hashable, Codable {
    public var sections: [Section]
    public var categories: [Category]
    /// The place in the house that the best seats are nearest to. Without one, the order of the plan is the order of
    /// quality.
    public var focalPoint: Point?

    public init(sections: [Section], categories: [Category] = [], focalPoint: Point? = nil) {
      self.sections = sections
      self.categories = categories
      self.focalPoint = focalPoint
    }

    private enum CodingKeys: String, CodingKey {
      case sections, categories
      case focalPoint = "focal_point"
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      sections = try container.decode([Section].self, forKey: .sections)
      categories = try container.decodeIfPresent([Category].self, forKey: .categories) ?? []
      focalPoint = try container.decodeIfPresent(Point.self, forKey: .focalPoint)
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(sections, forKey: .sections)
      if !categories.isEmpty { try container.encode(categories, forKey: .categories) }
      try container.encodeIfPresent(focalPoint, forKey: .focalPoint)
    }
  }

  /// Seats that cost the same, wherever they stand.
  public struct Category: Sendable, Hashable, Codable {
    public var id: CategoryID
    public var name: String
    /// Of one seat, tax included, in minor units of the show's currency.
    public var price: Int64

    public init(id: CategoryID, name: String, price: Int64) {
      self.id = id
      self.name = name
      self.price = price
    }
  }

  public struct Point: Sendable, Hashable, Codable {
    public var x: Int
    public var y: Int

    public init(x: Int, y: Int) {
      self.x = x
      self.y = y
    }
  }

  /// A part of the house: rows of seats, or a floor without seats for so many people.
  public struct Section: Sendable, Hashable, Codable {
    public var id: SectionID
    /// Of a seat that has no category, tax included, in minor units of the show's currency.
    public var price: Int64?
    /// Of the seats whose row and own entry name none.
    public var category: CategoryID?
    public var rows: [Row]
    /// How many people a section without rows takes; its places are `<section>-1`, `<section>-2`…
    public var capacity: Int?
    /// Where a section without rows is.
    public var x: Int?
    public var y: Int?

    public init(
      id: SectionID, price: Int64? = nil, category: CategoryID? = nil, rows: [Row] = [], capacity: Int? = nil,
      x: Int? = nil, y: Int? = nil
    ) {
      self.id = id
      self.price = price
      self.category = category
      self.rows = rows
      self.capacity = capacity
      self.x = x
      self.y = y
    }
  }

  /// Seats in one line, from left to right as one looks at the stage.
  public struct Row: Sendable, Hashable, Codable {
    public var id: RowID
    /// How many seats the row has.
    public var seats: Int
    /// What is printed on each seat, from left to right; 1, 2, 3… if left out. A seat's id is `<row>-<label>`.
    public var labels: [String]?
    /// Where each seat stands, from left to right: neighbours' places differ by 1, an aisle or a pillar leaves some out.
    /// 1, 2, 3… if left out.
    public var places: [Int]?
    public var category: CategoryID?
    /// Where place 1 is; without it the row is centred at 0.
    public var x: Int?
    /// Rows behind each other if left out, with the space of one between sections.
    public var y: Int?
    /// Seats that are not like the others.
    public var special: [Special]?

    public init(
      id: RowID, seats: Int, labels: [String]? = nil, places: [Int]? = nil, category: CategoryID? = nil,
      x: Int? = nil, y: Int? = nil, special: [Special]? = nil
    ) {
      self.id = id
      self.seats = seats
      self.labels = labels
      self.places = places
      self.category = category
      self.x = x
      self.y = y
      self.special = special
    }
  }

  /// Some seats of a row and what is special about them.
  public struct Special: Sendable, Hashable, Codable {
    /// As labelled.
    public var seats: [String]
    public var category: CategoryID?
    public var kind: Kind?
    /// Not for sale: a seat of the house, a camera.
    public var blocked: Bool?

    public init(seats: [String], category: CategoryID? = nil, kind: Kind? = nil, blocked: Bool? = nil) {
      self.seats = seats
      self.category = category
      self.kind = kind
      self.blocked = blocked
    }
  }

  /// Whom a seat is for.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    case ordinary
    /// A place for a wheelchair.
    case wheelchair
    /// For somebody who comes with a wheelchair user.
    case companion
  }
}

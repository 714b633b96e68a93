import Booking
import Vocabulary

/// What never changes about the house of a show: where every seat is and what it costs.
struct ChartBody: Encodable {
  let showID: ShowID
  let title: String
  let startsAt: Timestamp
  let currency: Currency
  let policy: Booking.Policy
  let categories: [Category]
  let focalPoint: SeatPlan.Point?
  let sections: [Section]

  struct Category: Encodable {
    let id: CategoryID
    let name: String
    let price: Money
  }

  struct Section: Encodable {
    let id: SectionID
    /// Of seats without a category.
    let price: Money?
    /// How many people a section without seats takes.
    let capacity: Int?
    let rows: [Row]
  }

  struct Row: Encodable {
    let id: String
    let seats: [Seat]
  }

  struct Seat: Encodable {
    let id: SeatID
    let x: Int
    let y: Int
    let category: CategoryID?
    /// Left out for ordinary seats.
    let kind: SeatPlan.Kind?
    /// Left out for seats that are for sale.
    let blocked: Bool?
  }

  private enum CodingKeys: String, CodingKey {
    case showID = "show_id"
    case title
    case startsAt = "starts_at"
    case currency, policy, categories
    case focalPoint = "focal_point"
    case sections
  }

  init(_ show: Booking.ShowScheduled) {
    showID = show.showID
    title = show.title
    startsAt = show.startsAt
    currency = show.currency
    policy = show.policy
    let document = show.plan.document
    categories = document.categories.map {
      Category(id: $0.id, name: $0.name, price: Money($0.price, show.currency))
    }
    focalPoint = document.focalPoint
    sections = show.plan.placeGroups().map { section, groups in
      Section(
        id: section.id, price: section.price.map { Money($0, show.currency) }, capacity: section.capacity,
        rows: groups.filter { !$0.isStanding }.map { Row(id: $0.name, seats: $0.places.map(Seat.init)) })
    }
  }
}

extension ChartBody.Seat {
  init(_ place: SeatPlan.Place) {
    self.init(
      id: place.id, x: place.point.x, y: place.point.y, category: place.category,
      kind: place.kind == .ordinary ? nil : place.kind, blocked: place.isBlocked ? true : nil)
  }
}

/// Only what is taken; a seat that is not here is available, unless the chart says that it is blocked.
struct AvailabilityBody: Encodable {
  let showID: ShowID
  let version: Int64
  let total: Int
  let available: Int
  let seats: SortedObject<TakenSeatState>

  enum TakenSeatState: String, Encodable { case held, booked }

  private enum CodingKeys: String, CodingKey {
    case showID = "show_id"
    case version, total, available, seats
  }
}

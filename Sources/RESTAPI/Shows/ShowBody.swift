import Booking
import Services
import Vocabulary

/// A show as it is answered.
struct ShowBody: Encodable {
  let showID: ShowID
  let title: String
  let startsAt: Timestamp
  let currency: Currency
  let taxRateBasisPoints: Int
  let holdTTLSeconds: Int
  /// How many seats can be sold.
  let seats: Int
  /// Left out in lists.
  var sections: [Section]?
  let version: Int64
  var cancelledAt: Timestamp?

  struct Section: Encodable {
    let id: SectionID
    let price: Money?
    let category: CategoryID?
    let rows: [SeatPlan.Row]
    let capacity: Int?
  }

  private enum CodingKeys: String, CodingKey {
    case showID = "show_id"
    case title
    case startsAt = "starts_at"
    case currency
    case taxRateBasisPoints = "tax_rate_bp"
    case holdTTLSeconds = "hold_ttl_seconds"
    case seats, sections, version
    case cancelledAt = "cancelled_at"
  }
}

extension ShowBody {
  init(_ show: ShowView) {
    self.init(
      showID: show.id, title: show.title, startsAt: show.startsAt, currency: show.currency,
      taxRateBasisPoints: show.taxRateBasisPoints, holdTTLSeconds: show.holdTTLSeconds, seats: show.seats,
      sections: Section.list(show.sections, in: show.currency), version: show.version,
      cancelledAt: show.cancelledAt)
  }

  /// A show that was just scheduled.
  init(_ show: Booking.Schedule, version: Int64) {
    self.init(
      showID: show.showID, title: show.title, startsAt: show.startsAt, currency: show.currency,
      taxRateBasisPoints: show.taxRateBasisPoints, holdTTLSeconds: show.holdTTLSeconds,
      // It was valid, or it would not have been scheduled.
      seats: (try? SeatPlan(show.plan)).map { $0.totalSeats - $0.blockedSeats } ?? 0,
      sections: Section.list(show.sections, in: show.currency), version: version)
  }

  var withoutSections: ShowBody {
    var copy = self
    copy.sections = nil
    return copy
  }
}

extension ShowBody.Section {
  fileprivate static func list(_ sections: [SeatPlan.Section], in currency: Currency) -> [ShowBody.Section] {
    sections.map { section in
      ShowBody.Section(
        id: section.id, price: section.price.map { Money($0, currency) }, category: section.category,
        rows: section.rows, capacity: section.capacity)
    }
  }
}

import Booking
import Vocabulary

/// The body of `POST /v1/shows`.
struct ShowRequest {
  /// nil: the id is derived from the Idempotency-Key.
  let showID: ShowID?
  let title: String
  let startsAt: Timestamp
  let currency: Currency
  let taxRateBasisPoints: Int64
  let holdTTLSeconds: Int64
  let sections: [SeatPlan.Section]

  static let defaultHoldTTLSeconds: Int64 = 600
  /// Hold ids are `<show>:<UUID>` and have at most 128 characters themselves.
  static let maximumIDLength = 128 - 37

  init(_ body: JSONNode) throws(Problem) {
    let showID = Self.showID(body["show_id"])
    let title = body["title"].string(length: 1...200)
    let startsAt = body["starts_at"].timestamp()
    let currency = body["currency"].currency()
    let taxRate = body["tax_rate_bp"].integer(Booking.taxRateBasisPoints.int64, default: 0)
    let ttl = body["hold_ttl_seconds"].integer(
      Booking.holdTTLSeconds.int64, default: Self.defaultHoldTTLSeconds)
    let sections = PlanReader(currency: currency).sections(body["sections"])
    (self.showID, self.title, self.startsAt, self.currency) =
      try body.faults.finish(showID, title, startsAt, currency)
    (taxRateBasisPoints, holdTTLSeconds, self.sections) = try body.faults.finish(taxRate, ttl, sections)
  }

  func schedule(as derivedID: ShowID) -> Booking.Schedule {
    Booking.Schedule(
      showID: showID ?? derivedID, title: title, startsAt: startsAt, currency: currency,
      taxRateBasisPoints: Int(taxRateBasisPoints), holdTTLSeconds: Int(holdTTLSeconds), sections: sections)
  }

  private static func showID(_ node: JSONNode) -> ShowID?? {
    guard node.isPresent else { return .some(nil) }
    guard let id = node.identifier(ShowID.self) else { return nil }
    guard id.rawValue.utf8.count <= maximumIDLength else {
      node.reject("has \(id.rawValue.utf8.count) characters; a show's id has at most \(maximumIDLength)")
      return nil
    }
    return id
  }
}

/// Reads the seat plan of a show, so that a fault is named with its section and row.
private struct PlanReader {
  let currency: Currency?

  func sections(_ node: JSONNode) -> [SeatPlan.Section]? {
    var sectionIDs: Set<SectionID> = []
    var rowIDs: Set<RowID> = []
    var seats = 0
    let sections = node.array(of: 1...10_000) { section -> SeatPlan.Section? in
      section.requireObject()
      let id = section["id"].identifier(SectionID.self)
      if let id, !sectionIDs.insert(id).inserted {
        section["id"].reject("is \(id), which another section has")
      }
      let price = price(section["price"])
      let rows = section["rows"].array(of: 1...Booking.maximumSeatsPerShow) { row -> SeatPlan.Row? in
        row.requireObject()
        let id = row["id"].identifier(RowID.self)
        if let id, !rowIDs.insert(id).inserted {
          row["id"].reject("is \(id), which another row of the show has")
        }
        guard let count = row["seats"].integer(1...Int64(Booking.maximumSeatsPerShow)), let id else {
          return nil
        }
        if SeatID("\(id)-\(count)") == nil {
          row["id"].reject("is too long for its seats' ids; use 120 characters")
        }
        seats += Int(count)
        return SeatPlan.Row(id: id, seats: Int(count))
      }
      guard let id, let price, let rows else { return nil }
      return SeatPlan.Section(id: id, price: price, rows: rows)
    }
    if seats > Booking.maximumSeatsPerShow {
      node.reject("has \(seats) seats; a show has at most \(Booking.maximumSeatsPerShow)")
    }
    return sections
  }

  /// Minor units of the show's currency, or an amount with that currency.
  private func price(_ node: JSONNode) -> Int64? {
    let range = 0...Booking.maximumPrice
    guard node.isObject else { return node.integer(range) }
    let amount = node["amount"].integer(range)
    let own = node["currency"].currency()
    if let own, let currency, own != currency {
      node["currency"].reject("is \(own), but the show's currency is \(currency)")
    }
    return amount
  }
}

extension ClosedRange<Int> {
  fileprivate var int64: ClosedRange<Int64> { Int64(lowerBound)...Int64(upperBound) }
}

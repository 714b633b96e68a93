import Vocabulary

extension SeatPlan {
  /// What is wrong with `sections`; empty when they make a plan.
  static func problems(in sections: [Section]) -> [String] {
    var problems: [String] = []
    var sectionIDs: Set<SectionID> = []
    var rowIDs: Set<RowID> = []
    var seats = 0
    for section in sections {
      if !sectionIDs.insert(section.id).inserted {
        problems.append("Section \(section.id) is listed twice; section ids are unique in a show")
      }
      if section.price < 0 || section.price > Booking.maximumPrice {
        problems.append(
          "Section \(section.id) has the price \(section.price); use 0 to \(Booking.maximumPrice) minor units"
        )
      }
      if section.rows.isEmpty {
        problems.append("Section \(section.id) has no rows; give it one or leave it out")
      }
      for row in section.rows {
        if !rowIDs.insert(row.id).inserted {
          problems.append("Row \(row.id) is listed twice; row ids are unique in a show")
        }
        guard (1...Booking.maximumSeatsPerShow).contains(row.seats) else {
          problems.append("Row \(row.id) has \(row.seats) seats; use 1 to \(Booking.maximumSeatsPerShow)")
          continue
        }
        // The ids of its seats must be identifiers too.
        if SeatID("\(row.id)-\(row.seats)") == nil {
          problems.append("Row \(row.id) has too long an id for its seats' ids; shorten it to 120 characters")
        }
        seats += row.seats
      }
    }
    if sections.isEmpty {
      problems.append("The plan has no seats; give it a section with a row of at least one")
    }
    if seats > Booking.maximumSeatsPerShow {
      problems.append(
        "The plan has \(seats) seats; a show has at most \(Booking.maximumSeatsPerShow), split it into two")
    }
    return problems
  }
}

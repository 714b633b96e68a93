import Booking
import Vocabulary

extension Court {
  /// Everybody whose seats the system chose got as many as they asked for, where and of the kind they asked for, side by
  /// side unless they may be split.
  func seatsAreAsWished(_ invariant: Invariant) async throws -> InvariantResult {
    let houses = Dictionary(plan.shows.map { ($0.id, SeatRegister($0)) }) { first, _ in first }
    var wishes: [HoldID: (show: ShowID, best: Booking.Best, buyer: BuyerID)] = [:]
    for exchange in performance.exchanges {
      guard case .hold(let hold, let show, let buyer, .best(let best)) = exchange.request else { continue }
      wishes[hold] = (show, best, buyer)
    }
    func faults(_ hold: HoldID, _ seats: [SeatID]) -> [[String]] {
      guard let (show, best, buyer) = wishes[hold], let fault = houses[show]?.fault(in: seats, for: best)
      else {
        return []
      }
      return [
        [
          buyer.rawValue, PlannedWish.best(best).text, seats.map(\.rawValue).joined(separator: " "), fault,
        ]
      ]
    }
    var told: [[String]] = []
    var answers = 0
    for exchange in performance.exchanges where exchange.answer.verdict == .done {
      guard case .hold(let hold, _, _, .best) = exchange.request else { continue }
      answers += 1
      told += faults(hold, exchange.answer.seats)
    }
    let held = try await connection.query(
      """
      select e.data ->> 'hold_id', array(select jsonb_array_elements_text(e.data -> 'seats'))
      from log_event e
      where e.type = 'seats-held'
      order by e.position
      """)
    let inLog = try held.flatMap { row in
      faults(
        HoldID(unchecked: try row.column(0)),
        try row.column(1, as: [String].self).map { SeatID(unchecked: $0) })
    }
    let rows = told.isEmpty ? inLog : told
    return InvariantResult(
      invariant,
      evidence: told.isEmpty
        ? "\(counted(answers, "party", "parties")) told seats like those they asked for."
        : "\(counted(told.count, "party", "parties")) of \(Numerals.grouped(answers)) told other seats; first "
          + "\(told[0][0]), who wanted \(told[0][1]): \(told[0][3]).",
      fromLog: finding(inLog, holds: "The log has the same.") {
        "\(counted($0, "hold")) of other seats than were asked for."
      },
      holds: told.isEmpty && answers > 0,
      details: rows.isEmpty ? nil : .init(columns: ["buyer", "wanted", "got", "wrong"], rows: rows))
  }
}

/// What a seat of a show is like, by the scenario file alone.
private struct SeatRegister {
  private struct Place {
    let section: SectionID
    let category: CategoryID?
    let isWheelchair: Bool
    let isCompanion: Bool
    let isStanding: Bool
    /// Seats side by side have the same block and numbers that differ by one.
    let block: Int
    let number: Int
  }

  private var places: [SeatID: Place] = [:]

  init(_ show: ShowOnSale) {
    var block = 0
    for section in show.sections {
      for line in section.lines {
        for number in 1...max(line.seats, 1) {
          places[SeatID(unchecked: "\(line.id)-\(number)")] = Place(
            section: section.id, category: line.category ?? section.category,
            isWheelchair: line.wheelchair.contains(number), isCompanion: line.companion.contains(number),
            isStanding: section.capacity != nil, block: block, number: number)
          if line.aislesAfter.contains(number) { block += 1 }
        }
        block += 1
      }
    }
  }

  /// What is wrong with seats for a wish; nil if nothing is.
  func fault(in seats: [SeatID], for wish: Booking.Best) -> String? {
    let places = seats.compactMap { self.places[$0] }
    guard places.count == seats.count else { return "a seat that the house does not have" }
    guard Set(seats).count == wish.count else { return "\(Set(seats).count) seats" }
    if let section = wish.section, places.contains(where: { $0.section != section }) {
      return "another section"
    }
    if let category = wish.category, places.contains(where: { $0.category != category }) {
      return "another category"
    }
    let chairs = places.count(where: \.isWheelchair)
    if wish.accessible > 0, chairs != wish.accessible { return "\(chairs) wheelchair places" }
    if wish.accessible == 0, places.contains(where: { $0.isWheelchair || $0.isCompanion }) {
      return "a place that is kept for wheelchair users and their company"
    }
    guard wish.together, !places.allSatisfy(\.isStanding) else { return nil }
    let numbers = places.map(\.number).sorted()
    let areTogether =
      Set(places.map(\.block)).count == 1 && zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 }
    return areTogether ? nil : "not side by side"
  }
}

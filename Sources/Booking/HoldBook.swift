import Vocabulary

/// Every hold that a show ever had, numbered from 0 in the order in which they were made.
struct HoldBook: Sendable {
  struct Entry: Sendable {
    let content: Content
    var phase: Booking.HoldRecord.Phase

    var terms: Booking.SeatsHeld { content.terms }
    /// Its seats' indices in the plan.
    var seats: [Int32] { content.seats }
  }

  /// What never changes about a hold, behind one reference: copying the book touches it once per hold.
  final class Content: Sendable {
    let terms: Booking.SeatsHeld
    let seats: [Int32]

    init(terms: Booking.SeatsHeld, seats: [Int32]) {
      self.terms = terms
      self.seats = seats
    }
  }

  private var entries: [Entry] = []
  private var numbers: [HoldID: Int32] = [:]

  func number(of id: HoldID) -> Int32? { numbers[id] }

  subscript(number: Int32) -> Entry {
    get { entries[Int(number)] }
    _modify { yield &entries[Int(number)] }
  }

  /// Adds a live hold and gives its number.
  mutating func append(_ terms: Booking.SeatsHeld, seats: [Int32]) -> Int32 {
    let number = Int32(entries.count)
    entries.append(Entry(content: Content(terms: terms, seats: seats), phase: .held))
    numbers[terms.holdID] = number
    return number
  }
}

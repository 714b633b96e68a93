import Vocabulary

/// Every hold that a show ever had, numbered from 0 in the order in which they were made.
///
/// Kept so that a copy is cheap when a show has had very many: the entries lie in chunks of which a copy
/// shares all but those that change, and the index is a flat table.
struct HoldBook: Sendable {
  struct Entry: Sendable {
    private(set) var content: Content
    var phase: Booking.HoldRecord.Phase
    /// Later than in the terms once it was extended.
    var expiresAt: Timestamp

    var terms: Booking.SeatsHeld { content.terms }
    /// Its seats' indices in the plan.
    var seats: [Int32] { content.seats }

    init(content: Content, phase: Booking.HoldRecord.Phase, expiresAt: Timestamp) {
      self.content = content
      self.phase = phase
      self.expiresAt = expiresAt
    }

    /// Leaves it with its other seats.
    mutating func giveUp(_ freed: Set<Int32>) {
      let kept = zip(content.seats, content.terms.seats).filter { !freed.contains($0.0) }
      content = Content(terms: content.terms.keeping(kept.map(\.1)), seats: kept.map(\.0))
    }
  }

  /// What hardly ever changes about a hold, behind one reference.
  final class Content: Sendable {
    let terms: Booking.SeatsHeld
    let seats: [Int32]

    init(terms: Booking.SeatsHeld, seats: [Int32]) {
      self.terms = terms
      self.seats = seats
    }
  }

  private static let chunkSize = 256

  private var chunks: [[Entry]] = []
  private var index = HoldIndex()

  /// The latest hold under this id.
  func number(of id: HoldID) -> Int32? {
    index.number(for: id) { self[$0].terms.holdID }
  }

  /// Of every hold, in the order in which they were made.
  var numbers: Range<Int32> { 0..<Int32(index.count) }

  subscript(number: Int32) -> Entry {
    get { chunks[Int(number) / HoldBook.chunkSize][Int(number) % HoldBook.chunkSize] }
    _modify { yield &chunks[Int(number) / HoldBook.chunkSize][Int(number) % HoldBook.chunkSize] }
  }

  /// Adds a live hold and gives its number.
  mutating func append(_ terms: Booking.SeatsHeld, seats: [Int32]) -> Int32 {
    let number = Int32(index.count)
    if index.count.isMultiple(of: HoldBook.chunkSize) { chunks.append([]) }
    chunks[chunks.count - 1].append(
      Entry(content: Content(terms: terms, seats: seats), phase: .held, expiresAt: terms.expiresAt))
    index.append(terms.holdID)
    return number
  }
}

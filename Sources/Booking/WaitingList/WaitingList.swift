import Vocabulary

/// Who waits for seats of a show, in the order in which they came, and everybody who ever did.
struct WaitingList: Sendable {
  struct Entry: Sendable {
    let content: Content
    var phase: Booking.WaitingRecord.Phase

    var terms: Booking.WaitingListJoined { content.terms }
  }

  /// What never changes about an entry, behind one reference, so that a copy of the list is cheap.
  final class Content: Sendable {
    let terms: Booking.WaitingListJoined

    init(terms: Booking.WaitingListJoined) { self.terms = terms }
  }

  /// Everybody who ever joined.
  private(set) var entries: [Entry] = []
  private var numbers: [WaitingID: Int32] = [:]
  /// The numbers of those who still wait, the first first.
  private(set) var line: [Int32] = []

  var isEmpty: Bool { line.isEmpty }

  func number(of id: WaitingID) -> Int32? { numbers[id] }

  subscript(number: Int32) -> Entry { entries[Int(number)] }

  mutating func append(_ terms: Booking.WaitingListJoined, in phase: Booking.WaitingRecord.Phase = .waiting) {
    let number = Int32(entries.count)
    entries.append(Entry(content: Content(terms: terms), phase: phase))
    numbers[terms.waitingID] = number
    if phase == .waiting { line.append(number) }
  }

  mutating func setPhase(_ phase: Booking.WaitingRecord.Phase, of id: WaitingID) {
    guard let number = numbers[id] else { return }
    entries[Int(number)].phase = phase
    if phase != .waiting { line.removeAll { $0 == number } }
  }

  /// How many are before somebody who waits.
  func ahead(of number: Int32) -> Int? { line.firstIndex(of: number) }
}

extension Booking {
  /// Somebody's place on the waiting list.
  public struct WaitingRecord: Sendable, Hashable {
    public enum Phase: String, Sendable, Hashable, Codable {
      case waiting
      /// Seats are held for them: the hold has the id of the entry.
      case offered
      /// They took the offer, and the seats were booked.
      case served
      /// They did not take the offer in time, or gave it back.
      case lapsed
      case left
    }

    public let terms: WaitingListJoined
    public let phase: Phase
    /// How many wait before them; `nil` unless they wait.
    public let ahead: Int?
  }
}

extension Booking.State {
  /// A place on the waiting list that somebody ever had.
  public func waiting(_ id: WaitingID) -> Booking.WaitingRecord? {
    guard let number = waitingList.number(of: id) else { return nil }
    let entry = waitingList[number]
    return Booking.WaitingRecord(
      terms: entry.terms, phase: entry.phase,
      ahead: entry.phase == .waiting ? waitingList.ahead(of: number) : nil)
  }

  /// How many wait.
  public var waitingCount: Int { waitingList.line.count }
}

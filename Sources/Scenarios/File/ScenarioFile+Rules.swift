import Booking
import Services
import Vocabulary

extension SectionReader {
  /// The rules of a show's sale; nil if one cannot be read.
  func policy() -> Booking.Policy? {
    var policy = Booking.Policy.standard
    var isReadable = true
    func read<Value>(_ key: String, _ value: (ValueReader) -> Value?) -> Value? {
      guard let entry = optional(key) else { return nil }
      let read = value(entry)
      if read == nil { isReadable = false }
      return read
    }
    func seconds(_ range: ClosedRange<Int>) -> (ValueReader) -> Int? {
      { entry in
        guard let seconds = entry.duration()?.components.seconds else { return nil }
        guard range.contains(Int(seconds)) else {
          entry.fail("must be from \(range.lowerBound)s to \(range.upperBound)s, not \(entry.shown)")
          return nil
        }
        return Int(seconds)
      }
    }
    policy.orphans = read("orphans") { $0.choice(Booking.Policy.Orphans.self) } ?? policy.orphans
    policy.seatsPerBuyer = read("seats_per_buyer") { $0.number(in: Booking.seatsPerBuyer) }
    policy.holdLifetimeSeconds = read("hold_lifetime", seconds(Booking.holdLifetimeSeconds))
    policy.offerSeconds = read("offers_last", seconds(Booking.offerSeconds)) ?? policy.offerSeconds
    return isReadable ? policy : nil
  }
}

extension ValueReader {
  /// `{shopping: 10, admission: 2m, absence: 10s}`
  func waitingRoom() -> WaitingRoom.Terms? {
    guard let section = section("a waiting room", keys: ["shopping", "admission", "absence"]) else {
      return nil
    }
    var isReadable = true
    func seconds(_ key: String, _ range: ClosedRange<Int>) -> Int? {
      guard let entry = section.optional(key) else { return nil }
      guard let duration = entry.duration() else {
        isReadable = false
        return nil
      }
      let seconds = Int(duration.components.seconds)
      guard range.contains(seconds) else {
        entry.fail("must be from \(range.lowerBound)s to \(range.upperBound)s, not \(entry.shown)")
        isReadable = false
        return nil
      }
      return seconds
    }
    let shopping = section.required("shopping", example: "10")?.number(in: WaitingRoom.Terms.shoppers)
    let admission = seconds("admission", WaitingRoom.Terms.admissionSeconds)
    let absence = seconds("absence", WaitingRoom.Terms.absenceSeconds)
    guard let shopping, isReadable else { return nil }
    var terms = WaitingRoom.Terms(shoppers: shopping)
    terms.admissionSeconds = admission ?? terms.admissionSeconds
    terms.absenceSeconds = absence ?? terms.absenceSeconds
    return terms
  }
}

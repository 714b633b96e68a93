import TestSupport
import Testing
import Vocabulary

@testable import Scenarios

@Suite("What buyers were told about a seat")
struct SeatLinearizerTests {
  private static let noon = Timestamp(microseconds: 0)
  private static let later = Timestamp(microseconds: 600_000_000)
  private static func hold(_ name: String) -> HoldID { HoldID(unchecked: "show:\(name)") }

  private static func taken(
    _ name: String, _ start: Int64, _ end: Int64, at: Timestamp = noon, isCertain: Bool = true
  ) -> SeatOperation {
    SeatOperation(
      kind: .taken(hold(name), until: at + .seconds(600)), at: at, start: start, end: end,
      isCertain: isCertain)
  }

  private static func told(
    _ kind: SeatOperation.Kind, _ start: Int64, _ end: Int64, at: Timestamp = noon, isCertain: Bool = true
  ) -> SeatOperation {
    SeatOperation(kind: kind, at: at, start: start, end: end, isCertain: isCertain)
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let operations: [SeatOperation]
    let isPossible: Bool

    init(_ description: String, _ operations: [SeatOperation], possible: Bool) {
      testDescription = description
      self.operations = operations
      isPossible = possible
    }
  }

  static let examples: [Case] = [
    Case("nothing", [], possible: true),
    Case(
      "one takes it, another is refused after that", [taken("a", 0, 5), told(.seenTaken, 6, 9)],
      possible: true),
    Case(
      "one is refused before anybody has it", [told(.seenTaken, 0, 5), taken("a", 6, 9)], possible: false),
    Case(
      "one is refused while another takes it", [told(.seenTaken, 0, 7), taken("a", 6, 9)], possible: true),
    Case("two have it", [taken("a", 0, 5), taken("b", 3, 9)], possible: false),
    Case(
      "two have it one after the other",
      [taken("a", 0, 5), told(.booked(hold("a")), 6, 7), told(.freed(hold("a")), 8, 12), taken("b", 9, 11)],
      possible: true),
    Case(
      "the second has it before the first can have given it back",
      [taken("a", 0, 5), told(.booked(hold("a")), 6, 7), taken("b", 8, 9), told(.freed(hold("a")), 10, 12)],
      possible: false),
    Case("somebody books what they never had", [told(.booked(hold("a")), 0, 5)], possible: false),
    Case(
      "a hold ends with its time, and another has the seat",
      [taken("a", 0, 5), taken("b", 6, 9, at: later)], possible: true),
    Case(
      "a hold is booked after its time",
      [taken("a", 0, 5), told(.booked(hold("a")), 6, 9, at: later)], possible: false),
    Case(
      "a hold is said to be lost in its time",
      [taken("a", 0, 5), told(.seenLost(hold("a")), 6, 9)], possible: false),
    Case(
      "a hold is said to be lost after its time",
      [taken("a", 0, 5), told(.seenLost(hold("a")), 6, 9, at: later)], possible: true),
    Case(
      "a request without an answer took the seat",
      [taken("a", 0, 2, isCertain: false), told(.seenTaken, 10, 12)], possible: true),
    Case(
      "a request without an answer did nothing",
      [taken("a", 0, 2, isCertain: false), taken("b", 10, 12)], possible: true),
    Case(
      "a request without an answer took effect long after it was sent",
      [
        taken("a", 0, 2, isCertain: false), taken("b", 3, 4), told(.booked(hold("b")), 5, 6),
        told(.freed(hold("b")), 7, 8), told(.seenTaken, 9, 10),
      ], possible: true),
    Case(
      "a request without an answer took effect before it was sent",
      [told(.seenTaken, 0, 2), taken("a", 3, 4, isCertain: false)], possible: false),
  ]

  @Test("can be true or not", arguments: examples)
  func possible(_ example: Case) {
    #expect((SeatLinearizer(example.operations).contradiction() == nil) == example.isPossible)
  }

  @Test("is explained exactly when trying every order finds one that explains it")
  func bruteForce() {
    var random = SeededRandom(for: "the search agrees with every permutation")
    var counts = [true: 0, false: 0]
    for _ in 0..<3_000 {
      let operations = (0..<Int.random(in: 1...6, using: &random)).map { _ in
        let name = ["a", "b", "c"].randomElement(using: &random) ?? "a"
        let start = Int64.random(in: 0...20, using: &random)
        let end = start + .random(in: 0...12, using: &random)
        let at = start < 12 ? Self.noon : Self.later
        let kinds: [SeatOperation.Kind] = [
          .taken(Self.hold(name), until: at + .seconds(600)), .booked(Self.hold(name)),
          .freed(Self.hold(name)),
          .seenTaken, .seenLost(Self.hold(name)),
        ]
        return SeatOperation(
          kind: kinds.randomElement(using: &random) ?? .seenTaken, at: at, start: start, end: end,
          isCertain: Int.random(in: 0..<6, using: &random) > 0)
      }
      let expected = Self.canBeOrdered(operations, after: [], seat: nil)
      #expect((SeatLinearizer(operations).contradiction() == nil) == expected, "\(operations)")
      counts[expected, default: 0] += 1
    }
    // Both answers were put to the test.
    #expect(counts.values.allSatisfy { $0 > 300 }, "\(counts)")
  }

  /// In the plainest way: every order that respects who was answered before whom was asked, every choice of what took
  /// effect at all.
  private static func canBeOrdered(
    _ rest: [SeatOperation], after before: [SeatOperation], seat: (hold: HoldID, until: Timestamp?)?
  ) -> Bool {
    if rest.allSatisfy({ !$0.isCertain }) { return true }
    return rest.indices.contains { index in
      let next = rest[index]
      var others = rest
      others.remove(at: index)
      // Nobody who is still to come was answered before this one was asked.
      guard others.allSatisfy({ !$0.isCertain || $0.end >= next.start }) else { return false }
      var owner = seat
      if let until = owner?.until, until <= next.at { owner = nil }
      let after: (hold: HoldID, until: Timestamp?)?
      switch next.kind {
      case .taken(let hold, let until):
        guard owner == nil else { return false }
        after = (hold, until)
      case .booked(let hold):
        guard let now = owner, now.hold == hold, now.until != nil else { return false }
        after = (hold, nil)
      case .freed(let hold):
        guard let now = owner, now.hold == hold, now.until == nil else { return false }
        after = nil
      case .seenTaken:
        guard owner != nil else { return false }
        after = seat
      case .seenLost(let hold):
        if let now = owner, now.hold == hold, now.until != nil { return false }
        after = seat
      }
      return canBeOrdered(others, after: before + [next], seat: after)
    }
  }

  @Test("is judged at once for a thousand buyers of one seat")
  func many() {
    var operations = [Self.taken("a", 0, 500), Self.told(.booked(Self.hold("a")), 600, 700)]
    for number in 0..<1_000 { operations.append(Self.told(.seenTaken, Int64(number % 400), 900)) }
    #expect(SeatLinearizer(operations).contradiction() == nil)
    operations.append(Self.taken("b", 100, 800))
    #expect(SeatLinearizer(operations).contradiction() != nil)
  }
}

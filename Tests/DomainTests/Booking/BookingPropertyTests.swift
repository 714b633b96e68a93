import Booking
import Foundation
import Testing
import Vocabulary

/// Whatever is asked of a show, in whatever order and at whatever time.
@Suite("Under any commands")
struct BookingPropertyTests {
  @Test("no seat is ever held or booked twice, none is lost, and every refusal has a reason")
  func noSeatTwice() throws {
    var random = SeededRandom(for: "no seat is held or booked twice")
    for _ in 0..<60 {
      var run = try Run(&random)
      for _ in 0..<200 { try run.step(&random) }
    }
  }

  @Test("the events alone give the state that decided them")
  func replay() throws {
    var random = SeededRandom(for: "folding the stream gives the same state")
    for _ in 0..<20 {
      var run = try Run(&random)
      for _ in 0..<150 { try run.step(&random) }
      let replayed = Booking.fold(run.history)
      let plan = try #require(run.state.plan)
      #expect(replayed.plan == plan)
      for seat in plan.seats {
        #expect(replayed.occupancy(of: seat, at: run.now) == run.state.occupancy(of: seat, at: run.now))
      }
      for hold in run.holdIDs { #expect(replayed.hold(hold) == run.state.hold(hold)) }
      #expect(replayed.overdueHolds(at: run.now) == run.state.overdueHolds(at: run.now))
      #expect(replayed.nextExpiry == run.state.nextExpiry)
    }
  }

  @Test("a state that was encoded and decoded answers and decides as before")
  func snapshot() throws {
    var random = SeededRandom(for: "a snapshot of the state decides as the state does")
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for _ in 0..<20 {
      var run = try Run(&random)
      for _ in 0..<8 {
        for _ in 0..<20 { try run.step(&random) }
        let document = try encoder.encode(run.state)
        run.state = try JSONDecoder().decode(Booking.State.self, from: document)
        // The audit compares every seat with the events; from here on it does so with what was decoded.
        run.audit.compare(with: run.state, at: run.now)
        let folded = Booking.fold(run.history)
        for hold in run.holdIDs { #expect(run.state.hold(hold) == folded.hold(hold)) }
        #expect(run.state.overdueHolds(at: run.now) == folded.overdueHolds(at: run.now))
        #expect(run.state.nextExpiry == folded.nextExpiry)
        #expect(try encoder.encode(run.state) == document)
      }
    }
  }

  @Test("nothing was added to the state that its snapshots do not know")
  func snapshotFields() {
    // Whoever adds a property to one of these adds it to `Booking+Snapshot.swift` too, and raises `snapshotSchema`.
    #expect(
      Mirror(reflecting: Booking.State()).children.map(\.label) == [
        "show", "holders", "free", "holds", "expiries", "buyers", "isCancelled", "waitingList",
      ])
    let terms = Booking.SeatsHeld(
      holdID: "h1", buyer: "b1", seats: [], total: .zero(.eur), heldAt: Lear.noon, expiresAt: Lear.noon)
    #expect(
      Mirror(reflecting: terms).children.map(\.label) == [
        "holdID", "buyer", "seats", "total", "heldAt", "expiresAt", "waitingID",
      ])
  }

  @Test("thousands of holds are all remembered, and a copy's fate is its own")
  func manyHolds() throws {
    var schedule = Lear.schedule
    schedule.sections = [.init(id: "floor", price: 1, rows: [.init(id: "F", seats: 3_000)])]
    var state = Booking.State()
    func run(_ command: Booking.Command) throws {
      for event in try Booking.decide(command, state, at: Lear.noon) { Booking.evolve(&state, event) }
    }
    try run(.schedule(schedule))
    let holds = (1...3_000).map { HoldID(unchecked: "h\($0)") }
    for (number, hold) in holds.enumerated() {
      let seat = SeatID(unchecked: "F-\(number + 1)")
      try run(.hold(.init(holdID: hold, buyer: "gloucester", seats: .named([seat]))))
    }
    let before = state
    for hold in holds where hold.rawValue.hasSuffix("7") { try run(.confirm(hold, order: "o1")) }
    for (number, hold) in holds.enumerated() {
      #expect(before.hold(hold)?.terms.seats == [SeatID(unchecked: "F-\(number + 1)")])
      #expect(before.hold(hold)?.phase == .held)
      #expect(state.hold(hold)?.phase == (hold.rawValue.hasSuffix("7") ? .confirmed("o1") : .held))
    }
    #expect(state.hold("h3001") == nil)
    #expect(state.seatCount(at: Lear.noon).booked == 300)
    #expect(before.seatCount(at: Lear.noon).booked == 0)
  }

  @Test("a tentative copy can be dropped without a trace")
  func valueSemantics() throws {
    var random = SeededRandom(for: "a copy is independent")
    for _ in 0..<20 {
      var run = try Run(&random)
      for _ in 0..<40 { try run.step(&random) }
      let before = run
      let plan = try #require(before.state.plan)
      let seats = plan.seats.map { before.state.occupancy(of: $0, at: before.now) }
      let holds = before.holdIDs.map { before.state.hold($0) }
      for _ in 0..<40 { try run.step(&random) }
      #expect(plan.seats.map { before.state.occupancy(of: $0, at: before.now) } == seats)
      #expect(before.holdIDs.map { before.state.hold($0) } == holds)
    }
  }
}

/// A show with random seats, the events it got, and an auditor that knows nothing of `Booking.State`.
private struct Run {
  var state = Booking.State()
  var history: [Booking.Event] = []
  var now: Timestamp = "2026-11-24T12:00:00Z"
  var audit = Audit()
  var holdIDs: Set<HoldID> = []

  init(_ random: inout SeededRandom) throws {
    var schedule = Lear.schedule
    schedule.holdTTLSeconds = 60
    schedule.policy.holdLifetimeSeconds = 150
    schedule.sections = (1...Int.random(in: 1...3, using: &random)).map { section in
      let rows = (1...Int.random(in: 1...3, using: &random)).map { row in
        SeatPlan.Row(id: RowID(unchecked: "s\(section)r\(row)"), seats: .random(in: 1...12, using: &random))
      }
      return .init(id: SectionID(unchecked: "s\(section)"), price: Int64(section) * 100, rows: rows)
    }
    try run(.schedule(schedule))
  }

  mutating func step(_ random: inout SeededRandom) throws {
    now = now + .seconds(Int.random(in: 0...15, using: &random))
    try run(command(&random))
  }

  private mutating func run(_ command: Booking.Command) throws {
    let decided: [Booking.Event]
    do throws(Booking.Rejection) {
      decided = try Booking.decide(command, state, at: now)
    } catch {
      #expect(audit.agrees(with: error, to: command, at: now), "\(command) was refused: \(error)")
      return
    }
    if case .hold(let hold) = command, case .best(let best) = hold.seats, !decided.isEmpty {
      let expected = audit.firstBlock(of: best.count, in: best.section, at: now)
      #expect(audit.seats(heldBy: decided.last) == expected, "best \(best.count) of \(audit.owners)")
    }
    for event in decided {
      audit.check(event, at: now)
      Booking.evolve(&state, event)
    }
    history += decided
    #expect(try Booking.decide(command, state, at: now) == [], "\(command) repeated")
    audit.compare(with: state, at: now)
  }

  /// Few ids and few seats, so that commands meet each other.
  private mutating func command(_ random: inout SeededRandom) -> Booking.Command {
    let id = HoldID(unchecked: "h\(Int.random(in: 1...40, using: &random))")
    let order = OrderID(unchecked: "o\(id)")
    holdIDs.insert(id)
    switch Int.random(in: 0..<16, using: &random) {
    case 13: return .extend(id)
    case 12 where Int.random(in: 0..<40, using: &random) == 0: return .cancelShow(reason: "fire")
    case 12: return .extend(id)
    case 0..<3:
      let seats = audit.seats.shuffled(using: &random).prefix(.random(in: 1...3, using: &random))
      return .hold(.init(holdID: id, buyer: BuyerID(unchecked: "b\(id)"), seats: .named(Array(seats))))
    case 3..<5:
      let section = Bool.random(using: &random) ? audit.plan.sections.randomElement(using: &random)?.id : nil
      let best = Booking.SeatChoice.best(count: .random(in: 1...4, using: &random), section: section)
      return .hold(.init(holdID: id, buyer: BuyerID(unchecked: "b\(id)"), seats: best))
    case 5, 6: return .confirm(id, order: order)
    case 7: return .release(id, reason: "random")
    case 8: return .expire(id)
    case 9: return .cancelBooking(id, for: order)
    case 10, 11:
      let seats = audit.seats.shuffled(using: &random).prefix(.random(in: 1...4, using: &random))
      return .cancelSeats(
        id, for: .random(in: 0..<6, using: &random) == 0 ? OrderID(unchecked: "another\(id)") : order,
        seats: Array(seats))
    default: return .cancelBooking(id, for: OrderID(unchecked: "another\(id)"))
    }
  }
}

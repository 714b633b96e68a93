import Booking
import Testing
import Vocabulary

/// A row of four, all of it booked seat by seat; offers live for an hour.
private struct FullHouse {
  var state: Booking.State
  var events: [Booking.Event] = []
  var now = Lear.noon

  init(_ policy: Booking.Policy = .standard, seats: Int = 4) throws {
    var schedule = Lear.schedule
    schedule.policy = policy
    schedule.sections = [.init(id: "stalls", price: 100, rows: [.init(id: "A", seats: seats)])]
    state = Booking.State()
    try run(.schedule(schedule))
    for seat in 1...seats {
      let hold = HoldID(unchecked: "t\(seat)")
      let buyer: BuyerID = seat <= 4 ? "fool" : "kent"
      try run(.hold(.init(holdID: hold, buyer: buyer, seats: .named([SeatID(unchecked: "A-\(seat)")]))))
      try run(.confirm(hold, order: OrderID(unchecked: "o\(seat)")))
    }
  }

  @discardableResult
  mutating func run(_ command: Booking.Command) throws -> [Booking.Event] {
    let decided = try Booking.decide(command, state, at: now)
    for event in decided { Booking.evolve(&state, event) }
    events += decided
    return decided
  }

  /// Gives the seat back that was booked at first.
  @discardableResult
  mutating func free(_ seat: Int) throws -> [Booking.Event] {
    try run(.cancelBooking(HoldID(unchecked: "t\(seat)"), for: OrderID(unchecked: "o\(seat)")))
  }

  mutating func join(_ id: WaitingID, _ count: Int, by buyer: BuyerID = "cordelia") throws {
    try run(.joinWaitingList(.init(waitingID: id, buyer: buyer, wish: .init(count: count))))
  }

  func phase(_ id: WaitingID) -> Booking.WaitingRecord.Phase? { state.waiting(id)?.phase }
  func seats(_ id: WaitingID) -> [String]? { state.hold(id.hold)?.terms.seats.map(\.rawValue) }
}

@Suite("The waiting list")
struct WaitingListTests {
  @Test("offers a freed seat to who has waited longest, in the append that frees it")
  func offers() throws {
    var house = try FullHouse()
    try house.join("w1", 1)
    try house.join("w2", 1, by: "regan")
    #expect(house.state.waiting("w2")?.ahead == 1)
    let events = try house.free(3)
    #expect(events.map(\.type) == ["booking-cancelled", "seats-held"])
    guard case .seatsHeld(let offer)? = events.last else { return }
    #expect(offer.waitingID == "w1" && offer.holdID == "w1" && offer.buyer == "cordelia")
    #expect(offer.seats == ["A-3"] && offer.total == Money(100, .eur))
    #expect(offer.expiresAt == Lear.noon + .seconds(3_600))
    #expect(house.phase("w1") == .offered)
    #expect(house.phase("w2") == .waiting)
    #expect(house.state.waiting("w2")?.ahead == 0)
  }

  @Test("passes over who needs more than there is, and comes back to them when there is enough")
  func passesOver() throws {
    var house = try FullHouse()
    try house.join("w1", 2)
    try house.join("w2", 1, by: "regan")
    try house.free(1)
    #expect(house.phase("w1") == .waiting)
    #expect(house.seats("w2") == ["A-1"])
    try house.free(3)
    try house.free(4)
    #expect(house.seats("w1") == ["A-3", "A-4"])
    #expect(
      WaitingListAudit(house.events).passedOver.map { [$0.who, $0.inFavourOf] } == [["w1", "w2"]])
  }

  @Test("offers what one buyer does not take to the next in line")
  func lapse() throws {
    var house = try FullHouse()
    try house.join("w1", 1)
    try house.join("w2", 1, by: "regan")
    try house.free(2)
    house.now = Lear.noon + .seconds(3_600)
    let events = try house.run(.expire("w1"))
    #expect(events.map(\.type) == ["hold-expired", "seats-held"])
    #expect(house.phase("w1") == .lapsed)
    #expect(house.seats("w2") == ["A-2"])
    try house.run(.release("w2", reason: "no time"))
    #expect(house.phase("w2") == .lapsed)
    #expect(house.state.occupancy(of: "A-2", at: house.now) == .available)
  }

  @Test("is served when the offer is booked, like any other hold")
  func served() throws {
    var house = try FullHouse()
    try house.join("w1", 1)
    try house.free(2)
    try house.run(.confirm("w1", order: "o9"))
    #expect(house.phase("w1") == .served)
    #expect(house.state.occupancy(of: "A-2", at: house.now) == .booked("w1", "o9"))
  }

  @Test("leaves nothing to others: not what is on offer, and not what an overdue hold frees")
  func othersWait() throws {
    var house = try FullHouse()
    try house.free(1)
    try house.run(Lear.hold("h1", by: "goneril", "A-1"))
    try house.join("w1", 1)
    // The time of h1 is over, and nobody has said so yet.
    house.now = Lear.whenItEnds
    #expect(throws: Booking.Rejection.seatsUnavailable([.init(seat: "A-1", state: .held)])) {
      try house.run(Lear.hold("h2", by: "edmund", "A-1"))
    }
    #expect(throws: Booking.Rejection.noAdjacentSeats(count: 1)) {
      try house.run(Lear.best(1, as: "h2", by: "edmund"))
    }
    try house.run(.expire("h1"))
    #expect(house.seats("w1") == ["A-1"])
    #expect(throws: Booking.Rejection.self) { try house.run(Lear.hold("h2", by: "edmund", "A-1")) }
  }

  @Test("takes what others' holds leave into account before a hold is decided, all in one append")
  func settledFirst() throws {
    var house = try FullHouse()
    try house.free(1)
    try house.free(2)
    try house.run(Lear.hold("h1", by: "goneril", "A-1", "A-2"))
    try house.join("w1", 1)
    house.now = Lear.whenItEnds
    let events = try house.run(Lear.best(1, as: "h2", by: "edmund"))
    #expect(events.map(\.type) == ["hold-expired", "seats-held", "seats-held"])
    #expect(house.seats("w1") == ["A-1"])
    #expect(house.state.hold("h2")?.terms.seats == ["A-2"])
    #expect(WaitingListAudit(house.events).violations == [])
  }

  @Test("is not for seats that are there, nor for what the house does not have")
  func joining() throws {
    var house = try FullHouse()
    try house.free(1)
    #expect(throws: Booking.Rejection.seatsStillFree) { try house.join("w1", 1) }
    #expect(throws: Booking.Rejection.noAdjacentSeats(count: 5)) { try house.join("w1", 5) }
    #expect(throws: Booking.Rejection.noSeatsRequested) { try house.join("w1", 0) }
    #expect(throws: Booking.Rejection.unknownSection("boxes")) {
      try house.run(
        .joinWaitingList(.init(waitingID: "w1", buyer: "regan", wish: .init(count: 1, section: "boxes"))))
    }
    #expect(throws: Booking.Rejection.waitingIDReused("t1")) { try house.join("t1", 2) }
    try house.join("w1", 2)
    #expect(
      try house.run(.joinWaitingList(.init(waitingID: "w1", buyer: "cordelia", wish: .init(count: 2)))) == [])
    #expect(throws: Booking.Rejection.waitingIDReused("w1")) { try house.join("w1", 3) }
  }

  @Test("can be left, before an offer and with it")
  func leaving() throws {
    var house = try FullHouse()
    try house.join("w1", 1)
    try house.join("w2", 1, by: "regan")
    try house.join("w3", 1, by: "goneril")
    try house.run(.leaveWaitingList("w1"))
    try house.free(2)
    #expect(house.phase("w1") == .left)
    #expect(house.seats("w2") == ["A-2"])
    #expect(try house.run(.leaveWaitingList("w2")).map(\.type) == ["hold-released", "seats-held"])
    #expect(house.seats("w3") == ["A-2"])
    #expect(try house.run(.leaveWaitingList("w2")) == [])
    #expect(throws: Booking.Rejection.waitingEntryNotFound("w9")) { try house.run(.leaveWaitingList("w9")) }
  }

  @Test("passes over who has as many seats as one buyer may have")
  func limit() throws {
    var house = try FullHouse(.init(seatsPerBuyer: 4), seats: 6)
    try house.join("w1", 1, by: "fool")
    try house.join("w2", 1, by: "regan")
    try house.free(6)
    #expect(house.phase("w1") == .waiting)
    #expect(house.seats("w2") == ["A-6"])
    #expect(WaitingListAudit(house.events).passedOver.map(\.reason) == [.buyerLimit])
    // With one seat less the fool may have another one.
    try house.free(1)
    #expect(house.seats("w1") == ["A-1"])
    #expect(throws: Booking.Rejection.buyerLimit(maximum: 4, has: 0)) { try house.join("w5", 5, by: "regan") }
  }

  @Test("does not let an offer be extended, and offers nothing once the show is cancelled")
  func bounds() throws {
    var house = try FullHouse(.init(offerSeconds: 60))
    try house.join("w1", 1)
    try house.join("w2", 1)
    try house.free(1)
    house.now = Lear.noon + .seconds(30)
    #expect(try house.run(.extend("w1")) == [])
    try house.run(.cancelShow(reason: "fire"))
    #expect(try house.free(2).map(\.type) == ["booking-cancelled"])
    #expect(throws: Booking.Rejection.showCancelled) { try house.join("w3", 1) }
  }

  @Test("tells from the log alone when somebody jumped the line, sold past it, or offered to nobody")
  func audit() throws {
    var house = try FullHouse()
    try house.join("w1", 1)
    try house.join("w2", 1, by: "regan")
    let before = house.events
    let cancelled = Booking.Event.bookingCancelled(
      .init(holdID: "t2", orderID: "o2", seats: ["A-2"], cancelledAt: Lear.noon))
    func held(_ hold: HoldID, by buyer: BuyerID, _ entry: WaitingID?) -> Booking.Event {
      .seatsHeld(
        .init(
          holdID: hold, buyer: buyer, seats: ["A-2"], total: Money(100, .eur), heldAt: Lear.noon,
          expiresAt: Lear.whenItEnds, waitingID: entry))
    }
    func violations(_ event: Booking.Event) -> [String] {
      WaitingListAudit(before + [cancelled, event]).violations.map {
        "\($0.version) \($0.kind.rawValue) \($0.who)"
      }
    }
    let version = before.count + 2
    #expect(violations(held("w1", by: "cordelia", "w1")) == [])
    #expect(
      violations(held("w2", by: "regan", "w2")) == ["\(version) jumped-the-line w1"])
    #expect(
      violations(held("h9", by: "edmund", nil)) == ["\(version) sold-past-the-line w1"])
    #expect(
      violations(held("w9", by: "edmund", "w9")) == ["\(version) offered-to-nobody w9"])
    #expect(
      violations(held("w1", by: "edmund", "w1")) == ["\(version) offered-to-nobody w1"])
  }

  @Test("also keeps for the line what is left of very many holds whose time is over, until it is their turn")
  func veryMany() throws {
    var schedule = Lear.schedule
    schedule.sections = [
      .init(id: "floor", price: 100, capacity: 2_100),
      .init(id: "stalls", price: 100, rows: [.init(id: "A", seats: 1)]),
    ]
    var state = Booking.fold(try Booking.decide(.schedule(schedule), Booking.State(), at: Lear.noon))
    for seat in 1...2_100 {
      // In the order of their ids, which is the order in which they are ended.
      Booking.evolve(
        &state, Lear.held(HoldID(unchecked: "h\(10_000 + seat)"), SeatID(unchecked: "floor-\(seat)")))
    }
    Booking.evolve(&state, Lear.held("booked", "A-1"))
    Booking.evolve(&state, Lear.confirmed("booked", "o1", "A-1"))
    // One who will be served from the floor, and one who goes on waiting.
    for (id, wish) in [("w1", Booking.Best(count: 1)), ("w2", Booking.Best(count: 1, section: "stalls"))] {
      let request = Booking.WaitingRequest(waitingID: WaitingID(unchecked: id), buyer: "regan", wish: wish)
      for event in try Booking.decide(.joinWaitingList(request), state, at: Lear.noon) {
        Booking.evolve(&state, event)
      }
    }
    #expect(throws: Booking.Rejection.seatsUnavailable([.init(seat: "floor-2100", state: .held)])) {
      try Booking.decide(Lear.hold("h1", by: "edmund", "floor-2100"), state, at: Lear.whenItEnds)
    }
    let events = try Booking.decide(Lear.hold("h1", by: "edmund", "floor-2000"), state, at: Lear.whenItEnds)
    #expect(events.count == 2_000 + 1 + 1)
  }

  @Test("passes over who was forgotten, and takes no more than ten thousand")
  func forgottenAndFull() throws {
    var house = try FullHouse()
    house.now = Lear.noon
    func joined(_ number: Int, _ buyer: BuyerID) -> Booking.Event {
      .waitingListJoined(
        .init(
          waitingID: WaitingID(unchecked: "w\(number)"), buyer: buyer, wish: .init(count: 1),
          joinedAt: Lear.noon))
    }
    Booking.evolve(&house.state, joined(1, BuyerID(unchecked: forgottenText)))
    Booking.evolve(&house.state, joined(2, "regan"))
    try house.free(1)
    #expect(house.phase("w1") == .waiting)
    #expect(house.phase("w2") == .offered)
    for number in 3..<10_002 { Booking.evolve(&house.state, joined(number, "goneril")) }
    #expect(house.state.waitingCount == 10_000)
    #expect(throws: Booking.Rejection.waitingListFull(maximum: 10_000)) { try house.join("w20000", 1) }
  }

  @Test("is part of a snapshot")
  func snapshot() throws {
    var house = try FullHouse()
    for (number, count) in [1, 2, 1, 1].enumerated() {
      try house.join(WaitingID(unchecked: "w\(number + 1)"), count, by: BuyerID(unchecked: "b\(number)"))
    }
    try house.run(.leaveWaitingList("w3"))
    try house.free(1)
    let copy = try decode(Booking.State.self, from: json(house.state))
    for id in ["w1", "w2", "w3", "w4"].map({ WaitingID(unchecked: $0) }) {
      #expect(copy.waiting(id) == house.state.waiting(id))
      #expect(copy.hold(id.hold) == house.state.hold(id.hold))
    }
    #expect(copy.waitingCount == 2)
    house.state = copy
    try house.run(.release("w1", reason: "no time"))
    #expect(house.phase("w1") == .lapsed && house.phase("w4") == .offered)
  }
}

@Suite("The waiting list, whatever happens")
struct WaitingListPropertyTests {
  @Test("offers in the order of the line, passes nobody over whom seats fit, and sells nothing past it")
  func fair() throws {
    var random = SeededRandom(for: "the waiting list is fair")
    var (offers, passedOver) = (0, 0)
    for _ in 0..<60 {
      var run = try WaitingRun(&random)
      for _ in 0..<150 { try run.step(&random) }
      let audit = WaitingListAudit(run.events)
      #expect(audit.violations == [], "\(run.document) \(run.events)")
      offers += audit.offered.count
      passedOver += audit.passedOver.count
    }
    #expect(offers > 100 && passedOver > 20, "one-sided: \(offers) offers, \(passedOver) passed over")
  }
}

/// A small show with rules by lot, and commands by lot. After each, nobody waits whom free seats fit, by looking at every
/// possibility.
private struct WaitingRun {
  let document: SeatPlan.Document
  let plain: PlainSeating
  let limit: Int?
  var state = Booking.State()
  var events: [Booking.Event] = []
  var now = Lear.noon
  private var number = 0

  init(_ random: inout SeededRandom) throws {
    var schedule = Lear.schedule
    schedule.holdTTLSeconds = 60
    schedule.policy = .init(
      orphans: Booking.Policy.Orphans.allCases.randomElement(using: &random) ?? .allowed,
      seatsPerBuyer: Bool.random(using: &random) ? 3 : nil, offerSeconds: 100)
    schedule.sections = (1...2).map { section in
      .init(
        id: SectionID(unchecked: "s\(section)"), price: 100,
        rows: (1...2).map {
          .init(id: RowID(unchecked: "s\(section)r\($0)"), seats: .random(in: 2...4, using: &random))
        })
    }
    document = schedule.plan
    plain = PlainSeating(document, orphans: schedule.policy.orphans)
    limit = schedule.policy.seatsPerBuyer
    try run(.schedule(schedule))
  }

  mutating func step(_ random: inout SeededRandom) throws {
    now = now + .seconds(Int.random(in: 0...15, using: &random))
    number += 1
    let hold = HoldID(
      unchecked: "\(Bool.random(using: &random) ? "h" : "w")\(Int.random(in: 1...number, using: &random))")
    let buyer = BuyerID(unchecked: "b\(Int.random(in: 1...12, using: &random))")
    let best = Booking.Best(
      count: .random(in: 1...3, using: &random),
      section: Int.random(in: 0..<3, using: &random) == 0 ? "s1" : nil,
      together: Int.random(in: 0..<3, using: &random) > 0)
    let command: Booking.Command =
      switch Int.random(in: 0..<12, using: &random) {
      case 0..<4: .hold(.init(holdID: HoldID(unchecked: "h\(number)"), buyer: buyer, seats: .best(best)))
      case 4..<7:
        .joinWaitingList(.init(waitingID: WaitingID(unchecked: "w\(number)"), buyer: buyer, wish: best))
      case 7: .confirm(hold, order: OrderID(unchecked: "o\(hold)"))
      case 8: .release(hold, reason: "random")
      case 9: .expire(hold)
      case 10: .cancelBooking(hold, for: OrderID(unchecked: "o\(hold)"))
      default: .leaveWaitingList(WaitingID(offeredAs: hold))
      }
    try run(command)
  }

  private mutating func run(_ command: Booking.Command) throws {
    let decided: [Booking.Event]
    do throws(Booking.Rejection) {
      decided = try Booking.decide(command, state, at: now)
    } catch {
      return
    }
    for event in decided { Booking.evolve(&state, event) }
    events += decided
    if !decided.isEmpty { expectNobodyWaitsInVain(after: command) }
    let again = try Booking.decide(command, state, at: now)
    #expect(again == [], "\(command) repeated")
  }

  private func expectNobodyWaitsInVain(after command: Booking.Command) {
    let free = Set(
      plain.seats.indices.filter { state.occupancy(of: plain.seats[$0].id, at: now) == .available })
    for number in 1...max(self.number, 1) {
      guard let entry = state.waiting(WaitingID(unchecked: "w\(number)")), entry.phase == .waiting else {
        continue
      }
      let wish = entry.terms.wish
      if let limit, seats(of: entry.terms.buyer) + wish.count > limit { continue }
      let block = plain.bestBlock(for: wish, free: free)
      let ways = wish.together ? [] : plain.selections(for: wish, free: free) ?? []
      #expect(
        block == nil && ways.isEmpty,
        "\(entry.terms) waits after \(command), although \(free.map { plain.seats[$0].id }) are free")
    }
  }

  private func seats(of buyer: BuyerID) -> Int {
    plain.seats.count { seat in
      switch state.occupancy(of: seat.id, at: now) {
      case .held(let hold), .booked(let hold, _): state.hold(hold)?.terms.buyer == buyer
      default: false
      }
    }
  }
}

import Booking
import Testing
import Vocabulary

@Suite("A hold")
struct HoldTests {
  @Test("takes free seats for as long as the show lets holds live, at the price of their sections")
  func takesSeats() {
    given(Booking.self, Lear.scheduled)
      .when(Lear.hold("h1", "A-1", "AA-4"), at: Lear.noon)
      .then(
        .seatsHeld(
          .init(
            holdID: "h1", buyer: "cordelia", seats: ["A-1", "AA-4"], total: Money(7000, .eur),
            heldAt: Lear.noon, expiresAt: Lear.whenItEnds)))
  }

  @Test("of a seat that somebody holds is refused, and so is one of a booked seat, naming each")
  func namesConflicts() {
    given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.held("h2", "A-2"),
      Lear.confirmed("h2", "o2", "A-2")
    )
    .when(Lear.hold("h3", by: "goneril", "A-1", "A-2", "A-3"), at: Lear.beforeItEnds)
    .thenRefused(.seatsUnavailable([.init(seat: "A-1", state: .held), .init(seat: "A-2", state: .booked)]))
  }

  @Test("takes all of its seats or none: the free ones of a refused hold stay free")
  func allOrNothing() throws {
    var state = Booking.fold([Lear.scheduled, Lear.held("h1", "A-1")])
    #expect(throws: Booking.Rejection.self) {
      try Booking.decide(Lear.hold("h2", "A-1", "A-2"), state, at: Lear.noon)
    }
    for event in try Booking.decide(Lear.hold("h3", by: "regan", "A-2"), state, at: Lear.noon) {
      Booking.evolve(&state, event)
    }
    #expect(state.occupancy(of: "A-2", at: Lear.noon) == .held("h3"))
  }

  @Test("is not stopped by a hold whose time is over: the old one expires in the same breath")
  func overtakesOverdueHold() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1", "A-2"))
      .when(Lear.hold("h2", by: "regan", "A-2", "A-3"), at: Lear.whenItEnds)
      .then(
        Lear.expired("h1", "A-1", "A-2"),
        Lear.held("h2", by: "regan", "A-2", "A-3", at: Lear.whenItEnds))
  }

  @Test("expires each overdue hold in its way once")
  func overtakesSeveral() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1", "A-2"), Lear.held("h2", "A-3"))
      .when(Lear.hold("h3", "A-3", "A-2", "A-1"), at: Lear.whenItEnds)
      .then(
        Lear.expired("h2", "A-3"), Lear.expired("h1", "A-1", "A-2"),
        Lear.held("h3", "A-3", "A-2", "A-1", at: Lear.whenItEnds))
  }

  @Test("is stopped by a hold that has a microsecond to live")
  func lastMicrosecond() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
      .when(Lear.hold("h2", "A-1"), at: Lear.beforeItEnds)
      .thenRefused(.seatsUnavailable([.init(seat: "A-1", state: .held)]))
  }

  @Test("asked for twice is made once, in whatever order the seats are named")
  func repeated() {
    let past = given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1", "A-2"))
    past.when(Lear.hold("h1", "A-1", "A-2"), at: Lear.noon).thenNothingNew()
    past.when(Lear.hold("h1", "A-2", "A-1"), at: Lear.whenItEnds).thenNothingNew()
  }

  @Test("under an id that stands for another buyer or other seats is refused")
  func idReused() {
    let past = given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
    past.when(Lear.hold("h1", by: "regan", "A-1")).thenRefused(.idReused("h1"))
    past.when(Lear.hold("h1", "A-2")).thenRefused(.idReused("h1"))
    past.when(Lear.hold("h1", "A-1", "A-2")).thenRefused(.idReused("h1"))
  }

  @Test("of seats that the show does not have is refused, naming them")
  func unknownSeats() {
    given(Booking.self, Lear.scheduled)
      .when(Lear.hold("h1", "A-1", "A-5", "C-1", "A-01", "A-0", "A"))
      .thenRefused(.unknownSeats(["A-5", "C-1", "A-01", "A-0", "A"]))
  }

  @Test("of no seats, of the same seat twice, or of too many is refused")
  func unreasonable() {
    let past = given(Booking.self, Lear.scheduled)
    past.when(Lear.hold("h1")).thenRefused(.noSeatsRequested)
    past.when(Lear.best(0, as: "h1")).thenRefused(.noSeatsRequested)
    past.when(Lear.best(-1, as: "h1")).thenRefused(.noSeatsRequested)
    past.when(Lear.hold("h1", "A-1", "A-2", "A-1")).thenRefused(.duplicateSeats(["A-1"]))
    past.when(Lear.best(101, as: "h1")).thenRefused(.tooManySeats(maximum: 100))
    let many = (1...101).map { SeatID(unchecked: "A-\($0)") }
    past.when(.hold(.init(holdID: "h1", buyer: "edmund", seats: .named(many))))
      .thenRefused(.tooManySeats(maximum: 100))
  }

  @Test("needs a show that is on sale")
  func notScheduled() {
    given(Booking.self).when(Lear.hold("h1", "A-1")).thenRefused(.showNotScheduled)
    given(Booking.self).when(.confirm("h1", order: "o1")).thenRefused(.showNotScheduled)
  }
}

@Suite("The best seats")
struct BestSeatsTests {
  @Test("are the first ones side by side in one row")
  func first() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-2"))
      .when(Lear.best(2, as: "h2"), at: Lear.noon)
      .then(Lear.held("h2", "A-3", "A-4"))
  }

  @Test("do not wrap from one row into the next")
  func oneRow() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1", "A-2"))
      .when(Lear.best(3, as: "h2"), at: Lear.noon)
      .then(Lear.held("h2", "B-1", "B-2", "B-3"))
  }

  @Test("can be asked for in one section")
  func inSection() {
    let past = given(Booking.self, Lear.scheduled)
    past.when(Lear.best(2, in: "circle", as: "h1"), at: Lear.noon).then(Lear.held("h1", "AA-1", "AA-2"))
    past.when(Lear.best(2, in: "boxes", as: "h1")).thenRefused(.unknownSection("boxes"))
  }

  @Test("include those under a hold whose time is over")
  func overdue() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1", "A-2"))
      .when(Lear.best(4, as: "h2"), at: Lear.whenItEnds)
      .then(
        Lear.expired("h1", "A-1", "A-2"), Lear.held("h2", "A-1", "A-2", "A-3", "A-4", at: Lear.whenItEnds))
  }

  @Test("do not disturb an overdue hold elsewhere")
  func overdueElsewhere() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "B-1"))
      .when(Lear.best(2, as: "h2"), at: Lear.whenItEnds)
      .then(Lear.held("h2", "A-1", "A-2", at: Lear.whenItEnds))
  }

  @Test("are refused when no row has as many side by side, however many are free")
  func noBlock() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-2", "B-2", "AA-2"))
      .when(Lear.best(3, as: "h2"), at: Lear.noon)
      .thenRefused(.noAdjacentSeats(count: 3))
    given(Booking.self, Lear.scheduled)
      .when(Lear.best(5, as: "h1"))
      .thenRefused(.noAdjacentSeats(count: 5))
  }

  @Test("asked for twice are those of the first time")
  func repeated() {
    let past = given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1", "A-2"))
    past.when(Lear.best(2, as: "h1")).thenNothingNew()
    past.when(Lear.best(2, in: "stalls", as: "h1")).thenNothingNew()
    past.when(Lear.best(3, as: "h1")).thenRefused(.idReused("h1"))
    past.when(Lear.best(2, in: "circle", as: "h1")).thenRefused(.idReused("h1"))
    past.when(Lear.best(2, as: "h1", by: "regan")).thenRefused(.idReused("h1"))
  }

  @Test("are found across the 64-seat words of a long row")
  func longRow() throws {
    let plan = try SeatPlan(sections: [.init(id: "floor", price: 100, rows: [.init(id: "F", seats: 300)])])
    var state = Booking.State()
    var schedule = Lear.schedule
    schedule.sections = plan.sections
    for event in try Booking.decide(.schedule(schedule), state, at: Lear.noon) {
      Booking.evolve(&state, event)
    }
    // Every 50th seat is taken: 49 side by side are left at first, and 50 only after F-300 − 49 = F-251.
    let pillars = (1...5).map { SeatID(unchecked: "F-\($0 * 50)") }
    let taken = Booking.Hold(holdID: "h1", buyer: "edgar", seats: .named(pillars))
    for event in try Booking.decide(.hold(taken), state, at: Lear.noon) { Booking.evolve(&state, event) }

    for (count, first) in [(49, "F-1"), (50, "F-251")] {
      let events = try Booking.decide(Lear.best(count, as: "h2"), state, at: Lear.noon)
      guard case .seatsHeld(let fact)? = events.last else {
        Issue.record("no seats held: \(events)")
        return
      }
      #expect(fact.seats.first?.rawValue == first)
      #expect(fact.seats.count == count)
    }
  }
}

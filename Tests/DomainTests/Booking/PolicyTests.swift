import Booking
import Testing
import Vocabulary

/// Lear with rules of its own.
private func lear(_ policy: Booking.Policy) -> Booking.Event {
  .showScheduled(
    .init(
      showID: "lear", title: "King Lear", startsAt: "2026-12-01T19:30:00Z", currency: .eur,
      taxRateBasisPoints: 1000, holdTTLSeconds: 600, plan: Lear.plan, policy: policy,
      scheduledAt: "2026-11-01T09:00:00Z"))
}

@Suite("One buyer's limit")
struct BuyerLimitTests {
  private let show = lear(.init(seatsPerBuyer: 3))

  @Test("counts held and booked seats of the show, of this buyer only")
  func counts() {
    let past = given(
      Booking.self, show, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"), Lear.held("h2", "A-2"),
      Lear.held("h3", by: "regan", "B-1", "B-2", "B-3"))
    past.when(Lear.hold("h4", "A-3"), at: Lear.noon).then(Lear.held("h4", "A-3"))
    past.when(Lear.hold("h4", "A-3", "A-4"), at: Lear.noon).thenRefused(.buyerLimit(maximum: 3, has: 2))
    past.when(Lear.best(2, as: "h4"), at: Lear.noon).thenRefused(.buyerLimit(maximum: 3, has: 2))
    past.when(Lear.best(1, as: "h4", by: "regan")).thenRefused(.buyerLimit(maximum: 3, has: 3))
  }

  @Test("gives back what was released, cancelled, or whose time is over")
  func givesBack() {
    given(
      Booking.self, show, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"),
      Lear.cancelled("h1", "o1", "A-1", at: Lear.noon), Lear.held("h2", "A-2"), Lear.released("h2", "A-2"),
      Lear.held("h3", "A-3")
    )
    .when(Lear.hold("h4", "B-1", "B-2", "B-3"), at: Lear.whenItEnds)
    .then(Lear.held("h4", "B-1", "B-2", "B-3", at: Lear.whenItEnds))
  }

  @Test("is none if the show sets none")
  func noLimit() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1", "A-2", "A-3", "A-4"))
      .when(Lear.hold("h2", "B-1", "B-2", "B-3", "B-4"), at: Lear.noon)
      .then(Lear.held("h2", "B-1", "B-2", "B-3", "B-4"))
  }

  @Test("holds for thousands of buyers")
  func thousands() throws {
    var schedule = Lear.schedule
    schedule.sections = [.init(id: "floor", price: 1, capacity: 5_000)]
    schedule.policy.seatsPerBuyer = 2
    var state = Booking.fold(try Booking.decide(.schedule(schedule), Booking.State(), at: Lear.noon))
    for number in 1...2_000 {
      let buyer = BuyerID(unchecked: "b\(number)")
      let command = Lear.best(2, as: HoldID(unchecked: "h\(number)"), by: buyer)
      for event in try Booking.decide(command, state, at: Lear.noon) { Booking.evolve(&state, event) }
    }
    for number in stride(from: 1, through: 2_000, by: 97) {
      #expect(throws: Booking.Rejection.buyerLimit(maximum: 2, has: 2)) {
        try Booking.decide(
          Lear.best(1, as: "more", by: BuyerID(unchecked: "b\(number)")), state, at: Lear.noon)
      }
    }
  }
}

@Suite("A seat left alone")
struct OrphanTests {
  @Test("is not allowed by who names seats, where the show forbids it; the refusal names it")
  func named() {
    let past = given(Booking.self, lear(.init(orphans: .forbidden)), Lear.held("h1", "B-1", "B-2"))
    past.when(Lear.hold("h2", "A-1", "A-2", "A-3")).thenRefused(.seatsLeftAlone(["A-4"]))
    past.when(Lear.hold("h2", "A-2")).thenRefused(.seatsLeftAlone(["A-1"]))
    past.when(Lear.hold("h2", "B-3")).thenRefused(.seatsLeftAlone(["B-4"]))
    past.when(Lear.hold("h2", "A-1", "A-2"), at: Lear.noon).then(Lear.held("h2", "A-1", "A-2"))
    past.when(Lear.hold("h2", "B-4", "B-3"), at: Lear.noon).then(Lear.held("h2", "B-4", "B-3"))
  }

  @Test("that was alone before may be taken, and stays as it is")
  func alreadyAlone() {
    let past = given(Booking.self, lear(.init(orphans: .forbidden)), Lear.held("h1", "A-1", "A-2", "A-3"))
    past.when(Lear.hold("h2", "A-4"), at: Lear.noon).then(Lear.held("h2", "A-4"))
    past.when(Lear.best(4, as: "h2"), at: Lear.noon).then(Lear.held("h2", "B-1", "B-2", "B-3", "B-4"))
  }

  @Test("counts a seat under a hold whose time is over as free")
  func overdue() {
    given(Booking.self, lear(.init(orphans: .forbidden)), Lear.held("h1", "A-4"))
      .when(Lear.hold("h2", "A-1", "A-2"), at: Lear.whenItEnds)
      .then(Lear.held("h2", "A-1", "A-2", at: Lear.whenItEnds))
    given(Booking.self, lear(.init(orphans: .forbidden)), Lear.held("h1", "A-4"))
      .when(Lear.hold("h2", "A-1", "A-2"), at: Lear.beforeItEnds).thenRefused(.seatsLeftAlone(["A-3"]))
  }

  @Test("is avoided by the best seats where there is a way, and only then")
  func avoided() {
    // Row A has three seats free, B and AA four.
    let taken = Lear.held("h1", "A-1")
    given(Booking.self, lear(.init(orphans: .avoided)), taken)
      .when(Lear.best(2, as: "h2"), at: Lear.noon).then(Lear.held("h2", "B-1", "B-2"))
    given(Booking.self, lear(.init(orphans: .avoided)), taken)
      .when(Lear.best(3, as: "h2"), at: Lear.noon).then(Lear.held("h2", "A-2", "A-3", "A-4"))
    let full = [taken, Lear.held("h3", "B-1"), Lear.held("h4", "AA-1")]
    var state = Booking.fold([lear(.init(orphans: .avoided))] + full)
    #expect(seats(of: Lear.best(2, as: "h2"), state) == ["A-2", "A-3"])
    state = Booking.fold([lear(.init(orphans: .forbidden))] + full)
    #expect(seats(of: Lear.best(2, as: "h2"), state) == nil)
  }

  private func seats(of command: Booking.Command, _ state: Booking.State) -> [SeatID]? {
    guard case .seatsHeld(let fact)? = try? Booking.decide(command, state, at: Lear.noon).last else {
      return nil
    }
    return fact.seats
  }
}

@Suite("Extending a hold")
struct ExtensionTests {
  private static let later: Timestamp = "2026-11-24T12:05:00Z"

  private func extended(to end: Timestamp, at instant: Timestamp = later) -> Booking.Event {
    .holdExtended(.init(holdID: "h1", expiresAt: end, extendedAt: instant))
  }

  @Test("lets it live as long as a new one would")
  func lives() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
      .when(.extend("h1"), at: Self.later).then(extended(to: "2026-11-24T12:15:00Z"))
    let past = given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), extended(to: "2026-11-24T12:15:00Z"))
    past.when(.confirm("h1", order: "o1"), at: "2026-11-24T12:14:59Z")
      .then(Lear.confirmed("h1", "o1", "A-1", at: "2026-11-24T12:14:59Z"))
    past.when(.confirm("h1", order: "o1"), at: "2026-11-24T12:15:00Z").thenRefused(.holdExpired("h1"))
    past.when(.expire("h1"), at: "2026-11-24T12:10:00Z")
      .thenRefused(.holdNotYetExpired("h1", until: "2026-11-24T12:15:00Z"))
    past.when(Lear.hold("h2", "A-1"), at: "2026-11-24T12:14:59Z")
      .thenRefused(.seatsUnavailable([.init(seat: "A-1", state: .held)]))
  }

  @Test("ends at the show's limit: three times as long as at first unless the show says otherwise")
  func capped() {
    let past = given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), extended(to: "2026-11-24T12:25:00Z"))
    past.when(.extend("h1"), at: "2026-11-24T12:24:00Z")
      .then(extended(to: "2026-11-24T12:30:00Z", at: "2026-11-24T12:24:00Z"))
    given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), extended(to: "2026-11-24T12:25:00Z"),
      extended(to: "2026-11-24T12:30:00Z")
    )
    .when(.extend("h1"), at: "2026-11-24T12:29:00Z").thenNothingNew()
    given(Booking.self, lear(.init(holdLifetimeSeconds: 660)), Lear.held("h1", "A-1"))
      .when(.extend("h1"), at: Self.later).then(extended(to: "2026-11-24T12:11:00Z"))
  }

  @Test("is refused when its time is over, or it was ended otherwise")
  func refused() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
      .when(.extend("h1"), at: Lear.whenItEnds).thenRefused(.holdExpired("h1"))
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.released("h1", "A-1"))
      .when(.extend("h1"), at: Self.later).thenRefused(.holdReleased("h1"))
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"))
      .when(.extend("h1"), at: Self.later).thenRefused(.holdAlreadyConfirmed("o1"))
    given(Booking.self, Lear.scheduled).when(.extend("h9")).thenRefused(.holdNotFound("h9"))
  }

  @Test("moves the timer, and the earlier deadline means nothing any more")
  func timer() {
    let state = Booking.fold([
      Lear.scheduled, Lear.held("h1", "A-1"), extended(to: "2026-11-24T12:15:00Z"),
    ])
    #expect(state.nextExpiry == "2026-11-24T12:15:00Z")
    #expect(state.overdueHolds(at: "2026-11-24T12:12:00Z") == [])
    #expect(state.overdueHolds(at: "2026-11-24T12:15:00Z") == ["h1"])
  }
}

@Suite("A cancelled show")
struct CancelledShowTests {
  private static let cancelled = Booking.Event.showCancelled(.init(reason: "fire", cancelledAt: Lear.noon))

  @Test("is cancelled once, with a reason")
  func once() {
    given(Booking.self, Lear.scheduled).when(.cancelShow(reason: "fire"), at: Lear.noon).then(Self.cancelled)
    given(Booking.self, Lear.scheduled, Self.cancelled).when(.cancelShow(reason: "water")).thenNothingNew()
    given(Booking.self, Lear.scheduled).when(.cancelShow(reason: "")).thenRefused(.invalidReason)
    given(Booking.self).when(.cancelShow(reason: "fire")).thenRefused(.showNotScheduled)
  }

  @Test("sells nothing more: no holds, no extensions, no confirmations")
  func sellsNothing() {
    let past = given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Self.cancelled)
    past.when(Lear.hold("h2", "A-2")).thenRefused(.showCancelled)
    past.when(Lear.best(1, as: "h2")).thenRefused(.showCancelled)
    past.when(.extend("h1"), at: Lear.beforeItEnds).thenRefused(.showCancelled)
    past.when(.confirm("h1", order: "o1"), at: Lear.beforeItEnds).thenRefused(.showCancelled)
    past.when(.schedule(Lear.schedule)).thenNothingNew()
  }

  @Test("keeps its bookings until each is cancelled, and its holds end as usual")
  func keepsBookings() {
    let state = Booking.fold([
      Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"), Self.cancelled,
    ])
    #expect(state.occupancy(of: "A-1", at: Lear.noon) == .booked("h1", "o1"))
    #expect(state.isCancelled)
    given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"), Self.cancelled
    )
    .when(.cancelBooking("h1", for: "o1"), at: Lear.whenItEnds)
    .then(Lear.cancelled("h1", "o1", "A-1", at: Lear.whenItEnds))
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Self.cancelled)
      .when(.release("h1", reason: "changed my mind"), at: Lear.beforeItEnds).then(Lear.released("h1", "A-1"))
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Self.cancelled)
      .when(.expire("h1"), at: Lear.whenItEnds).then(Lear.expired("h1", "A-1"))
  }
}

@Suite("Rules of a sale")
struct PolicyValidationTests {
  @Test("are checked with everything else when the show is scheduled")
  func checked() {
    var wrong = Lear.schedule
    wrong.policy = .init(seatsPerBuyer: 0, holdLifetimeSeconds: 599)
    given(Booking.self).when(.schedule(wrong)).thenRefused(
      .invalidPlan([
        "A buyer may have 0 seats; use 1 to 100000",
        "Holds live 600 seconds, but only 599 with extensions; make the second at least the first",
      ]))
    wrong.policy = .init(holdLifetimeSeconds: 259_201)
    given(Booking.self).when(.schedule(wrong)).thenRefused(
      .invalidPlan(["Holds live 259201 seconds with extensions; use 1 to 259200"]))
  }

  @Test("are part of the show: with others it is another show")
  func compared() {
    var other = Lear.schedule
    other.policy.orphans = .forbidden
    given(Booking.self, Lear.scheduled).when(.schedule(other)).thenRefused(.showAlreadyScheduled)
  }
}

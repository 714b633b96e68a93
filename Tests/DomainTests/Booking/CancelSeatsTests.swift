import Booking
import Testing
import Vocabulary

@Suite("A booking that gives some of its seats back")
struct CancelSeatsTests {
  @Test("keeps the others, and remembers that it was an offer")
  func keepsTheRest() throws {
    var state = Booking.State()
    Booking.evolve(&state, Lear.scheduled)
    let offer = Booking.SeatsHeld(
      holdID: "h1", buyer: "cordelia", seats: ["A-1", "A-2"], total: Money(9000, .eur), heldAt: Lear.noon,
      expiresAt: Lear.whenItEnds, waitingID: "h1")
    Booking.evolve(&state, .seatsHeld(offer))
    Booking.evolve(
      &state,
      .holdConfirmed(.init(holdID: "h1", orderID: "o1", seats: ["A-1", "A-2"], confirmedAt: Lear.noon)))
    let events = try Booking.decide(
      .cancelSeats("h1", for: "o1", seats: ["A-1", "A-1"]), state, at: Lear.noon)
    #expect(
      events == [
        .bookingSeatsCancelled(.init(holdID: "h1", orderID: "o1", seats: ["A-1"], cancelledAt: Lear.noon))
      ])
    for event in events { Booking.evolve(&state, event) }
    #expect(state.hold("h1")?.terms.seats == ["A-2"])
    #expect(state.hold("h1")?.terms.waitingID == "h1")
    #expect(state.occupancy(of: "A-1", at: Lear.noon) == .available)
    #expect(state.occupancy(of: "A-2", at: Lear.noon) == .booked("h1", "o1"))
    // The rest goes as a whole.
    let rest = try Booking.decide(.cancelSeats("h1", for: "o1", seats: ["A-2"]), state, at: Lear.noon)
    #expect(rest.map(\.type) == ["booking-cancelled"])
  }
}

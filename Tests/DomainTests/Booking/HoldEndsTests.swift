import Booking
import Testing
import Vocabulary

@Suite("Confirming a hold")
struct ConfirmTests {
  @Test("books its seats for an order")
  func confirms() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1", "A-2"))
      .when(.confirm("h1", order: "o1"), at: Lear.beforeItEnds)
      .then(Lear.confirmed("h1", "o1", "A-1", "A-2"))
  }

  @Test("is too late from the instant at which it ends, even when nobody else wanted the seats")
  func tooLate() {
    let past = given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
    past.when(.confirm("h1", order: "o1"), at: Lear.whenItEnds).thenRefused(.holdExpired("h1"))
  }

  @Test("is refused once the stream says that it expired or was released")
  func over() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.expired("h1", "A-1"))
      .when(.confirm("h1", order: "o1"), at: Lear.noon)
      .thenRefused(.holdExpired("h1"))
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.released("h1", "A-1"))
      .when(.confirm("h1", order: "o1"), at: Lear.noon)
      .thenRefused(.holdReleased("h1"))
  }

  @Test("twice for one order books once; for another order it is refused")
  func repeated() {
    let past = given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"))
    past.when(.confirm("h1", order: "o1"), at: "2026-11-25T00:00:00Z").thenNothingNew()
    past.when(.confirm("h1", order: "o2")).thenRefused(.holdAlreadyConfirmed("o1"))
  }

  @Test("again after the booking was cancelled does not book again")
  func afterCancellation() {
    let past = given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"),
      Lear.cancelled("h1", "o1", "A-1", at: Lear.whenItEnds))
    past.when(.confirm("h1", order: "o1")).thenNothingNew()
    past.when(.confirm("h1", order: "o2")).thenRefused(.holdAlreadyConfirmed("o1"))
  }

  @Test("needs a hold")
  func unknown() {
    given(Booking.self, Lear.scheduled).when(.confirm("h9", order: "o1")).thenRefused(.holdNotFound("h9"))
  }

  @Test("keeps the seats for good: the time of a confirmed hold does not run out")
  func forGood() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"))
      .when(Lear.hold("h2", "A-1"), at: "2026-12-01T00:00:00Z")
      .thenRefused(.seatsUnavailable([.init(seat: "A-1", state: .booked)]))
  }
}

@Suite("Giving a hold back")
struct ReleaseTests {
  @Test("frees its seats at once")
  func releases() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
      .when(.release("h1", reason: "changed my mind"), at: Lear.beforeItEnds)
      .then(Lear.released("h1", "A-1"))
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.released("h1", "A-1", at: Lear.noon))
      .when(Lear.hold("h2", "A-1"), at: Lear.noon)
      .then(Lear.held("h2", "A-1"))
  }

  @Test("after its time is over says that it expired")
  func overdue() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
      .when(.release("h1", reason: "changed my mind"), at: Lear.whenItEnds)
      .then(Lear.expired("h1", "A-1"))
  }

  @Test("when it is over already changes nothing")
  func repeated() {
    let held = Lear.held("h1", "A-1")
    given(Booking.self, Lear.scheduled, held, Lear.released("h1", "A-1"))
      .when(.release("h1", reason: "again")).thenNothingNew()
    given(Booking.self, Lear.scheduled, held, Lear.expired("h1", "A-1"))
      .when(.release("h1", reason: "again")).thenNothingNew()
  }

  @Test("is refused once it is booked: that takes a cancellation")
  func booked() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"))
      .when(.release("h1", reason: "oops")).thenRefused(.holdAlreadyConfirmed("o1"))
  }
}

@Suite("Expiring a hold")
struct ExpireTests {
  @Test("frees its seats when its time is over, and not a microsecond before")
  func expires() {
    let past = given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
    past.when(.expire("h1"), at: Lear.whenItEnds).then(Lear.expired("h1", "A-1"))
    past.when(.expire("h1"), at: Lear.beforeItEnds)
      .thenRefused(.holdNotYetExpired("h1", until: Lear.whenItEnds))
  }

  @Test("twice, or after it was released, changes nothing")
  func repeated() {
    let held = Lear.held("h1", "A-1")
    given(Booking.self, Lear.scheduled, held, Lear.expired("h1", "A-1")).when(.expire("h1")).thenNothingNew()
    given(Booking.self, Lear.scheduled, held, Lear.released("h1", "A-1")).when(.expire("h1")).thenNothingNew()
  }

  @Test("loses against a confirmation that came in time")
  func confirmed() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"))
      .when(.expire("h1"), at: Lear.whenItEnds).thenRefused(.holdAlreadyConfirmed("o1"))
  }

  @Test("of one hold leaves the hold that overtook it alone")
  func overtaken() {
    given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.expired("h1", "A-1"),
      Lear.held("h2", "A-1", at: Lear.whenItEnds), Lear.expired("h1", "A-1")
    )
    .when(Lear.hold("h3", "A-1"), at: Lear.whenItEnds)
    .thenRefused(.seatsUnavailable([.init(seat: "A-1", state: .held)]))
  }
}

@Suite("Cancelling a booking")
struct CancelBookingTests {
  @Test("frees its seats for the next buyer")
  func cancels() {
    let past = [Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1")]
    let cancelled = Lear.cancelled("h1", "o1", "A-1", at: Lear.whenItEnds)
    Given<Booking>(past: past).when(.cancelBooking("h1", for: "o1"), at: Lear.whenItEnds).then(cancelled)
    Given<Booking>(past: past + [cancelled]).when(Lear.hold("h2", "A-1"), at: Lear.whenItEnds)
      .then(Lear.held("h2", "A-1", at: Lear.whenItEnds))
  }

  @Test("twice cancels once")
  func repeated() {
    given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"),
      Lear.cancelled("h1", "o1", "A-1", at: Lear.whenItEnds)
    )
    .when(.cancelBooking("h1", for: "o1")).thenNothingNew()
  }

  @Test("is refused to another order of the same hold, whose seats they are not, before and after")
  func anothers() {
    let past = given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"))
    past.when(.cancelBooking("h1", for: "o2")).thenRefused(.holdAlreadyConfirmed("o1"))
    given(
      Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.confirmed("h1", "o1", "A-1"),
      Lear.cancelled("h1", "o1", "A-1", at: Lear.whenItEnds)
    )
    .when(.cancelBooking("h1", for: "o2")).thenRefused(.holdAlreadyConfirmed("o1"))
  }

  @Test("needs one: a hold is released instead")
  func notConfirmed() {
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"))
      .when(.cancelBooking("h1", for: "o1")).thenRefused(.notConfirmed("h1"))
    given(Booking.self, Lear.scheduled, Lear.held("h1", "A-1"), Lear.expired("h1", "A-1"))
      .when(.cancelBooking("h1", for: "o1")).thenRefused(.notConfirmed("h1"))
    given(Booking.self, Lear.scheduled).when(.cancelBooking("h9", for: "o1")).thenRefused(.holdNotFound("h9"))
  }
}

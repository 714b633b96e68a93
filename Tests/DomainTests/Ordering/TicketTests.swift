import Ordering
import Testing
import Vocabulary

/// The same two seats, confirmed.
@Suite("The tickets of an order")
struct TicketTests {
  private static let transferred = Ordering.Event.ticketTransferred(
    .init(orderID: "o1", seat: "A-2", holder: "edgar", transferredAt: TwoSeats.later))
  private static let used = Ordering.Event.ticketCheckedIn(
    .init(orderID: "o1", seat: "A-2", scanID: "s1", checkedInAt: TwoSeats.later))

  @Test("go to somebody else, who pays nothing")
  func transfer() {
    let past = given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed)
    past.when(.transfer("A-2", to: "edgar"), at: TwoSeats.later).then(Self.transferred)
    past.when(.transfer("A-2", to: "cordelia")).thenNothingNew()
    past.when(.transfer("B-1", to: "edgar")).thenRefused(.noSuchTicket("o1", "B-1"))
    given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed, Self.transferred)
      .when(.transfer("A-2", to: "edgar")).thenNothingNew()
    given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed, Self.used)
      .when(.transfer("A-2", to: "edgar")).thenRefused(.alreadyCheckedIn("o1", "A-2"))
  }

  @Test("let one person in each")
  func checkIn() {
    let past = given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed)
    past.when(.checkIn("A-2", scan: "s1"), at: TwoSeats.later).then(Self.used)
    let after = given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed, Self.used)
    after.when(.checkIn("A-2", scan: "s1")).thenNothingNew()
    after.when(.checkIn("A-2", scan: "s2")).thenRefused(.alreadyCheckedIn("o1", "A-2"))
  }

  @Test("of an order that is not confirmed, failed or was cancelled let nobody in")
  func notValid() {
    let checkIn = Ordering.Command.checkIn("A-1", scan: "s1")
    given(Ordering.self, TwoSeats.placed).when(checkIn).thenRefused(.notConfirmed("o1"))
    given(Ordering.self, TwoSeats.placed, TwoSeats.failed).when(checkIn)
      .thenRefused(.alreadyFailed("o1", reason: "card declined"))
    given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed, TwoSeats.refunded).when(checkIn)
      .thenRefused(.alreadyCancelled("o1"))
    let gone = Ordering.Event.orderSeatsCancelled(
      .init(
        orderID: "o1", showID: "lear", accountID: "duke", quoteID: "q1", lines: [TwoSeats.lines[0]],
        refund: Money(4500, .eur), fee: .zero(.eur), occurredAt: TwoSeats.later))
    given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed, gone).when(checkIn)
      .thenRefused(.noSuchTicket("o1", "A-1"))
  }

  @Test("that were used are not given back, unless the show is cancelled")
  func used() {
    let past = given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed, Self.used)
    past.when(.cancel).thenRefused(.alreadyCheckedIn("o1", "A-2"))
    past.when(
      .quoteCancellation(.init(id: "q1", feeBasisPoints: 0, expiresAt: TwoSeats.later))
    ).thenRefused(.alreadyCheckedIn("o1", "A-2"))
    past.when(.refundCancelledShow, at: TwoSeats.later).then(TwoSeats.refunded)
  }

  @Test("say who goes and whether they can")
  func list() {
    let state = Ordering.fold([TwoSeats.placed, TwoSeats.confirmed, Self.transferred, Self.used])
    #expect(
      state.tickets.map { "\($0.seat) \($0.holder) \($0.status.rawValue)" } == [
        "A-1 cordelia valid", "A-2 edgar checked-in",
      ])
    #expect(Ordering.fold([TwoSeats.placed]).tickets.isEmpty)
  }

  @Test("name their new holder, and the holder's address, as personal data")
  func payloads() throws {
    #expect(
      Self.transferred.personalFields.map { "\($0.name) \($0.subject)" }
        == ["holder buyer:edgar", "email buyer:edgar"])
    try expectPayload(
      Self.transferred, isNamed: "ticket-transferred",
      andReads: #"{"holder":"edgar","order_id":"o1","seat":"A-2","transferred_at":"2026-11-24T12:05:00Z"}"#)
    try expectPayload(
      Self.used, isNamed: "ticket-checked-in",
      andReads: #"{"checked_in_at":"2026-11-24T12:05:00Z","order_id":"o1","scan_id":"s1","seat":"A-2"}"#)
  }
}

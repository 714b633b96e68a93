import Ordering
import Testing
import Vocabulary

/// The same two seats, paid by card.
private enum Paid {
  static let id: PaymentID = "p1"
  static let total = Money(9000, .eur)
  static var place: Ordering.Place {
    var place = TwoSeats.place
    place.payment = .init(id: id, provider: "sandbox")
    return place
  }
  static let requested = Ordering.Event.paymentRequested(
    .init(orderID: "o1", paymentID: id, provider: "sandbox", amount: total, requestedAt: TwoSeats.noon))
  static let received = Ordering.Event.paymentReceived(
    .init(orderID: "o1", paymentID: id, amount: total, receivedAt: TwoSeats.later))
  static let declined = Ordering.Event.paymentDeclined(
    .init(orderID: "o1", paymentID: id, reason: "card declined", declinedAt: TwoSeats.later))
  static func refund(_ amount: Int64, id: RefundID = "p1.1") -> Ordering.Event {
    .refundRequested(
      .init(
        orderID: "o1", paymentID: Paid.id, refundID: id, amount: Money(amount, .eur),
        requestedAt: TwoSeats.later))
  }
}

@Suite("The payment of an order")
struct PaymentTests {
  @Test("is requested together with the order")
  func request() {
    given(Ordering.self).when(.place(Paid.place), at: TwoSeats.noon).then(TwoSeats.placed, Paid.requested)
  }

  @Test("is not requested of somebody who owes nothing")
  func free() throws {
    var place = Paid.place
    place.lines = [.init(seat: "A-1", amount: 0, taxRateBasisPoints: 0)]
    #expect(try Ordering.decide(.place(place), .none, at: TwoSeats.noon).map(\.type) == ["order-placed"])
  }

  @Test("has to be there before the order is confirmed")
  func confirm() {
    given(Ordering.self, TwoSeats.placed, Paid.requested).when(.confirm).thenRefused(.notPaid("o1"))
    given(Ordering.self, TwoSeats.placed, Paid.requested, Paid.received)
      .when(.confirm, at: TwoSeats.later).then(TwoSeats.confirmed)
  }

  @Test("is taken once")
  func receive() {
    let past = given(Ordering.self, TwoSeats.placed, Paid.requested)
    past.when(.receivePayment(Paid.id, Paid.total), at: TwoSeats.later).then(Paid.received)
    past.when(.receivePayment("p2", Paid.total)).thenRefused(.unknownPayment("o1", "p2"))
    past.when(.receivePayment(Paid.id, Money(8999, .eur)))
      .thenRefused(.wrongAmount("o1", expected: Paid.total, paid: Money(8999, .eur)))
    given(Ordering.self, TwoSeats.placed, Paid.requested, Paid.received)
      .when(.receivePayment(Paid.id, Paid.total)).thenNothingNew()
    given(Ordering.self, TwoSeats.placed)
      .when(.receivePayment(Paid.id, Paid.total)).thenRefused(.unknownPayment("o1", Paid.id))
  }

  @Test("that is declined fails the order, and a decline that comes late changes nothing")
  func decline() {
    given(Ordering.self, TwoSeats.placed, Paid.requested)
      .when(.declinePayment(Paid.id, reason: "card declined"), at: TwoSeats.later)
      .then(Paid.declined, TwoSeats.failed)
    given(Ordering.self, TwoSeats.placed, Paid.requested, Paid.received)
      .when(.declinePayment(Paid.id, reason: "card declined")).thenNothingNew()
    given(Ordering.self, TwoSeats.placed, Paid.requested, TwoSeats.calledOff)
      .when(.declinePayment(Paid.id, reason: "card declined"), at: TwoSeats.later).then(Paid.declined)
  }

  @Test("goes back in the same append that ends the order", arguments: [TwoSeats.failed, TwoSeats.calledOff])
  func refundWithEnd(end: Ordering.Event) {
    let command: Ordering.Command = end == TwoSeats.failed ? .fail(reason: "card declined") : .cancel
    given(Ordering.self, TwoSeats.placed, Paid.requested, Paid.received)
      .when(command, at: TwoSeats.later).then(end, Paid.refund(9000))
    given(Ordering.self, TwoSeats.placed, Paid.requested)
      .when(command, at: TwoSeats.later).then(end)
  }

  @Test(
    "that comes when the order has ended goes back at once", arguments: [TwoSeats.failed, TwoSeats.calledOff])
  func late(end: Ordering.Event) {
    given(Ordering.self, TwoSeats.placed, Paid.requested, end)
      .when(.receivePayment(Paid.id, Paid.total), at: TwoSeats.later)
      .then(Paid.received, Paid.refund(9000))
  }

  @Test("of a confirmed order goes back when it is cancelled")
  func cancelConfirmed() {
    given(Ordering.self, TwoSeats.placed, Paid.requested, Paid.received, TwoSeats.confirmed)
      .when(.cancel, at: TwoSeats.later).then(TwoSeats.refunded, Paid.refund(9000))
  }

  @Test("is given back once")
  func settle() {
    let settled = Ordering.Event.refundSettled(
      .init(orderID: "o1", refundID: "p1.1", amount: Paid.total, settledAt: TwoSeats.later))
    given(Ordering.self, TwoSeats.placed, Paid.requested, Paid.received, TwoSeats.failed, Paid.refund(9000))
      .when(.settleRefund("p1.1"), at: TwoSeats.later).then(settled)
    given(
      Ordering.self, TwoSeats.placed, Paid.requested, Paid.received, TwoSeats.failed, Paid.refund(9000),
      settled
    ).when(.settleRefund("p1.1")).thenNothingNew()
    given(Ordering.self, TwoSeats.placed, Paid.requested)
      .when(.settleRefund("p1.1")).thenRefused(.unknownRefund("o1", "p1.1"))
  }

  @Test("under any commands is either for seats or given back, to the cent")
  func conservation() throws {
    var random = SeededRandom(for: "received = worth + refunded")
    let commands: [Ordering.Command] = [
      .place(Paid.place), .receivePayment(Paid.id, Paid.total), .declinePayment(Paid.id, reason: "no"),
      .confirm,
      .fail(reason: "random"), .cancel, .settleRefund("p1.1"),
    ]
    for _ in 0..<2000 {
      var state = Ordering.State.none
      for _ in 0..<12 {
        let command = commands.randomElement(using: &random) ?? .cancel
        guard let events = try? Ordering.decide(command, state, at: TwoSeats.noon) else { continue }
        for event in events { Ordering.evolve(&state, event) }
        #expect(try Ordering.decide(command, state, at: TwoSeats.later) == [])
        let received = state.payment?.received?.minorUnits ?? 0
        let refunded = state.payment?.refunded ?? 0
        switch state.standing {
        case .none, .placed: #expect(refunded == 0)
        case .confirmed: #expect(received == 9000 && refunded == 0)
        case .failed, .cancelled: #expect(refunded == received)
        }
      }
    }
  }
}

@Suite("The facts of a payment in JSON")
struct PaymentPayloadTests {
  @Test("all five")
  func all() throws {
    try expectPayload(
      Paid.requested, isNamed: "payment-requested",
      andReads:
        #"{"amount":{"amount":9000,"currency":"EUR"},"order_id":"o1","payment_id":"p1","provider":"sandbox","requested_at":"2026-11-24T12:00:00Z"}"#
    )
    try expectPayload(
      Paid.received, isNamed: "payment-received",
      andReads:
        #"{"amount":{"amount":9000,"currency":"EUR"},"order_id":"o1","payment_id":"p1","received_at":"2026-11-24T12:05:00Z"}"#
    )
    try expectPayload(
      Paid.declined, isNamed: "payment-declined",
      andReads:
        #"{"declined_at":"2026-11-24T12:05:00Z","order_id":"o1","payment_id":"p1","reason":"card declined"}"#)
    try expectPayload(
      Paid.refund(1), isNamed: "refund-requested",
      andReads:
        #"{"amount":{"amount":1,"currency":"EUR"},"order_id":"o1","payment_id":"p1","refund_id":"p1.1","requested_at":"2026-11-24T12:05:00Z"}"#
    )
    try expectPayload(
      Ordering.Event.refundSettled(
        .init(orderID: "o1", refundID: "p1.1", amount: Money(1, .eur), settledAt: TwoSeats.later)),
      isNamed: "refund-settled",
      andReads:
        #"{"amount":{"amount":1,"currency":"EUR"},"order_id":"o1","refund_id":"p1.1","settled_at":"2026-11-24T12:05:00Z"}"#
    )
  }

  @Test("how somebody pays and can be written to is personal data of the buyer")
  func personal() {
    #expect(TwoSeats.placed.personalFields.map(\.name) == ["buyer", "payment_method", "email"])
    #expect(Set(TwoSeats.placed.personalFields.map(\.subject.description)) == ["buyer:cordelia"])
  }
}

import Ordering
import Testing
import Vocabulary

/// Two seats for King Lear, bought by the duke's account.
enum TwoSeats {
  static let lines = [
    Ordering.Line(seat: "A-1", amount: 4500, taxRateBasisPoints: 1000),
    Ordering.Line(seat: "A-2", amount: 4500, taxRateBasisPoints: 1000),
  ]
  static let place = Ordering.Place(
    orderID: "o1", showID: "lear", holdID: "h1", accountID: "duke", buyer: "cordelia", currency: .eur,
    lines: lines, paymentMethod: "card")
  static let noon: Timestamp = "2026-11-24T12:00:00Z"
  static let later: Timestamp = "2026-11-24T12:05:00Z"

  static let placed = Ordering.Event.orderPlaced(
    .init(
      orderID: "o1", showID: "lear", holdID: "h1", accountID: "duke", buyer: "cordelia", lines: lines,
      total: Money(9000, .eur), paymentMethod: "card", placedAt: noon))
  static let confirmed = Ordering.Event.orderConfirmed(
    .init(
      orderID: "o1", showID: "lear", accountID: "duke", lines: lines, total: Money(9000, .eur),
      occurredAt: later))
  static let failed = Ordering.Event.orderFailed(
    .init(orderID: "o1", reason: "card declined", occurredAt: later))
  static let refunded = Ordering.Event.orderCancelled(
    .init(
      orderID: "o1", showID: "lear", accountID: "duke", lines: lines, refund: Money(9000, .eur),
      occurredAt: later))
  static let calledOff = Ordering.Event.orderCancelled(
    .init(
      orderID: "o1", showID: "lear", accountID: "duke", lines: [], refund: .zero(.eur), occurredAt: later))
}

@Suite("An order")
struct OrderingTests {
  @Test("is placed with the sum of its lines as total")
  func place() {
    given(Ordering.self).when(.place(TwoSeats.place), at: TwoSeats.noon).then(TwoSeats.placed)
  }

  @Test("is confirmed with everything that its bill needs")
  func confirm() {
    given(Ordering.self, TwoSeats.placed).when(.confirm, at: TwoSeats.later).then(TwoSeats.confirmed)
  }

  @Test("can fail while it is only placed")
  func fail() {
    given(Ordering.self, TwoSeats.placed)
      .when(.fail(reason: "card declined"), at: TwoSeats.later)
      .then(TwoSeats.failed)
    given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed)
      .when(.fail(reason: "card declined")).thenRefused(.alreadyConfirmed("o1"))
  }

  @Test("that is confirmed is refunded line by line when it is cancelled")
  func cancelConfirmed() {
    given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed)
      .when(.cancel, at: TwoSeats.later)
      .then(TwoSeats.refunded)
  }

  @Test("that is only placed refunds nothing when it is cancelled")
  func cancelPlaced() {
    given(Ordering.self, TwoSeats.placed).when(.cancel, at: TwoSeats.later).then(TwoSeats.calledOff)
  }

  @Test("that failed stays failed")
  func failedIsFinal() {
    let past = given(Ordering.self, TwoSeats.placed, TwoSeats.failed)
    past.when(.confirm).thenRefused(.alreadyFailed("o1", reason: "card declined"))
    past.when(.cancel).thenRefused(.alreadyFailed("o1", reason: "card declined"))
  }

  @Test("that was cancelled before it was confirmed stays cancelled")
  func cancelledIsFinal() {
    let past = given(Ordering.self, TwoSeats.placed, TwoSeats.calledOff)
    past.when(.confirm).thenRefused(.alreadyCancelled("o1"))
    past.when(.fail(reason: "late")).thenRefused(.alreadyCancelled("o1"))
  }

  @Test("has to be placed before anything else")
  func notPlaced() {
    for command in [Ordering.Command.confirm, .fail(reason: "?"), .cancel] {
      given(Ordering.self).when(command).thenRefused(.notPlaced)
    }
  }

  @Test("does nothing new when a command is repeated")
  func repeats() {
    given(Ordering.self, TwoSeats.placed).when(.place(TwoSeats.place)).thenNothingNew()
    given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed).when(.place(TwoSeats.place)).thenNothingNew()
    given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed).when(.confirm).thenNothingNew()
    given(Ordering.self, TwoSeats.placed, TwoSeats.failed).when(.fail(reason: "other")).thenNothingNew()
    let cancelled = given(Ordering.self, TwoSeats.placed, TwoSeats.confirmed, TwoSeats.refunded)
    cancelled.when(.cancel).thenNothingNew()
    cancelled.when(.confirm).thenNothingNew()
    cancelled.when(.fail(reason: "late")).thenRefused(.alreadyCancelled("o1"))
    given(Ordering.self, TwoSeats.placed, TwoSeats.calledOff).when(.cancel).thenNothingNew()
  }

  @Test("under an id that stands for another order is refused")
  func idReused() {
    var other = TwoSeats.place
    other.accountID = "earl"
    given(Ordering.self, TwoSeats.placed).when(.place(other)).thenRefused(.idReused("o1"))
  }

  @Test("names everything that has to be mended at once")
  func invalid() {
    var wrong = TwoSeats.place
    wrong.paymentMethod = ""
    wrong.lines = [
      .init(seat: "A-1", amount: -1, taxRateBasisPoints: 0),
      .init(seat: "A-1", amount: 1, taxRateBasisPoints: 10_001),
    ]
    given(Ordering.self).when(.place(wrong)).thenRefused(
      .invalidOrder([
        "The payment method has 0 characters; use 1 to 128", "Seat A-1 costs -1; an amount is 0 or more",
        "Seat A-1 is listed twice; list each seat once",
        "Seat A-1 has a tax rate of 10001 basis points; use 0 to 10000",
      ]))
    wrong = TwoSeats.place
    wrong.lines = []
    given(Ordering.self).when(.place(wrong)).thenRefused(
      .invalidOrder(["It has no lines; order at least one seat"]))
  }

  @Test("whose total exceeds 64 bits is refused")
  func overflow() {
    var wrong = TwoSeats.place
    wrong.lines = [
      .init(seat: "A-1", amount: .max, taxRateBasisPoints: 0),
      .init(seat: "A-2", amount: 1, taxRateBasisPoints: 0),
    ]
    given(Ordering.self).when(.place(wrong)).thenRefused(.invalidOrder(["\(MoneyError.overflow)"]))
  }

  @Test("under any commands refunds what it took, or never took anything")
  func conservation() throws {
    var random = SeededRandom(for: "refunds equal confirmed totals")
    let commands: [Ordering.Command] = [.place(TwoSeats.place), .confirm, .fail(reason: "random"), .cancel]
    for _ in 0..<500 {
      var state = Ordering.State()
      var balance: Int64 = 0
      var ended = false
      for _ in 0..<12 {
        let command = commands.randomElement(using: &random) ?? .cancel
        guard let events = try? Ordering.decide(command, state, at: TwoSeats.noon) else { continue }
        for event in events {
          #expect(!ended, "\(event) after the end")
          switch event {
          case .orderConfirmed(let fact): balance += fact.total.minorUnits
          case .orderCancelled(let fact):
            balance -= fact.refund.minorUnits
            #expect(fact.lines.reduce(0) { $0 + $1.amount } == fact.refund.minorUnits)
            ended = true
          case .orderFailed: ended = true
          case .orderPlaced, .paymentRequested, .paymentReceived, .paymentDeclined, .refundRequested,
            .refundSettled,
            .cancellationQuoted, .orderSeatsCancelled, .ticketTransferred, .ticketCheckedIn:
            break
          }
          Ordering.evolve(&state, event)
        }
        #expect(try Ordering.decide(command, state, at: TwoSeats.later) == [])
      }
      if ended { #expect(balance == 0) }
    }
  }
}

@Suite("The facts of an order in JSON")
struct OrderingPayloadTests {
  static let lines = """
    [{"amount":4500,"seat":"A-1","tax_rate_bp":1000},{"amount":4500,"seat":"A-2","tax_rate_bp":1000}]
    """

  @Test("order-placed")
  func placed() throws {
    try expectPayload(
      TwoSeats.placed, isNamed: "order-placed",
      andReads: """
        {"account_id":"duke","buyer":"cordelia","hold_id":"h1","lines":\(Self.lines),"order_id":"o1",\
        "payment_method":"card","placed_at":"2026-11-24T12:00:00Z","show_id":"lear",\
        "total":{"amount":9000,"currency":"EUR"}}
        """)
  }

  @Test("order-confirmed")
  func confirmed() throws {
    try expectPayload(
      TwoSeats.confirmed, isNamed: "order-confirmed",
      andReads: """
        {"account_id":"duke","lines":\(Self.lines),"occurred_at":"2026-11-24T12:05:00Z","order_id":"o1",\
        "show_id":"lear","total":{"amount":9000,"currency":"EUR"}}
        """)
  }

  @Test("order-failed")
  func failed() throws {
    try expectPayload(
      TwoSeats.failed, isNamed: "order-failed",
      andReads: #"{"occurred_at":"2026-11-24T12:05:00Z","order_id":"o1","reason":"card declined"}"#)
  }

  @Test("order-cancelled")
  func cancelled() throws {
    try expectPayload(
      TwoSeats.refunded, isNamed: "order-cancelled",
      andReads: """
        {"account_id":"duke","lines":\(Self.lines),"occurred_at":"2026-11-24T12:05:00Z","order_id":"o1",\
        "refund":{"amount":9000,"currency":"EUR"},"show_id":"lear"}
        """)
    try expectPayload(
      TwoSeats.calledOff, isNamed: "order-cancelled",
      andReads: """
        {"account_id":"duke","lines":[],"occurred_at":"2026-11-24T12:05:00Z","order_id":"o1",\
        "refund":{"amount":0,"currency":"EUR"},"show_id":"lear"}
        """)
  }

  @Test("of an unknown type is refused by name")
  func unknown() {
    #expect(throws: UnknownEventType(type: "order-lost", category: "order")) {
      try decode(Ordering.Event.self, type: "order-lost", from: "{}")
    }
  }
}

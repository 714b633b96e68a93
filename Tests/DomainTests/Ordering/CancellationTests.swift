import Ordering
import Testing
import Vocabulary

/// The same two seats, confirmed.
private enum Quoted {
  static let past: [Ordering.Event] = [TwoSeats.placed, TwoSeats.confirmed]
  static let expiry: Timestamp = "2026-11-24T12:20:00Z"
  static func request(_ seats: [SeatID]? = nil, fee: Int = 1000, id: QuoteID = "q1") -> Ordering.Command {
    .quoteCancellation(.init(id: id, seats: seats, feeBasisPoints: fee, expiresAt: expiry))
  }
  static func line(_ seat: SeatID, _ amount: Int64) -> Ordering.Line {
    .init(seat: seat, amount: amount, taxRateBasisPoints: 1000)
  }
  static func quote(_ lines: [Ordering.Line], refund: Int64, fee: Int64) -> Ordering.Event {
    .cancellationQuoted(
      .init(
        orderID: "o1", quoteID: "q1", lines: lines, refund: Money(refund, .eur), fee: Money(fee, .eur),
        quotedAt: TwoSeats.later, expiresAt: expiry))
  }
  static let one = quote([line("A-2", 4050)], refund: 4050, fee: 450)
  static let oneCancelled = Ordering.Event.orderSeatsCancelled(
    .init(
      orderID: "o1", showID: "lear", accountID: "duke", quoteID: "q1", lines: [line("A-2", 4050)],
      refund: Money(4050, .eur), fee: Money(450, .eur), occurredAt: TwoSeats.later))
}

@Suite("Cancelling an order in two steps")
struct CancellationTests {
  private func given(_ more: Ordering.Event...) -> Ordering.State {
    Ordering.fold(Quoted.past + more)
  }

  private func refusal(
    _ command: Ordering.Command, _ state: Ordering.State, at now: Timestamp = TwoSeats.later
  )
    -> Ordering.Rejection?
  {
    do throws(Ordering.Rejection) {
      _ = try Ordering.decide(command, state, at: now)
      return nil
    } catch {
      return error
    }
  }

  @Test("the quote says what each seat would give back, and what is kept")
  func quote() throws {
    let whole = try Ordering.decide(Quoted.request(), given(), at: TwoSeats.later)
    #expect(
      whole == [
        Quoted.quote([Quoted.line("A-1", 4050), Quoted.line("A-2", 4050)], refund: 8100, fee: 900)
      ])
    #expect(try Ordering.decide(Quoted.request(["A-2"]), given(), at: TwoSeats.later) == [Quoted.one])
    #expect(refusal(Quoted.request(["B-1"]), given()) == .noSuchTicket("o1", "B-1"))
    #expect(refusal(Quoted.request(), Ordering.fold([TwoSeats.placed])) == .notConfirmed("o1"))
    #expect(try Ordering.decide(Quoted.request(["A-2"]), given(Quoted.one), at: TwoSeats.later) == [])
  }

  @Test("one seat of two is refunded less the fee, and the order goes on")
  func one() throws {
    let events = try Ordering.decide(.confirmCancellation("q1"), given(Quoted.one), at: TwoSeats.later)
    #expect(events == [Quoted.oneCancelled])
    let after = given(Quoted.one, Quoted.oneCancelled)
    #expect(after.remainingLines.map(\.seat) == ["A-1"])
    #expect(try Ordering.decide(.confirmCancellation("q1"), after, at: TwoSeats.later) == [])
    // What is left is cancelled by the old way: in full.
    let rest = try Ordering.decide(.cancel, after, at: TwoSeats.later)
    guard case .orderCancelled(let fact)? = rest.first else {
      Issue.record("\(rest)")
      return
    }
    #expect(fact.lines == [Quoted.line("A-1", 4500)] && fact.refund == Money(4500, .eur))
  }

  @Test("the last seats end the order, with the fee in the fact")
  func whole() throws {
    let quote = Quoted.quote([Quoted.line("A-1", 4050), Quoted.line("A-2", 4050)], refund: 8100, fee: 900)
    let events = try Ordering.decide(.confirmCancellation("q1"), given(quote), at: TwoSeats.later)
    guard case .orderCancelled(let fact)? = events.first, events.count == 1 else {
      Issue.record("\(events)")
      return
    }
    #expect(fact.refund == Money(8100, .eur) && fact.fee == Money(900, .eur) && fact.quoteID == "q1")
  }

  @Test("a quote whose time is over, or that another one has replaced, or whose seats are gone, is refused")
  func stale() {
    #expect(
      refusal(.confirmCancellation("q1"), given(Quoted.one), at: Quoted.expiry) == .quoteExpired("o1", "q1"))
    #expect(refusal(.confirmCancellation("q0"), given(Quoted.one)) == .unknownQuote("o1", "q0"))
    let gone = Ordering.Event.orderSeatsCancelled(
      .init(
        orderID: "o1", showID: "lear", accountID: "duke", quoteID: "q9", lines: [Quoted.line("A-2", 1)],
        refund: Money(1, .eur), fee: .zero(.eur), occurredAt: TwoSeats.later))
    #expect(refusal(.confirmCancellation("q1"), given(Quoted.one, gone)) == .noSuchTicket("o1", "A-2"))
  }

  @Test("the provider gives back what the account is refunded, and keeps the fee")
  func provider() throws {
    let paid: [Ordering.Event] = [
      TwoSeats.placed,
      .paymentRequested(
        .init(
          orderID: "o1", paymentID: "p1", provider: "bank", amount: Money(9000, .eur),
          requestedAt: TwoSeats.noon)
      ),
      .paymentReceived(
        .init(orderID: "o1", paymentID: "p1", amount: Money(9000, .eur), receivedAt: TwoSeats.noon)),
      TwoSeats.confirmed, Quoted.one,
    ]
    var state = Ordering.fold(paid)
    for command in [Ordering.Command.confirmCancellation("q1"), .cancel] {
      for event in try Ordering.decide(command, state, at: TwoSeats.later) { Ordering.evolve(&state, event) }
    }
    #expect(state.payment?.refunds.map(\.amount.minorUnits) == [4050, 4500])
    #expect(state.payment?.refunds.map(\.id) == ["p1.1", "p1.2"])
  }

  @Test(
    "a fee is rounded half to even, seat by seat",
    arguments: [(5, 1000, 0), (15, 1000, 2), (25, 1000, 2), (4500, 10_000, 4500), (4500, 0, 0)])
  func rounding(price: Int64, basisPoints: Int, fee: Int64) throws {
    var place = TwoSeats.place
    place.lines = [.init(seat: "A-1", amount: price, taxRateBasisPoints: 0)]
    var state = Ordering.State.none
    for command in [Ordering.Command.place(place), .confirm, Quoted.request(fee: basisPoints)] {
      for event in try Ordering.decide(command, state, at: TwoSeats.noon) { Ordering.evolve(&state, event) }
    }
    #expect(state.quote?.fee.minorUnits == fee && state.quote?.refund.minorUnits == price - fee)
  }

  @Test("the policy takes the first tier whose notice is kept, and nothing once the show has begun")
  func policy() throws {
    let policy = try #require(CancellationPolicy("0=5000,168=0,24=1000"))
    let start: Timestamp = "2026-12-24T20:00:00Z"
    #expect(policy.feeBasisPoints(at: "2026-12-17T20:00:00Z", before: start) == 0)
    #expect(policy.feeBasisPoints(at: "2026-12-17T20:00:00.000001Z", before: start) == 1000)
    #expect(policy.feeBasisPoints(at: "2026-12-24T00:00:00Z", before: start) == 5000)
    #expect(policy.feeBasisPoints(at: start, before: start) == 5000)
    #expect(policy.feeBasisPoints(at: start + .seconds(1), before: start) == nil)
    for wrong in ["", "24", "24=10001", "-1=0", "24=0,24=1", "24=0,"] {
      #expect(CancellationPolicy(wrong) == nil)
    }
  }
}

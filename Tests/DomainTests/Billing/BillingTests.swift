import Testing
import Vocabulary

@testable import Billing

/// The duke's account, in New York, and one order of two seats confirmed on the last evening of October.
enum Duke {
  static let open = Billing.Open(accountID: "duke", name: "Duke of Albany", timeZone: "America/New_York")
  static let opened = Billing.Event.accountOpened(
    .init(
      accountID: "duke", name: "Duke of Albany", timeZone: "America/New_York",
      openedAt: "2026-01-01T00:00:00Z"))

  /// 23:30 on 31 October in New York, and November already in UTC.
  static let lateInOctober: Timestamp = "2026-11-01T03:30:00Z"

  static func order(
    _ id: OrderID = "o1", position: Int64 = 7, currency: Currency = .eur,
    at instant: Timestamp = lateInOctober
  ) -> Billing.BillableOrder {
    .init(
      accountID: "duke", orderID: id, showID: "lear", sourcePosition: position, currency: currency,
      lines: [
        .init(seat: "A-1", amount: 4500, taxRateBasisPoints: 1000),
        .init(seat: "A-2", amount: 2500, taxRateBasisPoints: 1000),
      ], occurredAt: instant)
  }

  static func entry(
    position: Int64 = 7, month: String = "2026-10", at instant: Timestamp = lateInOctober,
    postings: [Billing.Posting]
  ) -> Billing.Entry {
    .init(
      accountID: "duke", orderID: "o1", showID: "lear", sourcePosition: position,
      month: Month(literal: month), currency: .eur,
      lines: [.init(seat: "A-1", amount: 4500, tax: 409), .init(seat: "A-2", amount: 2500, tax: 227)],
      gross: 7000, tax: 636, occurredAt: instant, postings: postings)
  }

  static let charged = Billing.Event.charged(
    entry(postings: [.init(.receivable, 7000), .init(.revenue, -6364), .init(.taxPayable, -636)]))
  static let refunded = Billing.Event.refunded(
    entry(
      position: 9, month: "2026-12", at: "2026-12-24T12:00:00Z",
      postings: [.init(.receivable, -7000), .init(.revenue, 6364), .init(.taxPayable, 636)]))
}

@Suite("An account")
struct AccountTests {
  @Test("is opened with a name and a time zone")
  func open() {
    given(Billing.self).when(.open(Duke.open), at: "2026-01-01T00:00:00Z").then(Duke.opened)
  }

  @Test("opened twice is opened once; with other details it is refused")
  func repeated() {
    var other = Duke.open
    other.timeZone = "Europe/Rome"
    given(Billing.self, Duke.opened).when(.open(Duke.open)).thenNothingNew()
    given(Billing.self, Duke.opened).when(.open(other)).thenRefused(.alreadyOpened("duke"))
  }

  @Test(
    "needs a time zone that every program understands alike",
    arguments: ["", "Mars/Base", "PST", "GMT+3", "CET"])
  func timeZone(_ name: String) {
    var open = Duke.open
    open.timeZone = name
    given(Billing.self).when(.open(open)).thenRefused(.unknownTimeZone(name))
  }

  @Test("needs a name of up to 200 characters")
  func name() {
    var open = Duke.open
    open.name = ""
    given(Billing.self).when(.open(open)).thenRefused(.invalidName(length: 0))
    open.name = String(repeating: "x", count: 201)
    given(Billing.self).when(.open(open)).thenRefused(.invalidName(length: 201))
  }
}

@Suite("A charge")
struct ChargeTests {
  @Test("is billed in the account's month, taxed line by line, and posted in double entry")
  func charge() {
    given(Billing.self, Duke.opened).when(.charge(Duke.order())).then(Duke.charged)
  }

  @Test("of an account that was never opened is billed by UTC")
  func unopened() {
    let outcome = given(Billing.self).when(.charge(Duke.order()))
    guard case .success(let events) = outcome.result, case .charged(let entry)? = events.first else {
      Issue.record("\(outcome)")
      return
    }
    #expect(entry.month == Month(literal: "2026-11"))
  }

  @Test("is made once, however often its order event is delivered")
  func repeated() {
    given(Billing.self, Duke.opened, Duke.charged).when(.charge(Duke.order())).thenNothingNew()
    given(Billing.self, Duke.opened, Duke.charged, Duke.refunded).when(.charge(Duke.order())).thenNothingNew()
    given(Billing.self, Duke.opened, Duke.charged)
      .when(.charge(Duke.order(position: 8))).thenRefused(.alreadyCharged("o1"))
  }

  @Test("needs lines, and amounts that are not negative")
  func lines() {
    var order = Duke.order()
    order.lines[1].amount = -1
    given(Billing.self).when(.charge(order)).thenRefused(.negativeAmount("o1", "A-2"))
    order.lines = []
    given(Billing.self).when(.charge(order)).thenRefused(.noLines("o1"))
  }

  @Test("that would exceed 64 bits is refused, alone or with the month it comes into")
  func overflow() {
    var order = Duke.order()
    order.lines[0].amount = .max
    given(Billing.self).when(.charge(order)).thenRefused(.amountRefused("o1", .overflow))

    var large = Duke.order("o2", position: 8)
    large.lines = [.init(seat: "B-1", amount: .max, taxRateBasisPoints: 0)]
    given(Billing.self, Duke.opened, Duke.charged)
      .when(.charge(large)).thenRefused(.amountRefused("o2", .overflow))
  }

  @Test("with a tax rate out of range is refused")
  func rate() {
    var order = Duke.order()
    order.lines[0].taxRateBasisPoints = 10_001
    given(Billing.self).when(.charge(order))
      .thenRefused(.amountRefused("o1", .basisPointsOutOfRange(10_001)))
  }

  @Test("whose postings do not balance gets into no stream")
  func unbalanced() {
    #expect(throws: Billing.Rejection.unbalanced("o1", difference: 1)) {
      try Billing.balanced([.init(.receivable, 100), .init(.revenue, -99)], of: "o1")
    }
    #expect(throws: Billing.Rejection.amountRefused("o1", .overflow)) {
      try Billing.balanced([.init(.receivable, .max), .init(.revenue, 1)], of: "o1")
    }
  }

  @Test("or refund of any order balances, and its tax lies within its amounts")
  func balances() throws {
    var random = SeededRandom(for: "postings add up to zero")
    for _ in 0..<2_000 {
      var order = Duke.order()
      order.lines = (1...Int.random(in: 1...6, using: &random)).map { seat in
        .init(
          seat: SeatID(unchecked: "A-\(seat)"), amount: .random(in: 0...(Int64.max / 8), using: &random),
          taxRateBasisPoints: .random(in: 0...10_000, using: &random))
      }
      let charge = try Billing.charge(for: order, in: .utc)
      let refund = try Billing.refund(for: order, in: .utc)
      for entry in [charge, refund] {
        #expect(entry.postings.reduce(0) { $0 + $1.amount } == 0)
        #expect(Set(entry.postings.map(\.account)) == [.receivable, .revenue, .taxPayable])
        #expect(entry.gross == entry.lines.reduce(0) { $0 + $1.amount })
        #expect(entry.tax == entry.lines.reduce(0) { $0 + $1.tax })
        #expect(entry.lines.allSatisfy { (0...$0.amount).contains($0.tax) })
      }
      #expect(
        zip(charge.postings, refund.postings).allSatisfy {
          $0.account == $1.account && $0.amount == -$1.amount
        })
    }
  }
}

@Suite("A refund")
struct RefundTests {
  static let cancellation = Duke.order(position: 9, at: "2026-12-24T12:00:00Z")

  @Test("takes the charge back, in the month in which it happens")
  func refund() {
    given(Billing.self, Duke.opened, Duke.charged).when(.refund(Self.cancellation)).then(Duke.refunded)
  }

  @Test("is made once")
  func repeated() {
    let past = given(Billing.self, Duke.opened, Duke.charged, Duke.refunded)
    past.when(.refund(Self.cancellation)).thenNothingNew()
    past.when(.refund(Duke.order(position: 10))).thenRefused(.alreadyRefunded("o1"))
  }

  @Test("needs a charge, and cannot exceed it or be in another currency")
  func exceeds() {
    given(Billing.self, Duke.opened).when(.refund(Self.cancellation)).thenRefused(.notCharged("o1"))
    let past = given(Billing.self, Duke.opened, Duke.charged)
    var more = Self.cancellation
    more.lines[0].amount += 1
    past.when(.refund(more)).thenRefused(.refundExceedsCharge("o1", charged: Money(7000, .eur)))
    past.when(.refund(Duke.order(position: 9, currency: .usd)))
      .thenRefused(.refundExceedsCharge("o1", charged: Money(7000, .eur)))
  }

  @Test("of an order that was never confirmed is nothing")
  func nothing() {
    var order = Self.cancellation
    order.lines = []
    given(Billing.self, Duke.opened).when(.refund(order)).thenNothingNew()
  }
}

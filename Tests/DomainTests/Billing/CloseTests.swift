import Foundation
import Testing
import Vocabulary

@testable import Billing

@Suite("A document's number")
struct DocumentNumberTests {
  @Test(
    "is read as it is written, beyond six digits too",
    arguments: [1, 42, 999_999, 1_000_000, .max] as [Int64])
  func text(_ ordinal: Int64) throws {
    let number = DocumentNumber(series: .invoice, year: 2026, ordinal: ordinal)
    #expect(DocumentNumber(number.description) == number)
  }

  @Test(
    "has one form only",
    arguments: [
      "", "INV", "INV-2026", "INV-2026-0", "INV-2026-000000", "INV-2026-1", "INV-26-000001",
      "INV-2026-000001-",
      "inv-2026-000001", "XX-2026-000001", "INV-2026--00001", "INV-2026-+00001", "INV-2026-0000001",
    ])
  func refused(_ text: String) { #expect(DocumentNumber(text) == nil) }

  @Test("has leading zeros up to six digits")
  func padding() {
    #expect(DocumentNumber(series: .invoice, year: 2026, ordinal: 42).description == "INV-2026-000042")
  }
}

@Suite("Closing a month")
struct CloseTests {
  static let october = Month(literal: "2026-10")

  static func bill(in zone: BillingZone = .utc) throws -> Billing.ClosableBill {
    .init(
      accountID: "duke", month: october, currency: .eur,
      totals: try MonthlyTotals(
        gross: Money(7000, .eur), tax: Money(600, .eur), refunds: Money(1000, .eur), lines: 3),
      digest: "abc", zone: zone, throughPosition: 12)
  }

  @Test(
    "is right from the instant on at which the month is over by the account's clock",
    arguments: [
      ("UTC", "2026-11-01T00:00:00Z"), ("America/New_York", "2026-11-01T04:00:00Z"),
      ("Europe/Rome", "2026-10-31T23:00:00Z"), ("Pacific/Kiritimati", "2026-10-31T10:00:00Z"),
      ("Pacific/Pago_Pago", "2026-11-01T11:00:00Z"), ("Asia/Kolkata", "2026-10-31T18:30:00Z"),
    ])
  func notOver(_ name: String, _ end: String) throws {
    let zone = try #require(BillingZone(name))
    let end = try #require(Timestamp(rfc3339: end))
    let number = DocumentNumber(series: .invoice, year: 2026, ordinal: 1)
    let bill = try Self.bill(in: zone)
    #expect(throws: Billing.Rejection.monthNotOver(Self.october, zone: name, until: end)) {
      try Billing.close(bill, as: number, at: end - .microseconds(1))
    }
    #expect(try Billing.close(bill, as: number, at: end).timeZone == name)
  }

  @Test(
    "the end of a month is the beginning of the next, in leap years and whatever the clocks do",
    arguments: [
      "UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu",
    ])
  func ends(_ name: String) throws {
    let zone = try #require(BillingZone(name))
    var month = Month(literal: "1999-11")
    for _ in 0..<600 {
      let end = Billing.end(of: month, in: zone)
      #expect(Billing.month(of: end, in: zone) == month.next)
      #expect(Billing.month(of: end - .microseconds(1), in: zone) == month)
      month = month.next
    }
  }

  @Test("month-closed")
  func payload() throws {
    let closed = try Billing.close(
      Self.bill(), as: .init(series: .invoice, year: 2026, ordinal: 7), at: "2026-11-02T00:00:00Z")
    try expectPayload(
      Billing.Event.monthClosed(closed), isNamed: "month-closed",
      andReads: """
        {"account_id":"duke","closed_at":"2026-11-02T00:00:00Z","currency":"EUR","digest":"abc","due":6000,\
        "gross":7000,"invoice_number":"INV-2026-000007","lines":3,"month":"2026-10","net":5400,"refunds":1000,\
        "tax":600,"through_position":12,"time_zone":"UTC"}
        """)
  }
}

@Suite("What comes for a closed month")
struct AdjustmentTests {
  static func closed(_ months: (String, Int64)...) -> Billing.ClosedMonths {
    var closed = Billing.ClosedMonths()
    for (index, (month, position)) in months.enumerated() {
      closed.add(
        Month(literal: month), .eur, through: position,
        number: .init(series: .invoice, year: 2026, ordinal: Int64(index + 1)))
    }
    return closed
  }

  @Test("goes to the next month that is open for it, and says which invoice it corrects")
  func next() {
    let closed = Self.closed(("2026-10", 10), ("2026-11", 20), ("2026-12", 30))
    func month(_ position: Int64) -> String? {
      let bill = closed.month(for: Month(literal: "2026-10"), .eur, at: position)
      return "\(bill.month) \(bill.adjustment.map { "\($0.serviceMonth) \($0.corrects)" } ?? "-")"
    }
    #expect(month(10) == "2026-10 -")
    #expect(month(11) == "2026-11 2026-10 INV-2026-000001")
    #expect(month(20) == "2026-11 2026-10 INV-2026-000001")
    #expect(month(21) == "2026-12 2026-10 INV-2026-000001")
    #expect(month(31) == "2027-01 2026-10 INV-2026-000001")
  }

  @Test("stays in its month if another currency or another month is closed")
  func others() {
    let closed = Self.closed(("2026-10", 10))
    #expect(closed.month(for: Month(literal: "2026-10"), .jpy, at: 99).adjustment == nil)
    #expect(closed.month(for: Month(literal: "2026-09"), .eur, at: 99).month == Month(literal: "2026-09"))
    #expect(closed.month(for: Month(literal: "2026-11"), .eur, at: 99).month == Month(literal: "2026-11"))
  }

  @Test("is charged and refunded so by whoever folds the account's stream")
  func decided() throws {
    let closing = Billing.Event.monthClosed(
      try Billing.close(
        .init(
          accountID: "duke", month: Month(literal: "2026-10"), currency: .eur, totals: .zero(.eur),
          digest: "",
          zone: .utc, throughPosition: 8), as: .init(series: .invoice, year: 2026, ordinal: 3),
        at: "2026-12-01T00:00:00Z"))
    let outcome = given(Billing.self, Duke.opened, closing).when(.charge(Duke.order(position: 9)))
    guard case .success(let events) = outcome.result, case .charged(let entry)? = events.first else {
      Issue.record("\(outcome)")
      return
    }
    #expect(entry.month == Month(literal: "2026-11"))
    #expect(entry.adjusts?.serviceMonth == Month(literal: "2026-10"))
    #expect(entry.adjusts?.corrects.description == "INV-2026-000003")
  }

  @Test("an adjustment in JSON names its month and the invoice; an old entry has none")
  func payload() throws {
    let order = Duke.order(position: 11)
    let zone = try #require(BillingZone("America/New_York"))
    let entry = try Billing.charge(for: order, in: zone, closed: Self.closed(("2026-10", 10)))
    let text = String(decoding: try JSONEncoder().encode(entry), as: UTF8.self)
    #expect(text.contains(#""corrects":"INV-2026-000001""#) && text.contains(#""service_month":"2026-10""#))
    #expect(try JSONDecoder().decode(Billing.Entry.self, from: Data(text.utf8)) == entry)
  }
}

@Suite("An account's move")
struct MoveTests {
  static let moved = Billing.Event.accountZoneChanged(
    .init(accountID: "duke", timeZone: "Europe/Rome", changedAt: "2026-06-01T00:00:00Z"))

  @Test("changes the months of what comes later")
  func move() {
    given(Billing.self, Duke.opened)
      .when(.changeZone(.init(accountID: "duke", timeZone: "Europe/Rome")), at: "2026-06-01T00:00:00Z")
      .then(Self.moved)
    let outcome = given(Billing.self, Duke.opened, Self.moved).when(.charge(Duke.order()))
    guard case .success(let events) = outcome.result, case .charged(let entry)? = events.first else {
      Issue.record("\(outcome)")
      return
    }
    #expect(entry.month == Month(literal: "2026-11"))
  }

  @Test("to where it is already is nothing, and needs an open account and a zone")
  func refused() {
    let rome = Billing.Command.changeZone(.init(accountID: "duke", timeZone: "Europe/Rome"))
    given(Billing.self, Duke.opened, Self.moved).when(rome).thenNothingNew()
    given(Billing.self).when(rome).thenRefused(.notOpened("duke"))
    given(Billing.self, Duke.opened).when(.changeZone(.init(accountID: "duke", timeZone: "CET")))
      .thenRefused(.unknownTimeZone("CET"))
    // Opening it again as it was opened is still no change.
    given(Billing.self, Duke.opened, Self.moved).when(.open(Duke.open)).thenNothingNew()
  }

  @Test("account-zone-changed")
  func payload() throws {
    try expectPayload(
      Self.moved, isNamed: "account-zone-changed",
      andReads: """
        {"account_id":"duke","changed_at":"2026-06-01T00:00:00Z","time_zone":"Europe/Rome"}
        """)
  }
}

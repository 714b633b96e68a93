import Billing
import Foundation
import Testing
import Vocabulary

@Suite("The month of a bill")
struct BillingZoneTests {
  @Test(
    "changes at midnight of the account's own clock",
    arguments: [
      ("America/New_York", "2026-11-01T03:59:59.999999Z", "2026-10"),  // summer time
      ("America/New_York", "2026-11-01T04:00:00Z", "2026-11"),
      ("America/New_York", "2026-12-01T04:59:59.999999Z", "2026-11"),  // winter time
      ("America/New_York", "2026-12-01T05:00:00Z", "2026-12"),
      ("America/New_York", "2013-02-01T04:59:59Z", "2013-01"),
      ("America/New_York", "2013-02-01T05:00:00Z", "2013-02"),
      ("Europe/Rome", "2026-09-30T21:59:59.999999Z", "2026-09"),  // summer time
      ("Europe/Rome", "2026-09-30T22:00:00Z", "2026-10"),
      ("Europe/Rome", "2026-10-25T00:59:59Z", "2026-10"),  // the clocks go back on 25 October
      ("Europe/Rome", "2026-10-25T01:00:00Z", "2026-10"),
      ("Europe/Rome", "2026-10-31T22:59:59.999999Z", "2026-10"),  // winter time
      ("Europe/Rome", "2026-10-31T23:00:00Z", "2026-11"),
      ("UTC", "2026-10-31T23:59:59.999999Z", "2026-10"),
      ("UTC", "2026-11-01T00:00:00Z", "2026-11"),
      ("Asia/Kolkata", "2026-10-31T18:30:00Z", "2026-11"),
      ("Pacific/Kiritimati", "2026-10-31T10:00:00Z", "2026-11"),
      ("Pacific/Pago_Pago", "2026-11-01T10:59:59Z", "2026-10"),
    ])
  func boundaries(_ zone: String, _ instant: String, _ month: String) throws {
    let zone = try #require(BillingZone(zone))
    let instant = try #require(Timestamp(rfc3339: instant))
    #expect(Billing.month(of: instant, in: zone) == Month(literal: month))
  }

  @Test("changes clocks in Rome on 25 October 2026, an hour after two")
  func clockChange() throws {
    let rome = try #require(BillingZone("Europe/Rome"))
    #expect(rome.utcOffset(at: "2026-10-25T00:59:59.999999Z") == 7200)
    #expect(rome.utcOffset(at: "2026-10-25T01:00:00Z") == 3600)
  }

  @Test(
    "is that of Foundation's calendar at any instant",
    arguments: [
      "America/New_York", "Europe/Rome", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca",
    ])
  func agreesWithCalendar(_ name: String) throws {
    var random = SeededRandom(for: "months against Foundation's calendar in \(name)")
    let zone = try #require(BillingZone(name))
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: name))
    for _ in 0..<1_000 {
      // 1970 to 2100, most of them within a day of a month's end.
      var second = Int64.random(in: 0...4_102_444_800, using: &random)
      if let next = calendar.nextDate(
        after: Date(timeIntervalSince1970: Double(second)), matching: DateComponents(day: 1),
        matchingPolicy: .nextTime), Bool.random(using: &random)
      {
        second = Int64(next.timeIntervalSince1970) + .random(in: -86_400...86_400, using: &random)
      }
      let date = Date(timeIntervalSince1970: Double(second))
      let parts = calendar.dateComponents([.year, .month], from: date)
      let expected = Month(year: try #require(parts.year), month: try #require(parts.month))
      #expect(Billing.month(of: Timestamp(microseconds: second * 1_000_000), in: zone) == expected)
    }
  }

  @Test("keeps the name of its zone as it was given", arguments: ["UTC", "Europe/Kyiv", "US/Eastern"])
  func name(_ name: String) throws {
    #expect(try #require(BillingZone(name)).identifier == name)
  }
}

@Suite("The facts of an account in JSON")
struct BillingPayloadTests {
  @Test("account-opened")
  func opened() throws {
    try expectPayload(
      Duke.opened, isNamed: "account-opened",
      andReads: """
        {"account_id":"duke","name":"Duke of Albany","opened_at":"2026-01-01T00:00:00Z",\
        "time_zone":"America/New_York"}
        """)
  }

  @Test("charged")
  func charged() throws {
    try expectPayload(
      Duke.charged, isNamed: "charged",
      andReads: """
        {"account_id":"duke","currency":"EUR","gross":7000,\
        "lines":[{"amount":4500,"seat":"A-1","tax":409},{"amount":2500,"seat":"A-2","tax":227}],\
        "month":"2026-10","occurred_at":"2026-11-01T03:30:00Z","order_id":"o1",\
        "postings":[{"amount":7000,"ledger_account":"receivable"},{"amount":-6364,"ledger_account":"revenue"},\
        {"amount":-636,"ledger_account":"tax_payable"}],"show_id":"lear","source_position":7,"tax":636}
        """)
  }

  @Test("refunded")
  func refunded() throws {
    try expectPayload(
      Duke.refunded, isNamed: "refunded",
      andReads: """
        {"account_id":"duke","currency":"EUR","gross":7000,\
        "lines":[{"amount":4500,"seat":"A-1","tax":409},{"amount":2500,"seat":"A-2","tax":227}],\
        "month":"2026-12","occurred_at":"2026-12-24T12:00:00Z","order_id":"o1",\
        "postings":[{"amount":-7000,"ledger_account":"receivable"},{"amount":6364,"ledger_account":"revenue"},\
        {"amount":636,"ledger_account":"tax_payable"}],"show_id":"lear","source_position":9,"tax":636}
        """)
  }

  @Test("of an unknown type is refused by name")
  func unknown() {
    #expect(throws: UnknownEventType(type: "gifted", category: "account")) {
      try decode(Billing.Event.self, type: "gifted", from: "{}")
    }
  }
}

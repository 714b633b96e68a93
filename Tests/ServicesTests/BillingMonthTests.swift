import Billing
import Crypto
import EventStore
import Foundation
import Testing
import Vocabulary

@testable import Services

/// Which month a line is in, and what a bill says.
@Suite struct BillingMonthTests {
  private let sources: [BillSource] = [.preAggregated, .batch]

  @Test("a New York account's November ends at midnight in New York, not in Greenwich")
  func newYorkMidnight() async throws {
    try await withBilling { fixture in
      try await fixture.open("ny", in: "America/New_York")
      let instants = [
        "2026-11-01T03:59:59.999999Z",  // 31 October, 23:59:59.999999 daylight time
        "2026-11-01T04:00:00Z",  // 1 November, 0:00 daylight time
        "2026-12-01T04:59:59.999999Z",  // 30 November, 23:59:59.999999 standard time
        "2026-12-01T05:00:00Z",  // 1 December, 0:00
      ]
      for (index, instant) in instants.enumerated() {
        try await fixture.confirm(
          BilledOrder(
            id: "o\(index)", account: "ny", at: .at(instant), seats: [(amount: 1 << index, rate: 0)]))
      }
      try await fixture.catchUp()
      for source in sources {
        for (month, gross) in [("2026-10", 1), ("2026-11", 2 + 4), ("2026-12", 8)] {
          let bills = try await fixture.bill("ny", month, source: source)
          #expect(bills.map(\.gross.minorUnits) == [Int64(gross)], "\(source) \(month)")
          #expect(bills.map(\.timeZone) == ["America/New_York"])
        }
      }
    }
  }

  @Test("a zone decides the months of what comes after it; what came before stays in UTC")
  func zoneAfterFirstOrder() async throws {
    try await withBilling { fixture in
      let instant = try Timestamp.at("2026-07-01T02:00:00Z")  // 30 June in New York
      try await fixture.confirm(
        BilledOrder(id: "a", account: "late", at: instant, seats: [(amount: 100, rate: 0)]))
      try await fixture.open("late", in: "America/New_York")
      try await fixture.confirm(
        BilledOrder(id: "b", account: "late", at: instant, seats: [(amount: 30, rate: 0)]))
      try await fixture.catchUp()
      for source in sources {
        #expect(try await fixture.bill("late", "2026-07", source: source).map(\.gross.minorUnits) == [100])
        #expect(try await fixture.bill("late", "2026-06", source: source).map(\.gross.minorUnits) == [30])
        #expect(
          try await fixture.bill("late", "2026-07", source: source).map(\.timeZone) == ["America/New_York"])
      }
    }
  }

  @Test("tax of exactly half a cent goes to the even cent, line by line")
  func halfEven() async throws {
    try await withBilling { fixture in
      // At 100 % half of the amount is tax: 0.5, 1.5, 2.5 and 3.5 cents. Of their sum, 16, it would be 8 as well;
      // of 1 and 5 it is 0 + 2, of their sum 3.
      let at = try Timestamp.at("2026-05-10T00:00:00Z")
      try await fixture.confirm(
        BilledOrder(
          id: "a", account: "x", at: at, seats: [(1, 10_000), (3, 10_000), (5, 10_000), (7, 10_000)]))
      try await fixture.confirm(
        BilledOrder(id: "b", account: "y", at: at, seats: [(1, 10_000), (5, 10_000)]))
      try await fixture.catchUp()
      for source in sources {
        #expect(
          try await fixture.bill("x", "2026-05", source: source).map(\.tax.minorUnits) == [0 + 2 + 2 + 4])
        #expect(try await fixture.bill("y", "2026-05", source: source).map(\.tax.minorUnits) == [0 + 2])
      }
    }
  }

  @Test("a refund counts in the month of the cancellation and leaves the charge's month alone")
  func refundAcrossMonths() async throws {
    try await withBilling { fixture in
      let order = BilledOrder(
        id: "o", account: "a", at: try .at("2026-03-31T12:00:00Z"), seats: [(amount: 11_900, rate: 1900)])
      try await fixture.confirm(order)
      try await fixture.cancel(order, at: .at("2026-04-01T12:00:00Z"))
      try await fixture.append([
        BilledOrder(id: "p", account: "a", at: .at("2026-04-02T12:00:00Z"), seats: []).abandoned()
      ])
      try await fixture.catchUp()
      for source in sources {
        let march = try #require(try await fixture.bill("a", "2026-03", source: source).first)
        #expect(
          march.gross == Money(11_900, .eur) && march.refunds == .zero(.eur)
            && march.tax == Money(1_900, .eur))
        #expect(march.net == Money(10_000, .eur) && march.due == Money(11_900, .eur) && march.lines == 1)
        let april = try #require(try await fixture.bill("a", "2026-04", source: source).first)
        #expect(april.gross == .zero(.eur) && april.refunds == Money(11_900, .eur))
        #expect(april.tax == Money(-1_900, .eur) && april.due == Money(-11_900, .eur))
        #expect(april.net == Money(-10_000, .eur) && april.lines == 1)
      }
    }
  }

  @Test("each currency has a bill of its own, and a range of months comes in order")
  func currenciesAndRanges() async throws {
    try await withBilling { fixture in
      let months = ["2026-03", "2026-01", "2026-02"]
      for (index, month) in months.enumerated() {
        for currency in [Currency.kwd, .jpy] {
          try await fixture.confirm(
            BilledOrder(
              id: "\(index)-\(currency)", account: "a", at: .at("\(month)-15T00:00:00Z"), currency: currency,
              seats: [(amount: 1000, rate: 0)]))
        }
      }
      try await fixture.catchUp()
      for source in sources {
        let bills = try await fixture.billing.bills(
          AccountID(unchecked: "a"), from: .named("2026-02"), to: .named("2026-12"), source: source)
        #expect(
          bills.map { "\($0.month) \($0.gross)" } == [
            "2026-02 1000 JPY", "2026-02 1.000 KWD", "2026-03 1000 JPY", "2026-03 1.000 KWD",
          ])
      }
      await #expect(throws: ServiceError.self) {
        try await fixture.billing.bills(
          AccountID(unchecked: "a"), from: .named("2026-02"), to: .named("2026-01"))
      }
    }
  }

  @Test("the digest can be computed from the bill's lines by anyone")
  func digest() async throws {
    try await withBilling { fixture in
      var history = BillingHistory(seed: 51)
      try await fixture.play(history.steps(80))
      try await fixture.catchUp()
      let rows = try await fixture.pool.query(
        "select account_id, month, currency from aisle.billing_months order by lines desc limit 1")
      let (account, month, currency) = try #require(rows.first).decode(String.self, String.self, String.self)
      let lines = try await fixture.billing.lines(
        AccountID(unchecked: account), .named(month), source: .preAggregated, limit: 1000)
      var digest = Data()
      for line in lines.lines where line.amount.currency.code == currency {
        let text = [
          "\(line.position)", "\(line.lineNumber)", line.kind.rawValue, line.orderID.rawValue,
          line.showID.rawValue,
          line.seat.rawValue, "\(line.amount.minorUnits)", "\(line.tax.minorUnits)", currency,
          "\(line.occurredAt.microseconds)",
        ].joined(separator: "|")
        digest = Data(SHA256.hash(data: digest + Data(text.utf8)))
      }
      let bills = try await fixture.bill(account, month)
      #expect(
        bills.first { $0.currency.code == currency }?.digest
          == digest.map { String(format: "%02x", $0) }.joined())
    }
  }

  @Test("a bill's JSON has the documented names, amounts in minor units with their currency")
  func json() async throws {
    try await withBilling { fixture in
      try await fixture.open("a", in: "Europe/Rome")
      try await fixture.confirm(
        BilledOrder(
          id: "o", account: "a", at: .at("2026-11-05T12:00:00Z"), seats: [(amount: 4500, rate: 2000)]))
      let position = try await fixture.catchUp()
      let bill = try #require(try await fixture.bill("a", "2026-11").first)
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      #expect(
        String(decoding: try encoder.encode(bill), as: UTF8.self) == """
          {"account_id":"a","as_of_position":\(position),"currency":"EUR","digest":"\(bill.digest)",\
          "due":{"amount":4500,"currency":"EUR"},"gross":{"amount":4500,"currency":"EUR"},"lines":1,\
          "month":"2026-11","net":{"amount":3750,"currency":"EUR"},"refunds":{"amount":0,"currency":"EUR"},\
          "source":"pre-aggregated","status":"open","tax":{"amount":750,"currency":"EUR"},"time_zone":"Europe\\/Rome"}
          """)
      #expect(try JSONDecoder().decode(Bill.self, from: encoder.encode(bill)) == bill)
    }
  }
}

import Hummingbird
import TestSupport
import Testing
import Vocabulary

@Suite("Bills over REST")
struct BillsTests {
  private let path = "/v1/accounts/acc-1/bills/2026-11"

  @Test("a bill adds up what was charged and refunded in the month, to the minor unit")
  func bill() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1", "A-2"])
      let cancelled = try await fixture.buy(["A-3"])
      try await fixture.post("/v1/orders/\(cancelled)/cancel").expecting(.ok)
      let head = try await fixture.settle()
      let bill = try await fixture.get(path).expecting(.ok).json
      func euros(_ amount: Int64) -> JSON { ["amount": .integer(amount), "currency": "EUR"] }
      #expect(bill["digest"].string?.count == 64)
      #expect(
        bill.without("digest") == [
          "account_id": "acc-1", "month": "2026-11", "currency": "EUR", "gross": euros(13500),
          "refunds": euros(4500), "tax": euros(588), "due": euros(9000), "net": euros(8412), "lines": 4,
          "status": "open", "source": "pre-aggregated", "as_of_position": .integer(head.rawValue),
          "time_zone": "UTC",
        ])
    }
  }

  @Test("the pre-aggregated bill and the bill folded from the log are the same bytes but for the source")
  func sources() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      for number in 1...4 { try await fixture.buy(["A-\(number)", "A-\(number + 5)"]) }
      let cancelled = try await fixture.buy(["A-5"])
      try await fixture.post("/v1/orders/\(cancelled)/cancel").expecting(.ok)
      try await fixture.settle()
      for path in [
        path, "\(path)/lines", "/v1/accounts/acc-1/bills?from=2026-01&to=2026-12",
        "/v1/billing/months/2026-11",
      ] {
        let mark = path.contains("?") ? "&" : "?"
        let tables = try await fixture.get("\(path)\(mark)source=pre-aggregated").expecting(.ok).text
        let batch = try await fixture.get("\(path)\(mark)source=batch").expecting(.ok).text
        #expect(tables.contains(#""source":"pre-aggregated""#))
        #expect(tables.replacing(#""source":"pre-aggregated""#, with: #""source":"batch""#) == batch)
        // Without a wish the tables answer: they are up to date.
        #expect(try await fixture.get(path).text == tables)
      }
    }
  }

  @Test("lines come in pages, each seat once, in the order of the log")
  func lines() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let first = try await fixture.buy(["A-1", "A-2"])
      try await fixture.buy(["A-3"])
      try await fixture.post("/v1/orders/\(first)/cancel").expecting(.ok)
      try await fixture.settle()
      for source in ["pre-aggregated", "batch"] {
        var seen: [String] = []
        var page: String? = "\(path)/lines?limit=2&source=\(source)"
        while let next = page {
          let answer = try await fixture.get(next).expecting(.ok).json
          #expect(answer["source"] == .string(source))
          seen += answer["data"].array.map { "\($0["kind"].string ?? "") \($0["seat"].string ?? "")" }
          page = answer["next_cursor"].string.map {
            "\(path)/lines?limit=2&source=\(source)&cursor=\($0)"
          }
        }
        #expect(seen == ["charge A-1", "charge A-2", "charge A-3", "refund A-1", "refund A-2"])
      }
    }
  }

  @Test("a line says which seat of which order it is for, and how much of it is tax")
  func line() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let order = try await fixture.buy(["A-1"])
      try await fixture.settle()
      let line = try await fixture.get("\(path)/lines").expecting(.ok).json["data"][0]
      #expect(
        line == [
          "position": 5, "line_no": 1, "kind": "charge", "order_id": .string(order), "show_id": "hamlet",
          "seat": "A-1", "amount": ["amount": 4500, "currency": "EUR"],
          "tax": ["amount": 294, "currency": "EUR"], "tax_rate_bp": 700,
          "occurred_at": "2026-11-24T19:00:00Z",
        ])
    }
  }

  @Test("an account's months are those of its own time zone")
  func timeZone() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let account: JSON = ["account_id": "acc-1", "name": "Hinemoa", "time_zone": "Pacific/Auckland"]
      try await fixture.post("/v1/accounts", account).expecting(.created)
      let instant = try #require(Timestamp(rfc3339: "2026-11-30T20:00:00Z"))
      fixture.clock.advance(to: instant)
      try await fixture.buy(["A-1"])
      try await fixture.settle()
      for source in ["pre-aggregated", "batch"] {
        // In Auckland it is the first of December.
        let bill = try await fixture.get("/v1/accounts/acc-1/bills/2026-12?source=\(source)")
        #expect(try bill.expecting(.ok).json["time_zone"] == "Pacific/Auckland")
        try await fixture.get("\(path)?source=\(source)").expectProblem(404, "bill-not-found")
      }
    }
  }

  @Test("an account with several currencies has to be asked for one of them")
  func currencies() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule("hamlet", currency: "EUR")
      try await fixture.schedule("macbeth", price: 5000, currency: "USD")
      try await fixture.buy(["A-1"], of: "hamlet")
      try await fixture.buy(["A-1"], of: "macbeth")
      try await fixture.settle()
      let problem = try await fixture.get(path).expectProblem(400, "currency-needed", at: "currency")
      #expect(problem["currencies"] == ["EUR", "USD"])
      let dollars = try await fixture.get("\(path)?currency=USD").expecting(.ok)
      #expect(dollars.json["gross"] == ["amount": 5000, "currency": "USD"])
      try await fixture.get("\(path)?currency=JPY").expectProblem(404, "bill-not-found")
    }
  }

  @Test("the bills of several months come in the order of the months, those without a line left out")
  func months() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      fixture.clock.advance(by: .seconds(62 * 86_400))
      try await fixture.buy(["A-2"])
      try await fixture.settle()
      let all = try await fixture.get("/v1/accounts/acc-1/bills?from=2026-01&to=2027-12").expecting(.ok).json
      #expect(all["data"].array.map(\.["month"]) == ["2026-11", "2027-01"])
      // The last twelve months by default, by the service's clock.
      let recent = try await fixture.get("/v1/accounts/acc-1/bills").expecting(.ok).json
      #expect(recent["data"] == all["data"])
      let one = try await fixture.get("/v1/accounts/acc-1/bills?from=2026-12&to=2027-01").json
      #expect(one["data"].array.map(\.["month"]) == ["2027-01"])
    }
  }

  @Test("a known account without bills has an empty list; its month is a 404")
  func empty() async throws {
    try await RESTFixture.with { fixture in
      let account: JSON = ["account_id": "acc-1", "name": "Ann", "time_zone": "UTC"]
      try await fixture.post("/v1/accounts", account).expecting(.created)
      let bills = try await fixture.get("/v1/accounts/acc-1/bills").expecting(.ok)
      #expect(bills.json == ["data": [], "has_more": false, "next_cursor": nil])
      try await fixture.get(path).expectProblem(404, "bill-not-found")
      #expect(try await fixture.get("\(path)/lines").expecting(.ok).json["data"] == [])
    }
  }

  @Test("an unknown account is a 404")
  func unknownAccount() async throws {
    try await RESTFixture.with { fixture in
      for path in ["/v1/accounts/acc-1/bills", path, "\(path)/lines"] {
        try await fixture.get(path).expectProblem(404, "account-not-found")
      }
    }
  }

  @Test("a bill that has not changed is 304")
  func notModified() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      try await fixture.settle()
      let tag = try #require(try await fixture.get(path).headers[.eTag])
      #expect(try await fixture.get(path, headers: [.ifNoneMatch: tag]).status == .notModified)
      try await fixture.buy(["A-2"])
      try await fixture.settle()
      #expect(try await fixture.get(path, headers: [.ifNoneMatch: tag]).status == .ok)
    }
  }

  @Test("while the subscription of billing fails, bills come from the log and say so")
  func fallback() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.asOwner("alter table aisle.billing_lines rename to billing_lines_lost")
      try await fixture.buy(["A-1"])
      let bill = try await eventually("the bill comes from the log") {
        try await fixture.get(path)
      } until: {
        $0.json["source"] == "batch"
      }
      #expect(bill.json["gross"] == ["amount": 4500, "currency": "EUR"])
    }
  }
}

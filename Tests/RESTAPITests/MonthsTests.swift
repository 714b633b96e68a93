import Hummingbird
import Testing

@Suite("Months over REST")
struct MonthsTests {
  private let path = "/v1/billing/months/2026-11"

  @Test("the overview's pages hold every bill of the month once, by account and currency")
  func overview() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule("hamlet", currency: "EUR")
      try await fixture.schedule("macbeth", currency: "USD")
      for number in 1...4 { try await fixture.buy(["A-\(number)"], for: "acc-\(number)") }
      try await fixture.buy(["A-1"], of: "macbeth", for: "acc-2")
      let head = try await fixture.settle()
      for source in ["pre-aggregated", "batch"] {
        var seen: [String] = []
        var next: String? = "\(path)?limit=2&source=\(source)"
        while let page = next {
          let answer = try await fixture.get(page).expecting(.ok).json
          #expect(answer["month"] == "2026-11")
          #expect(answer["source"] == .string(source))
          #expect(answer["as_of_position"] == .integer(head.rawValue))
          seen += answer["data"].array.map {
            "\($0["account_id"].string ?? "") \($0["currency"].string ?? "")"
          }
          next = answer["next_cursor"].string.map { "\(path)?limit=2&source=\(source)&cursor=\($0)" }
        }
        #expect(seen == ["acc-1 EUR", "acc-2 EUR", "acc-2 USD", "acc-3 EUR", "acc-4 EUR"])
      }
    }
  }

  @Test("a month without bills is an empty list", arguments: ["2026-10", "0001-01", "9999-12"])
  func empty(month: String) async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      try await fixture.settle()
      for source in ["pre-aggregated", "batch"] {
        let answer = try await fixture.get("/v1/billing/months/\(month)?source=\(source)").expecting(.ok)
        #expect(answer.json["data"] == [])
      }
    }
  }

  @Test("the year 0, which the database's calendar does not have, is refused")
  func yearZero() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      for path in ["/v1/billing/months/0000-12", "/v1/accounts/a/bills/0000-12/lines"] {
        try await fixture.get(path).expectProblem(400, "invalid-request", at: "month")
      }
      try await fixture.post("/v1/billing/months/0000-12/reconcile", key: nil)
        .expectProblem(400, "invalid-request", at: "month")
      try await fixture.get("/v1/accounts/a/bills?from=0000-12&to=0001-01")
        .expectProblem(400, "invalid-request", at: "from")
    }
  }

  @Test("reconciling a month whose tables agree with the log finds nothing")
  func reconcile() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1", "A-2"])
      let head = try await fixture.settle()
      let answer = try await fixture.post("\(path)/reconcile", key: nil).expecting(.ok)
      #expect(
        answer.json == [
          "month": "2026-11", "as_of_position": .integer(head.rawValue), "last_order_position": 5, "bills": 1,
          "lines": 2, "equal": true, "difference_count": 0, "differences": [],
        ])
    }
  }

  @Test("reconciling names every field in which the tables and the log differ, and mends nothing")
  func differences() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      try await fixture.settle()
      try await fixture.pool.execute("update aisle.billing_lines set amount = 4600")
      for _ in 1...2 {
        let answer = try await fixture.post("\(path)/reconcile", key: nil).expecting(.ok).json
        #expect(answer["equal"] == false)
        #expect(answer["difference_count"] == 1)
        #expect(
          answer["differences"] == [
            [
              "account_id": "acc-1", "currency": "EUR", "position": 5, "line_no": 1, "field": "amount",
              "live": "4600", "batch": "4500",
            ]
          ])
      }
    }
  }
}

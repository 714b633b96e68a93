import Hummingbird
import Testing

@Suite("Orders over REST")
struct OrdersTests {
  @Test("an order for a hold is confirmed at once, with a line for each seat")
  func place() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1", "A-2"])
      let answer = try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created)
      let id = try #require(answer.json["order_id"].string)
      #expect(answer.headers[.location] == "/v1/orders/\(id)")
      #expect(answer.headers[.eTag] == #""2""#)
      #expect(answer.headers[.position] == "5")
      let line: JSON = ["seat": "A-1", "amount": ["amount": 4500, "currency": "EUR"], "tax_rate_bp": 700]
      var other = line
      other["seat"] = "A-2"
      #expect(
        answer.json.without("order_id") == [
          "show_id": "hamlet", "hold_id": .string(hold), "account_id": "acc-1", "buyer": "ann",
          "status": "confirmed", "lines": [line, other], "total": ["amount": 9000, "currency": "EUR"],
          "refund": ["amount": 0, "currency": "EUR"], "payment_method": "invoice",
          "placed_at": "2026-11-24T19:00:00Z", "version": 2,
        ])
    }
  }

  @Test("an order can be looked at right away, and is 304 for whoever has its version")
  func get() async throws {
    // From its stream: no subscription runs
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let placed = try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created)
      let path = try #require(placed.headers[.location])
      let found = try await fixture.get(path).expecting(.ok)
      #expect(found.text == placed.text)
      let tag = try #require(found.headers[.eTag])
      #expect(try await fixture.get(path, headers: [.ifNoneMatch: tag]).status == .notModified)
    }
  }

  @Test("the same order sent twice with one key is one order and one charge")
  func replay() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let body = RESTFixture.order(try await fixture.hold(["A-1"]))
      let first = try await fixture.post("/v1/orders", body, key: "k").expecting(.created)
      let second = try await fixture.post("/v1/orders", body, key: "k").expecting(.created)
      #expect(second.text == first.text)
      try await fixture.settle()
      #expect(try await fixture.get("/v1/orders").json["data"].array.count == 1)
      let bill = try await fixture.get("/v1/accounts/acc-1/bills/2026-11").expecting(.ok)
      #expect(bill.json["gross"] == ["amount": 4500, "currency": "EUR"])
    }
  }

  @Test("the same order sent four times at once is one order")
  func repeats() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let body = RESTFixture.order(try await fixture.hold(["A-1"]))
      let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
        for _ in 1...4 { group.addTask { try await fixture.post("/v1/orders", body, key: "k") } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers.allSatisfy { $0.status.kind == .successful }, "\(answers)")
      #expect(Set(answers.map(\.json["order_id"])).count == 1)
      try await fixture.settle()
      let orders = try await fixture.get("/v1/orders").json["data"].array
      #expect(orders.map(\.["status"]) == ["confirmed"])
    }
  }

  @Test("another order with a used key is refused")
  func reusedKey() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      try await fixture.post("/v1/orders", RESTFixture.order(hold), key: "k").expecting(.created)
      let answer = try await fixture.post("/v1/orders", RESTFixture.order(hold, account: "acc-2"), key: "k")
      answer.expectProblem(422, "id-reused", at: "Idempotency-Key")
    }
  }

  @Test("a hold whose time is over is not sold, and the seats go to others")
  func expiredHold() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      fixture.clock.advance(by: .seconds(600))
      let answer = try await fixture.post("/v1/orders", RESTFixture.order(hold))
      let problem = answer.expectProblem(409, "order-failed")
      #expect(problem["reason"] == "hold-expired")
      let failed = try await fixture.get(try #require(answer.headers[.location])).expecting(.ok)
      #expect(failed.json["status"] == "failed")
      #expect(failed.json["order_id"] == problem["order_id"])
      _ = try await fixture.hold(["A-1"], buyer: "bob")
    }
  }

  @Test("a hold is sold once: a second order for it fails")
  func soldHold() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created)
      let problem = try await fixture.post("/v1/orders", RESTFixture.order(hold, account: "acc-2"))
        .expectProblem(409, "order-failed")
      #expect(problem["reason"] == "hold-already-confirmed")
    }
  }

  @Test(
    "an order for a hold that nobody has is a 404, pointing at it", arguments: ["hamlet:x", "othello:x", "x"])
  func unknownHold(id: String) async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let answer = try await fixture.post("/v1/orders", RESTFixture.order(id))
      answer.expectProblem(404, "hold-not-found", at: "/hold_id")
    }
  }

  @Test("a cancelled order is refunded, and stays so however often it is cancelled")
  func cancel() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let order = try await fixture.buy(["A-1"])
      for _ in 1...2 {
        // No Idempotency-Key is needed
        let answer = try await fixture.post("/v1/orders/\(order)/cancel", key: nil).expecting(.ok)
        #expect(answer.json["status"] == "cancelled")
        #expect(answer.json["refund"] == ["amount": 4500, "currency": "EUR"])
        #expect(answer.headers[.eTag] == #""3""#)
      }
      _ = try await fixture.hold(["A-1"], buyer: "bob")
    }
  }

  @Test("a failed order has nothing to cancel")
  func cancelFailed() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      try await fixture.send(.delete, "/v1/holds/\(hold)").expecting(.noContent)
      let failed = try await fixture.post("/v1/orders", RESTFixture.order(hold))
        .expectProblem(409, "order-failed")
      #expect(failed["reason"] == "hold-released")
      let order = try #require(failed["order_id"].string)
      let problem = try await fixture.post("/v1/orders/\(order)/cancel")
        .expectProblem(409, "order-already-failed")
      #expect(problem["order_id"] == .string(order))
      #expect(problem["reason"] == "hold-released")
    }
  }

  @Test("an unknown order is a 404, to look at and to cancel")
  func unknown() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.get("/v1/orders/o-1").expectProblem(404, "order-not-found")
      try await fixture.post("/v1/orders/o-1/cancel").expectProblem(404, "order-not-found")
    }
  }

  @Test("the list's pages hold every order once, whatever became of it")
  func pages() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      var placed: [String] = []
      for number in 1...5 { placed.append(try await fixture.buy(["A-\(number)"])) }
      try await fixture.post("/v1/orders/\(placed[1])/cancel").expecting(.ok)
      try await fixture.settle()
      var seen: [JSON] = []
      var path: String? = "/v1/orders?limit=2"
      while let next = path {
        let page = try await fixture.get(next).expecting(.ok).json
        seen += page["data"].array
        path = page["next_cursor"].string.map { "/v1/orders?limit=2&cursor=\($0)" }
      }
      #expect(seen.compactMap(\.["order_id"].string) == placed)
      #expect(
        seen.compactMap(\.["status"].string) == [
          "confirmed", "cancelled", "confirmed", "confirmed", "confirmed",
        ])
    }
  }

  @Test("a listed order is the order as it is looked at")
  func listed() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let order = try await fixture.buy(["A-1", "A-2"])
      try await fixture.post("/v1/orders/\(order)/cancel").expecting(.ok)
      try await fixture.settle()
      let list = try await fixture.get("/v1/orders").expecting(.ok).json
      #expect(try await fixture.get("/v1/orders/\(order)").json == list["data"][0])
    }
  }
}

import Hummingbird
import Testing

@Suite("Shows over REST")
struct ShowsTests {
  @Test("scheduling a show answers 201 with the show, its address and its position in the log")
  func schedule() async throws {
    try await RESTFixture.with { fixture in
      let answer = try await fixture.post("/v1/shows", RESTFixture.show(seats: 12))
      #expect(answer.status == .created)
      #expect(answer.headers[.location] == "/v1/shows/hamlet")
      #expect(answer.headers[.position] == "1")
      #expect(answer.headers[.contentType] == "application/json")
      #expect(
        answer.text == """
          {"show_id":"hamlet","title":"Hamlet","starts_at":"2026-12-24T19:30:00Z","currency":"EUR",\
          "tax_rate_bp":700,"hold_ttl_seconds":600,"seats":12,"sections":[{"id":"stalls",\
          "price":{"amount":4500,"currency":"EUR"},"rows":[{"id":"A","seats":12}]}],"version":1}
          """)
    }
  }

  @Test("cancelling a show ends its sale and gives everybody their money back; saying it twice is fine")
  func cancelShow() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let order = try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created).json
      let reason: JSON = ["reason": "the lead is ill"]
      let cancelled = try await fixture.post("/v1/shows/hamlet/cancel", reason).expecting(.ok)
      #expect(cancelled.json["show_id"] == "hamlet")
      let again = try await fixture.post("/v1/shows/hamlet/cancel", reason).expecting(.ok)
      #expect(again.json == cancelled.json)
      try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "late", "seats": ["A-2"]]).expecting(
        .conflict)
      try await fixture.settle()
      let path = "/v1/orders/\(try #require(order["order_id"].string))"
      #expect(try await fixture.get(path).expecting(.ok).json["status"] == "cancelled")
      #expect(try await fixture.get("/v1/shows/hamlet").expecting(.ok).json["cancelled_at"] != .null)
    }
  }

  @Test("a show that is not there, or a reason that is none, is not cancelled")
  func cancelNothing() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.post("/v1/shows/nowhere/cancel", ["reason": "none"]).expecting(.notFound)
      try await fixture.schedule()
      try await fixture.post("/v1/shows/hamlet/cancel", ["reason": ""]).expectProblem(
        400, "invalid-request", at: "/reason")
      #expect(try await fixture.aisle.store.head().rawValue == 1)
    }
  }

  @Test("a price may be an amount with its currency")
  func priceWithCurrency() async throws {
    try await RESTFixture.with { fixture in
      var body = RESTFixture.show()
      body["sections"] = [
        ["id": "stalls", "price": ["amount": 990, "currency": "EUR"], "rows": [["id": "A", "seats": 1]]]
      ]
      let answer = try await fixture.post("/v1/shows", body).expecting(.created)
      #expect(answer.json["sections"][0]["price"] == ["amount": 990, "currency": "EUR"])
    }
  }

  @Test("the same request with the same key is the same show, and says that it is a repeat")
  func replay() async throws {
    try await RESTFixture.with { fixture in
      let body = RESTFixture.show(nil)
      let first = try await fixture.post("/v1/shows", body, key: "k-1").expecting(.created)
      let second = try await fixture.post("/v1/shows", body, key: "k-1").expecting(.created)
      #expect(second.text == first.text)
      #expect(second.headers[.location] == first.headers[.location])
      #expect(first.headers[.idempotentReplayed] == nil)
      #expect(second.headers[.idempotentReplayed] == "true")
      #expect(try await fixture.aisle.store.head().rawValue == 1)
    }
  }

  @Test("another request with a used key is refused, pointing at the key")
  func reusedKey() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.post("/v1/shows", RESTFixture.show(nil), key: "k-1").expecting(.created)
      let other = try await fixture.post("/v1/shows", RESTFixture.show(nil, seats: 11), key: "k-1")
      other.expectProblem(422, "id-reused", at: "Idempotency-Key")
    }
  }

  @Test("a show's own id stands for one show")
  func sameID() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule("hamlet", seats: 10)
      let other = try await fixture.post("/v1/shows", RESTFixture.show("hamlet", seats: 11))
      other.expectProblem(409, "show-already-scheduled")
    }
  }

  @Test("the list's pages hold every show once, in the order in which they were scheduled")
  func pages() async throws {
    try await RESTFixture.with { fixture in
      let ids = (1...7).map { "show-\($0)" }
      for id in ids { try await fixture.schedule(id) }
      try await fixture.settle()
      var seen: [String] = []
      var path: String? = "/v1/shows?limit=3"
      var sizes: [Int] = []
      while let next = path {
        let page = try await fixture.get(next).expecting(.ok).json
        sizes.append(page["data"].array.count)
        seen += page["data"].array.compactMap(\.["show_id"].string)
        #expect(page["has_more"] == .bool(page["next_cursor"] != nil))
        path = page["next_cursor"].string.map { "/v1/shows?limit=3&cursor=\($0)" }
      }
      #expect(seen == ids)
      #expect(sizes == [3, 3, 1])
    }
  }

  @Test("a show that is scheduled while somebody pages comes on a later page")
  func growingList() async throws {
    try await RESTFixture.with { fixture in
      for id in ["a", "b", "c"] { try await fixture.schedule(id) }
      try await fixture.settle()
      let first = try await fixture.get("/v1/shows?limit=2").expecting(.ok).json
      try await fixture.schedule("d")
      try await fixture.settle()
      let cursor = try #require(first["next_cursor"].string)
      let second = try await fixture.get("/v1/shows?limit=2&cursor=\(cursor)").expecting(.ok).json
      #expect(second["data"].array.map(\.["show_id"]) == ["c", "d"])
      #expect(second["next_cursor"] == nil)
    }
  }

  @Test("a list of shows leaves the seat plans out")
  func listWithoutPlans() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.settle()
      let show = try await fixture.get("/v1/shows").expecting(.ok).json["data"][0]
      #expect(show["show_id"] == "hamlet")
      #expect(show["seats"] == 10)
      #expect(show["sections"] == nil)
    }
  }

  @Test("a show is found as soon as it is scheduled, as it was answered then")
  func get() async throws {
    try await RESTFixture.with { fixture in
      let scheduled = try await fixture.schedule()
      let found = try await fixture.get("/v1/shows/hamlet").expecting(.ok)
      #expect(found.text == scheduled.text)
    }
  }

  @Test("whoever has a show's present version gets 304 without a body")
  func notModified() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let tag = try #require(try await fixture.get("/v1/shows/hamlet").headers[.eTag])
      #expect(tag == #""1""#)
      for header in [tag, "W/\(tag)", #""0", \#(tag)"#, "*"] {
        let again = try await fixture.get("/v1/shows/hamlet", headers: [.ifNoneMatch: header])
        #expect(again.status == .notModified)
        #expect(again.body == [])
        #expect(again.headers[.eTag] == tag)
      }
    }
  }

  @Test("a show that has changed is sent again, with another tag")
  func modified() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let tag = try #require(try await fixture.get("/v1/shows/hamlet").headers[.eTag])
      _ = try await fixture.hold(["A-1"])
      try await fixture.settle()
      let again = try await fixture.get("/v1/shows/hamlet", headers: [.ifNoneMatch: tag])
      #expect(again.status == .ok)
      #expect(again.headers[.eTag] == #""2""#)
    }
  }

  @Test("a list that has not changed is 304")
  func listNotModified() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.settle()
      let tag = try #require(try await fixture.get("/v1/shows").headers[.eTag])
      #expect(try await fixture.get("/v1/shows", headers: [.ifNoneMatch: tag]).status == .notModified)
      try await fixture.schedule("macbeth")
      try await fixture.settle()
      #expect(try await fixture.get("/v1/shows", headers: [.ifNoneMatch: tag]).status == .ok)
    }
  }

  @Test("a show that nobody scheduled is a 404 that names it")
  func unknown() async throws {
    try await RESTFixture.with { fixture in
      let problem = try await fixture.get("/v1/shows/othello").expectProblem(404, "show-not-found")
      #expect(problem["detail"] == "There is no show othello")
    }
  }

  @Test("HEAD answers like GET, without the body")
  func head() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let get = try await fixture.get("/v1/shows/hamlet")
      let head = try await fixture.send(.head, "/v1/shows/hamlet")
      #expect(head.status == .ok)
      #expect(head.body == [])
      #expect(head.headers[.eTag] == get.headers[.eTag])
      #expect(try await fixture.send(.head, "/v1/shows/othello").status == .notFound)
    }
  }
}

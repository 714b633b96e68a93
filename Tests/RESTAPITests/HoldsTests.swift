import Hummingbird
import Testing

@Suite("Holds over REST")
struct HoldsTests {
  @Test("named seats are held, all of them, until the show's time for holds is over")
  func named() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let body: JSON = ["buyer": "ann", "seats": ["A-1", "A-2"]]
      let answer = try await fixture.post("/v1/shows/hamlet/holds", body).expecting(.created)
      let hold = answer.json
      let id = try #require(hold["hold_id"].string)
      #expect(id.hasPrefix("hamlet:"))
      #expect(answer.headers[.location] == "/v1/holds/\(id)")
      #expect(answer.headers[.position] == "2")
      #expect(
        hold.without("hold_id") == [
          "show_id": "hamlet", "buyer": "ann", "seats": ["A-1", "A-2"],
          "total": ["amount": 9000, "currency": "EUR"], "held_at": "2026-11-24T19:00:00Z",
          "expires_at": "2026-11-24T19:10:00Z", "status": "held",
        ])
    }
  }

  @Test("the best seats are side by side in one row, the first free ones of the section")
  func best() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 6)
      _ = try await fixture.hold(["A-2"])
      let body: JSON = ["buyer": "bob", "best": ["count": 3, "section": "stalls"]]
      let answer = try await fixture.post("/v1/shows/hamlet/holds", body).expecting(.created)
      #expect(answer.json["seats"] == ["A-3", "A-4", "A-5"])
      let any = try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "cem", "best": ["count": 1]])
      #expect(any.json["seats"] == ["A-1"])
    }
  }

  @Test("the best seats can be asked for by category, in groups, and with wheelchair places")
  func bestOfAKind() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.post("/v1/shows", ChartTests.house).expecting(.created)
      func best(_ best: JSON, by buyer: String) async throws -> Answer {
        try await fixture.post("/v1/shows/hamlet/holds", ["buyer": .string(buyer), "best": best])
      }
      // The nearest to the focal point in the middle of the first row.
      #expect(try await best(["count": 1, "category": "gold"], by: "ann").json["seats"] == ["A-7"])
      #expect(try await best(["count": 2, "accessible": 1], by: "bob").json["seats"] == ["A-3", "A-1"])
      #expect(try await best(["count": 2, "category": "blue"], by: "cem").json["total"]["amount"] == 5000)
      try await best(["count": 4, "section": "stalls"], by: "dan").expectProblem(409, "no-adjacent-seats")
      #expect(
        try await best(["count": 4, "section": "stalls", "together": false], by: "dan").json["seats"]
          == ["A-11", "A-9", "A-5", "B-4"])
      try await best(["count": 2, "section": "stalls", "together": false], by: "eve")
        .expectProblem(409, "not-enough-seats")
      try await best(["count": 1, "category": "red"], by: "eve").expectProblem(
        422, "unknown-category", at: "/best/category")
      try await best(["count": 1, "accessible": 2], by: "eve").expectProblem(
        400, "invalid-request", at: "/best/accessible")
      try await best(["count": 1, "together": "no"], by: "eve").expectProblem(
        400, "invalid-request", at: "/best/together")
      let blocked = try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "eve", "seats": ["B-3"]])
      #expect(
        blocked.expectProblem(409, "seats-unavailable")["conflicts"] == [["seat": "B-3", "state": "blocked"]])
    }
  }

  @Test("one buyer gets no more than the show allows, and seats are not left alone where it forbids that")
  func policy() async throws {
    try await RESTFixture.with { fixture in
      var show = RESTFixture.show(seats: 5)
      show["policy"] = ["orphans": "forbidden", "seats_per_buyer": 3]
      try await fixture.post("/v1/shows", show).expecting(.created)
      let path = "/v1/shows/hamlet/holds"
      try await fixture.post(path, ["buyer": "ann", "seats": ["A-2", "A-3"]]).expectProblem(
        409, "seats-left-alone")
      try await fixture.post(path, ["buyer": "ann", "seats": ["A-1", "A-2"]]).expecting(.created)
      try await fixture.post(path, ["buyer": "ann", "best": ["count": 3]]).expectProblem(409, "buyer-limit")
      try await fixture.post(path, ["buyer": "bob", "best": ["count": 3]]).expecting(.created)
    }
  }

  @Test("a hold lives on when it is extended, up to the show's limit")
  func extended() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      func extend() async throws -> Answer { try await fixture.post("/v1/holds/\(hold)/extend") }
      fixture.clock.advance(by: .seconds(300))
      #expect(try await extend().expecting(.ok).json["expires_at"] == "2026-11-24T19:15:00Z")
      try await fixture.settle()
      #expect(try await fixture.get("/v1/holds/\(hold)").json["expires_at"] == "2026-11-24T19:15:00Z")
      fixture.clock.advance(by: .seconds(590))
      #expect(try await extend().expecting(.ok).json["expires_at"] == "2026-11-24T19:24:50Z")
      fixture.clock.advance(by: .seconds(590))
      #expect(try await extend().expecting(.ok).json["expires_at"] == "2026-11-24T19:30:00Z")
      #expect(try await extend().expecting(.ok).json["expires_at"] == "2026-11-24T19:30:00Z")
      try await fixture.settle()
      #expect(try await fixture.get("/v1/shows/hamlet/seats").json["held"] == 1)
      fixture.clock.advance(by: .seconds(320))
      try await extend().expectProblem(409, "hold-expired")
      try await fixture.post("/v1/holds/hamlet:1/extend").expectProblem(404, "hold-not-found")
      try await fixture.post("/v1/holds/othello:1/extend").expectProblem(404, "hold-not-found")
      try await fixture.post("/v1/holds/\(hold)/extend", key: nil)
        .expectProblem(400, "idempotency-key-missing", at: "Idempotency-Key")
    }
  }

  @Test("when no row has enough free seats side by side, the best ones are refused")
  func noAdjacentSeats() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 3)
      _ = try await fixture.hold(["A-2"])
      let answer = try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "bob", "best": ["count": 2]])
      answer.expectProblem(409, "no-adjacent-seats")
    }
  }

  @Test("seats that others have are named with their state, and none of the others is held")
  func unavailable() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      _ = try await fixture.hold(["A-1"])
      try await fixture.buy(["A-2"])
      let body: JSON = ["buyer": "bob", "seats": ["A-1", "A-2", "A-3"]]
      let answer = try await fixture.post("/v1/shows/hamlet/holds", body)
      let problem = answer.expectProblem(409, "seats-unavailable")
      #expect(
        problem["conflicts"] == [["seat": "A-1", "state": "held"], ["seat": "A-2", "state": "booked"]])
      // A-3 was left alone
      _ = try await fixture.hold(["A-3"], buyer: "cem")
    }
  }

  @Test("of 40 buyers who want the same seat at once, one gets 201 and 39 are told who has it")
  func race() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
        for number in 1...40 {
          let body: JSON = ["buyer": "buyer-\(number)", "seats": ["A-7"]]
          group.addTask { try await fixture.post("/v1/shows/hamlet/holds", body) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers.filter { $0.status == .created }.count == 1)
      let losers = answers.filter { $0.status != .created }
      #expect(losers.count == 39)
      for loser in losers {
        let problem = loser.expectProblem(409, "seats-unavailable")
        #expect(problem["conflicts"] == [["seat": "A-7", "state": "held"]])
      }
    }
  }

  @Test("the same hold sent four times at once is one hold")
  func repeats() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let body: JSON = ["buyer": "ann", "seats": ["A-1"]]
      let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
        for _ in 1...4 { group.addTask { try await fixture.post("/v1/shows/hamlet/holds", body, key: "k") } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers.allSatisfy { $0.status == .created })
      #expect(Set(answers.map(\.text)).count == 1)
      #expect(answers.filter { $0.headers[.idempotentReplayed] == nil }.count == 1)
      #expect(try await fixture.aisle.store.head().rawValue == 2)
    }
  }

  @Test(
    "another hold with a used key is refused", arguments: [["buyer": "bob"], ["seats": ["A-2"]]] as [JSON])
  func reusedKey(change: JSON) async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let body: JSON = ["buyer": "ann", "seats": ["A-1"]]
      try await fixture.post("/v1/shows/hamlet/holds", body, key: "k").expecting(.created)
      let other = JSON.object(body.object.merging(change.object) { _, new in new })
      let answer = try await fixture.post("/v1/shows/hamlet/holds", other, key: "k")
      answer.expectProblem(422, "id-reused", at: "Idempotency-Key")
    }
  }

  @Test("seats that the show does not have are pointed at")
  func unknownSeats() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 2)
      let body: JSON = ["buyer": "ann", "seats": ["A-1", "A-3", "Z-1"]]
      let answer = try await fixture.post("/v1/shows/hamlet/holds", body)
      let problem = answer.expectProblem(422, "unknown-seats")
      #expect(problem["errors"].array.map(\.["pointer"]) == ["/seats/1", "/seats/2"])
    }
  }

  @Test("a section that the show does not have is pointed at")
  func unknownSection() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let body: JSON = ["buyer": "ann", "best": ["count": 1, "section": "balcony"]]
      let answer = try await fixture.post("/v1/shows/hamlet/holds", body)
      answer.expectProblem(422, "unknown-section", at: "/best/section")
    }
  }

  @Test("nobody holds seats of a show that is not on sale")
  func unknownShow() async throws {
    try await RESTFixture.with { fixture in
      let answer = try await fixture.post("/v1/shows/othello/holds", ["buyer": "ann", "seats": ["A-1"]])
      answer.expectProblem(404, "show-not-scheduled")
    }
  }

  @Test("a hold can be looked at, and shows what became of it")
  func status() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      func status(of hold: String) async throws -> JSON {
        try await fixture.settle()
        return try await fixture.get("/v1/holds/\(hold)").expecting(.ok).json["status"]
      }
      let kept = try await fixture.hold(["A-1"])
      let released = try await fixture.hold(["A-2"])
      let bought = try await fixture.hold(["A-3"])
      try await fixture.send(.delete, "/v1/holds/\(released)").expecting(.noContent)
      let order = try await fixture.post("/v1/orders", RESTFixture.order(bought)).expecting(.created)
      #expect(try await status(of: kept) == "held")
      #expect(try await status(of: released) == "released")
      #expect(try await status(of: bought) == "confirmed")
      #expect(try await fixture.get("/v1/holds/\(bought)").json["order_id"] == order.json["order_id"])
      fixture.clock.advance(by: .seconds(600))
      #expect(try await fixture.get("/v1/holds/\(kept)").json["status"] == "expired")
    }
  }

  @Test("a released hold's seats can be held by others, and releasing it again is fine")
  func release() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answer = try await fixture.send(.delete, "/v1/holds/\(hold)")
      #expect(answer.status == .noContent)
      #expect(answer.body == [])
      #expect(answer.headers[.position] == "3")
      #expect(try await fixture.send(.delete, "/v1/holds/\(hold)").status == .noContent)
      _ = try await fixture.hold(["A-1"], buyer: "bob")
    }
  }

  @Test("what is booked is not released, but cancelled as the order that the problem names")
  func releaseOfBooked() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let order = try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created)
      let problem = try await fixture.send(.delete, "/v1/holds/\(hold)")
        .expectProblem(409, "hold-already-confirmed")
      #expect(problem["order_id"] == order.json["order_id"])
    }
  }

  @Test(
    "an unknown hold is a 404, whatever its id looks like", arguments: ["hamlet:x", "othello:x", "x", ":"])
  func unknown(id: String) async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.get("/v1/holds/\(id)").expectProblem(404, "hold-not-found")
      try await fixture.send(.delete, "/v1/holds/\(id)").expectProblem(404, "hold-not-found")
    }
  }
}

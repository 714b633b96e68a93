import Hummingbird
import TestSupport
import Testing

@Suite("The waiting list over REST")
struct WaitingListTests {
  private func join(
    _ fixture: RESTFixture, _ count: Int, by buyer: String, key: String = "k"
  ) async throws -> Answer {
    try await fixture.post(
      "/v1/shows/hamlet/waiting-list", ["buyer": .string(buyer), "count": .integer(Int64(count))],
      key: "\(key)-\(buyer)")
  }

  @Test("who waits sees how many are ahead, is offered what is freed, and can buy it")
  func offered() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 2)
      let order = try await fixture.buy(["A-1", "A-2"])
      let first = try await join(fixture, 1, by: "ann").expecting(.created)
      let second = try await join(fixture, 1, by: "bob").expecting(.created)
      #expect(second.json["ahead"] == 1 && second.json["status"] == "waiting")
      let again = try await join(fixture, 1, by: "bob").expecting(.created)
      #expect(again.text == second.text && again.headers[.idempotentReplayed] == "true")
      let entry = try #require(first.headers[.location])

      try await fixture.post("/v1/orders/\(order)/cancel").expecting(.ok)
      let offered = try await fixture.get(entry).expecting(.ok).json
      #expect(offered["status"] == "offered")
      #expect(offered["offer"]["hold_id"] == offered["waiting_id"])
      #expect(offered["offer"]["expires_at"] == "2026-11-24T20:00:00Z")
      #expect(offered["offer"]["seats"].array.count == 1)
      // Both seats are on offer now; others get neither.
      let other = try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "cem", "best": ["count": 1]])
      other.expectProblem(409, "no-adjacent-seats")

      let hold = try #require(offered["offer"]["hold_id"].string)
      try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created)
      #expect(try await fixture.get(entry).json["status"] == "served")
    }
  }

  @Test("an offer that is not taken in time is nobody's, and leaving gives it to the next in line")
  func lapses() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 1)
      let order = try await fixture.buy(["A-1"])
      let entries = try await ["ann", "bob", "cem"].asyncMap { buyer in
        try #require(try await join(fixture, 1, by: buyer).expecting(.created).headers[.location])
      }
      try await fixture.post("/v1/orders/\(order)/cancel").expecting(.ok)
      try await fixture.send(.delete, entries[0]).expecting(.noContent)
      try await fixture.send(.delete, entries[0]).expecting(.noContent)
      #expect(try await fixture.get(entries[0]).json["status"] == "lapsed")
      #expect(try await fixture.get(entries[1]).json["status"] == "offered")
      fixture.clock.advance(by: .seconds(3_600))
      // Also before anybody has recorded it.
      #expect(try await fixture.get(entries[1]).json["status"] == "lapsed")
      _ = try await eventually("the third in line is offered the seat") {
        try await fixture.get(entries[2]).json["status"]
      } until: {
        $0 == "offered"
      }
    }
  }

  @Test("is refused for seats that are there, for what the house does not have, and without a buyer")
  func refused() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 2)
      try await join(fixture, 1, by: "ann").expectProblem(409, "seats-still-free")
      try await join(fixture, 3, by: "ann").expectProblem(409, "no-adjacent-seats")
      let path = "/v1/shows/hamlet/waiting-list"
      try await fixture.post(path, ["count": 1]).expectProblem(400, "invalid-request", at: "/buyer")
      try await fixture.post(path, ["buyer": "ann", "count": 1, "section": "boxes"])
        .expectProblem(422, "unknown-section", at: "/section")
      try await fixture.post(path, ["buyer": "ann", "count": 1], key: nil)
        .expectProblem(400, "idempotency-key-missing", at: "Idempotency-Key")
      try await fixture.post("/v1/shows/othello/waiting-list", ["buyer": "ann", "count": 1])
        .expectProblem(404, "show-not-scheduled")
      try await fixture.get("/v1/waiting-list/hamlet:1").expectProblem(404, "waiting-entry-not-found")
      try await fixture.send(.delete, "/v1/waiting-list/hamlet:1").expectProblem(
        404, "waiting-entry-not-found")
      try await fixture.get("/v1/waiting-list/nobody").expectProblem(404, "waiting-entry-not-found")
    }
  }
}

extension Sequence {
  fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
    var results: [T] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}

import Hummingbird
import Testing

@Suite("Seats over REST")
struct SeatsTests {
  /// The seat map after everything has taken effect: how many are available, held and booked, and which.
  private func map(_ fixture: RESTFixture, of show: String = "hamlet") async throws -> JSON {
    try await fixture.settle()
    let map = try await fixture.get("/v1/shows/\(show)/seats").expecting(.ok).json
    #expect(
      map["available"].integer == (map["total"].integer ?? 0) - Int64(map["seats"].array.count), "\(map)")
    return map
  }

  @Test("a new show's seats are all available")
  func allAvailable() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 5)
      let map = try await map(fixture)
      #expect(
        map == [
          "show_id": "hamlet", "version": 1, "total": 5, "available": 5, "held": 0, "booked": 0, "seats": [],
        ])
    }
  }

  @Test("held seats are held, and say nothing about who holds them")
  func held() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 5)
      _ = try await fixture.hold(["A-2", "A-1"])
      let map = try await map(fixture)
      #expect(map["seats"] == [["seat": "A-1", "state": "held"], ["seat": "A-2", "state": "held"]])
      #expect([map["available"], map["held"], map["booked"]] == [3, 2, 0])
    }
  }

  @Test("ordered seats are booked")
  func booked() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 5)
      try await fixture.buy(["A-3"])
      let map = try await map(fixture)
      #expect(map["seats"] == [["seat": "A-3", "state": "booked"]])
      #expect([map["available"], map["held"], map["booked"]] == [4, 0, 1])
    }
  }

  @Test("released seats are available again")
  func released() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 5)
      let hold = try await fixture.hold(["A-1"])
      try await fixture.send(.delete, "/v1/holds/\(hold)").expecting(.noContent)
      #expect(try await map(fixture)["seats"] == [])
    }
  }

  @Test("the seats of a cancelled order are available again")
  func cancelled() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 5)
      let order = try await fixture.buy(["A-1"])
      try await fixture.post("/v1/orders/\(order)/cancel").expecting(.ok)
      #expect(try await map(fixture)["available"] == 5)
    }
  }

  @Test("a hold whose time is over does not count, although nobody has recorded its end yet")
  func lapsed() async throws {
    // Without the role that records it
    try await RESTFixture.with(roles: [.booking]) { fixture in
      try await fixture.schedule(seats: 5)
      let held = try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "ann", "seats": ["A-1"]])
      let position = try #require(held.headers[.position])
      let before = try await fixture.get("/v1/shows/hamlet/seats", headers: [.minPosition: position])
      #expect(before.json["held"] == 1)
      fixture.clock.advance(by: .seconds(600))
      let tag = try #require(before.headers[.eTag])
      let map = try await fixture.get("/v1/shows/hamlet/seats", headers: [.ifNoneMatch: tag]).expecting(.ok)
      #expect(map.json["available"] == 5)
      #expect(map.headers[.eTag] != tag)
    }
  }

  @Test("a seat map that has not changed is 304")
  func notModified() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      _ = try await fixture.hold(["A-1"])
      try await fixture.settle()
      let tag = try #require(try await fixture.get("/v1/shows/hamlet/seats").headers[.eTag])
      let again = try await fixture.get("/v1/shows/hamlet/seats", headers: [.ifNoneMatch: tag])
      #expect(again.status == .notModified)
      #expect(again.body == [])
    }
  }

  @Test("the seats of an unknown show are a 404")
  func unknownShow() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.get("/v1/shows/othello/seats").expectProblem(404, "show-not-found")
      try await fixture.get("/v1/shows/othello/stream").expectProblem(404, "show-not-found")
    }
  }
}

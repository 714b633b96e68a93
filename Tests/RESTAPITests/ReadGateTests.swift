import Hummingbird
import RESTAPI
import Testing

@Suite("Reading one's own writes")
struct ReadGateTests {
  @Test("a list contains what the client wrote, if it sends the write's position")
  func ownWrites() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 50)
      for number in 1...20 {
        let body = RESTFixture.order(try await fixture.hold(["A-\(number)"]))
        let placed = try await fixture.post("/v1/orders", body).expecting(.created)
        let position = try #require(placed.headers[.position])
        let headers: HTTPFields = [.minPosition: position]
        let orders = try await fixture.get("/v1/orders", headers: headers).expecting(.ok)
        #expect(orders.json["data"].array.last?["order_id"] == placed.json["order_id"])
        let bill = try await fixture.get(
          "/v1/accounts/acc-1/bills/2026-11?source=pre-aggregated", headers: headers)
        #expect(bill.json["lines"] == .integer(Int64(number)))
      }
    }
  }

  @Test("a read model that does not get there in time is a 503 that says how far it is")
  func behind() async throws {
    var options = RESTFixture.patient
    options.readPatience = .milliseconds(20)
    try await RESTFixture.with(roles: [], options: options) { fixture in
      try await fixture.schedule()
      for path in [
        "/v1/shows", "/v1/shows/hamlet", "/v1/shows/hamlet/seats", "/v1/holds/hamlet:x", "/v1/orders",
        "/v1/accounts/a/bills", "/v1/accounts/a/bills/2026-11", "/v1/accounts/a/bills/2026-11/lines",
        "/v1/billing/months/2026-11",
      ] {
        let answer = try await fixture.get(path, headers: [.minPosition: "1"])
        let problem = answer.expectProblem(503, "projection-behind")
        #expect(problem["retryable"] == true)
        #expect(answer.headers[.retryAfter] == "1")
      }
    }
  }

  @Test("\"there is no such show\" is said only by a read model that knows the whole log")
  func unknownWhileBehind() async throws {
    var options = RESTFixture.patient
    options.readPatience = .milliseconds(20)
    try await RESTFixture.with(roles: [], options: options) { fixture in
      try await fixture.schedule()
      try await fixture.get("/v1/shows/hamlet").expectProblem(503, "projection-behind")
    }
  }

  @Test(
    "a position that the log has not reached, or that is none, is refused", arguments: ["2", "-1", "x", ""])
  func invalid(position: String) async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.get("/v1/shows", headers: [.minPosition: position])
        .expectProblem(400, "invalid-request", at: "X-Aisle-Min-Position")
    }
  }
}

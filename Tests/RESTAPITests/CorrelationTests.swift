import Foundation
import Hummingbird
import TestSupport
import Testing

@Suite("Correlation")
struct CorrelationTests {
  @Test("every answer has an X-Request-ID, whatever it says")
  func everyAnswer() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answers = [
        (200, try await fixture.get("/v1/shows/hamlet")),
        (201, try await fixture.post("/v1/shows", RESTFixture.show("macbeth"))),
        (204, try await fixture.send(.delete, "/v1/holds/\(hold)")),
        (204, try await fixture.send(.options, "/v1/shows")),
        (304, try await fixture.get("/v1/shows/hamlet", headers: [.ifNoneMatch: "*"])),
        (400, try await fixture.get("/v1/shows?limit=x")), (404, try await fixture.get("/v1/shows/othello")),
        (404, try await fixture.send(.head, "/v1/shows/othello")), (404, try await fixture.get("/nowhere")),
        (405, try await fixture.send(.delete, "/v1/shows")),
        (200, try await fixture.get("/actuator/health/liveness")),
      ]
      for (status, answer) in answers {
        #expect(answer.status.code == status)
        let id = try #require(answer.headers[.requestID])
        #expect(UUID(uuidString: id) != nil && id == id.lowercased(), "\(id)")
      }
      #expect(Set(answers.map { $0.1.headers[.requestID] }).count == answers.count)
    }
  }

  @Test("a client's own X-Request-ID comes back, in lower case; one that is no UUID is replaced")
  func ownID() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let id = "0198F2A4-0000-7000-8000-00000000000A"
      let answer = try await fixture.get("/v1/shows", headers: [.requestID: id])
      #expect(answer.headers[.requestID] == id.lowercased())
      let other = try await fixture.get("/v1/shows", headers: [.requestID: "12\"34"])
      #expect(UUID(uuidString: try #require(other.headers[.requestID])) != nil)
    }
  }

  @Test("a problem names the request that it is about")
  func problem() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let id = "0198f2a4-0000-7000-8000-00000000000a"
      let answer = try await fixture.get("/v1/shows?limit=x", headers: [.requestID: id])
      #expect(answer.json["instance"] == .string("urn:uuid:\(id)"))
    }
  }

  @Test("a request's id is in every event that follows from it, through to the account's charge")
  func events() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let placed = try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created)
      try await fixture.settle()
      let id = JSON.string(try #require(placed.headers[.requestID]))
      let events = try await fixture.get("/v1/events").expecting(.ok).json.array
      let caused = events.filter { $0["correlationid"] == id }
      #expect(caused.map(\.["type"]) == ["hold-confirmed", "order-placed", "order-confirmed", "charged"])
      #expect(Set(events.map(\.["correlationid"])).count == 3)
      // The charge names the event that caused it.
      #expect(caused.last?["causationid"] == caused[2]["id"])
    }
  }

  @Test("a W3C trace context is kept in the events; what is none is left out")
  func traceparent() async throws {
    try await RESTFixture.with { fixture in
      let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      for (id, header) in [("a", parent), ("b", "00-0AF7-x"), ("c", "'; drop table aisle.events; --")] {
        try await fixture.post("/v1/shows", RESTFixture.show(id), headers: [.traceparent: header]).expecting(
          .created)
      }
      let events = try await fixture.get("/v1/events").expecting(.ok).json.array
      #expect(events.map(\.["traceparent"]) == [.string(parent), nil, nil])
    }
  }
}

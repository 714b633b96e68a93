import Hummingbird
import Testing

@Suite("Tickets over REST")
struct TicketsTests {
  @Test("a ticket is transferred, lets one person in, and is listed")
  func life() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.schedule()
      let order = try await fixture.buy(["A-1", "A-2"])
      let path = "/v1/orders/\(order)/tickets"
      for _ in 1...2 {
        let answer = try await fixture.post("\(path)/A-2/transfer", ["to": "bob"], key: nil).expecting(.ok)
        #expect(answer.json["tickets"].array.map(\.["holder"]) == ["ann", "bob"])
      }
      for _ in 1...2 { try await fixture.post("\(path)/A-2/check-in", key: "scan-1").expecting(.ok) }
      try await fixture.post("\(path)/A-2/check-in", key: "scan-2").expectProblem(409, "already-checked-in")
      try await fixture.post("\(path)/A-2/check-in", key: nil).expectProblem(400, "idempotency-key-missing")
      try await fixture.post("\(path)/A-9/check-in", key: "scan-3").expectProblem(404, "no-such-ticket")
      try await fixture.post("\(path)/A-2/transfer", ["to": "eve"], key: nil)
        .expectProblem(409, "already-checked-in")
      try await fixture.post("/v1/orders/\(order)/cancel", key: nil).expectProblem(409, "already-checked-in")
      let listed = try await fixture.get(path).expecting(.ok)
      #expect(
        listed.json["tickets"] == [
          ["seat": "A-1", "holder": "ann", "status": "valid"],
          ["seat": "A-2", "holder": "bob", "status": "checked-in"],
        ])
    }
  }

  @Test("the ticket of a cancelled order lets nobody in")
  func cancelled() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.schedule()
      let order = try await fixture.buy(["A-1"])
      try await fixture.post("/v1/orders/\(order)/cancel", key: nil).expecting(.ok)
      try await fixture.post("/v1/orders/\(order)/tickets/A-1/check-in").expectProblem(
        409, "order-already-cancelled")
    }
  }
}

import Hummingbird
import Ordering
import Services
import Testing
import Vocabulary

@Suite("Cancelling in two steps over REST")
struct CancellationTests {
  private static let policy = CancellationPolicy("168=0,0=1000")

  private func with(_ body: @escaping @Sendable (RESTFixture) async throws -> Void) async throws {
    try await RESTFixture.with(cancellations: try #require(Self.policy), body)
  }

  /// The show of the fixture is a month away; 29 days later the fee is due.
  private func letTheFeeBeDue(_ fixture: RESTFixture) { fixture.clock.advance(by: .seconds(29 * 86_400)) }

  @Test("a quote names the refund and the fee, and nothing happens until it is taken up")
  func quote() async throws {
    try await with { fixture in
      try await fixture.schedule()
      let order = try await fixture.buy(["A-1", "A-2"])
      letTheFeeBeDue(fixture)
      let path = "/v1/orders/\(order)/cancellations"
      let body: JSON = ["seats": ["A-2"]]
      let quoted = try await fixture.post(path, body, key: "k").expecting(.created)
      #expect(quoted.json["refund"] == ["amount": 4050, "currency": "EUR"])
      #expect(quoted.json["fee"] == ["amount": 450, "currency": "EUR"])
      #expect(quoted.json["seats"] == [["seat": "A-2", "refund": ["amount": 4050, "currency": "EUR"]]])
      #expect(try await fixture.post(path, body, key: "k").expecting(.created).text == quoted.text)
      #expect(try await fixture.get("/v1/orders/\(order)").json["status"] == "confirmed")

      let id = try #require(quoted.json["quote_id"].string)
      for _ in 1...2 {
        let taken = try await fixture.post("\(path)/\(id)/confirm", key: nil).expecting(.ok)
        #expect(taken.json["status"] == "confirmed")
        #expect(taken.json["refund"] == ["amount": 4050, "currency": "EUR"])
      }
      // The seat is free for others, the other one is not.
      try await fixture.settle()
      let seats = try await fixture.get("/v1/shows/hamlet/seats").json
      #expect(seats["seats"] == [["seat": "A-1", "state": "booked"]])
      _ = try await fixture.hold(["A-2"], buyer: "bob")
      let list = try await fixture.get("/v1/orders").json["data"].array
      #expect(list.map(\.["refund"]) == [["amount": 4050, "currency": "EUR"]])
    }
  }

  @Test(
    "the whole order is cancelled by a quote without seats; cancelling at once needs no quote and is free")
  func whole() async throws {
    try await with { fixture in
      try await fixture.schedule()
      let first = try await fixture.buy(["A-1", "A-2"])
      let second = try await fixture.buy(["A-3"])
      letTheFeeBeDue(fixture)
      let quoted = try await fixture.post("/v1/orders/\(first)/cancellations", [:]).expecting(.created)
      let id = try #require(quoted.json["quote_id"].string)
      let ended = try await fixture.post("/v1/orders/\(first)/cancellations/\(id)/confirm", key: nil)
      #expect(ended.json["status"] == "cancelled")
      #expect(ended.json["refund"] == ["amount": 8100, "currency": "EUR"])
      let free = try await fixture.post("/v1/orders/\(second)/cancel", key: nil).expecting(.ok)
      #expect(free.json["refund"] == ["amount": 4500, "currency": "EUR"])
      try await fixture.settle()
      #expect(try await fixture.get("/v1/shows/hamlet/seats").json["available"] == 10)
    }
  }

  @Test("a quote holds for fifteen minutes and until the show begins, and only the latest one counts")
  func refused() async throws {
    try await with { fixture in
      try await fixture.schedule()
      let order = try await fixture.buy(["A-1", "A-2"])
      let path = "/v1/orders/\(order)/cancellations"
      let first = try await fixture.post(path, [:]).expecting(.created).json["quote_id"].string ?? ""
      let second = try await fixture.post(path, [:]).expecting(.created).json["quote_id"].string ?? ""
      try await fixture.post("\(path)/\(first)/confirm", key: nil).expectProblem(404, "unknown-quote")
      fixture.clock.advance(by: .seconds(900))
      try await fixture.post("\(path)/\(second)/confirm", key: nil).expectProblem(409, "quote-expired")
      try await fixture.post(path, ["seats": ["A-9"]]).expectProblem(404, "no-such-ticket")
      try await fixture.post(path, ["seats": []]).expectProblem(400, "invalid-request", at: "/seats")
      fixture.clock.advance(by: .seconds(31 * 86_400))
      try await fixture.post(path, [:]).expectProblem(409, "too-late-to-cancel")
    }
  }

  @Test("ordering again under the same key gives the order as it is, also when seats were given back")
  func replay() async throws {
    try await with { fixture in
      try await fixture.schedule()
      let body = RESTFixture.order(try await fixture.hold(["A-1", "A-2"]))
      let order = try await fixture.post("/v1/orders", body, key: "k").expecting(.created)
      let path = "/v1/orders/\(order.json["order_id"].string ?? "")/cancellations"
      let quote = try await fixture.post(path, ["seats": ["A-1"]]).expecting(.created)
      try await fixture.post("\(path)/\(quote.json["quote_id"].string ?? "")/confirm", key: nil).expecting(
        .ok)
      let again = try await fixture.post("/v1/orders", body, key: "k").expecting(.created)
      #expect(again.json["order_id"] == order.json["order_id"])
    }
  }
}

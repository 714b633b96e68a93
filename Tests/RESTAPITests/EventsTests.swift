import Hummingbird
import Testing

@Suite("The event feed over REST")
struct EventsTests {
  /// A show, orders, a cancellation and a release: events of three categories.
  private func fill(_ fixture: RESTFixture) async throws -> Int64 {
    try await fixture.schedule()
    for number in 1...4 { try await fixture.buy(["A-\(number)"]) }
    let cancelled = try await fixture.buy(["A-5"])
    try await fixture.post("/v1/orders/\(cancelled)/cancel").expecting(.ok)
    let released = try await fixture.hold(["A-6"])
    try await fixture.send(.delete, "/v1/holds/\(released)").expecting(.noContent)
    return try await fixture.settle().rawValue
  }

  /// Follows the way on until a page is empty.
  private func pages(from path: String, in fixture: RESTFixture) async throws -> [[JSON]] {
    var pages: [[JSON]] = []
    var next = path
    while true {
      let answer = try await fixture.get(next).expecting(.ok)
      if answer.json.array.isEmpty { return pages }
      pages.append(answer.json.array)
      let link = try #require(answer.headers[.link])
      next = try #require(link.firstMatch(of: /<(.*)>; rel="next"/).map { String($0.1) })
    }
  }

  @Test("an event is a CloudEvent with its place in the log, its request and its payload")
  func cloudEvent() async throws {
    try await RESTFixture.with { fixture in
      let request = "0198f2a4-0000-7000-8000-000000000001"
      let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      try await fixture.post(
        "/v1/shows", RESTFixture.show(), headers: [.requestID: request, .traceparent: parent]
      ).expecting(.created)
      let answer = try await fixture.get("/v1/events").expecting(.ok)
      #expect(answer.headers[.contentType] == "application/cloudevents-batch+json")
      #expect(answer.headers[.link] == #"</v1/events?after=1&limit=100>; rel="next""#)
      #expect(answer.headers[.position] == "1")
      let event = answer.json[0]
      #expect(event["id"].string?.count == 36)
      #expect(event["time"].string?.hasSuffix("Z") == true)
      let sections: JSON = [
        ["id": "stalls", "price": 4500, "rows": [["id": "A", "seats": 10]]]
      ]
      #expect(
        event.without("id").without("time") == [
          "specversion": "1.0", "datacontenttype": "application/json", "source": "urn:aisle:tenant:1",
          "type": "show-scheduled", "subject": "show-hamlet", "position": 1, "version": 1, "schemaversion": 1,
          "correlationid": .string(request), "traceparent": .string(parent),
          "data": [
            "show_id": "hamlet", "title": "Hamlet", "starts_at": "2026-12-24T19:30:00Z", "currency": "EUR",
            "tax_rate_bp": 700, "hold_ttl_seconds": 600, "sections": sections,
            "scheduled_at": "2026-11-24T19:00:00Z",
          ],
        ])
    }
  }

  @Test("pages hold every event of the log once, in its order, without gaps")
  func pages() async throws {
    try await RESTFixture.with { fixture in
      let head = try await fill(fixture)
      for limit in [1, 7, 1000] {
        let pages = try await pages(from: "/v1/events?after=0&limit=\(limit)", in: fixture)
        #expect(pages.flatMap(\.self).compactMap(\.["position"].integer) == Array(1...head))
        #expect(Set(pages.flatMap(\.self).map(\.["id"])).count == Int(head))
        #expect(pages.dropLast().allSatisfy { $0.count == limit })
      }
    }
  }

  @Test("a page begins after the position that was asked for")
  func after() async throws {
    try await RESTFixture.with { fixture in
      let head = try await fill(fixture)
      let events = try await fixture.get("/v1/events?after=\(head - 2)").expecting(.ok).json
      #expect(events.array.map(\.["position"]) == [.integer(head - 1), .integer(head)])
    }
  }

  @Test("categories and types select events, and the way on keeps the selection")
  func filter() async throws {
    try await RESTFixture.with { fixture in
      let head = try await fill(fixture)
      let all = try await fixture.get("/v1/events?limit=1000").json.array
      let orders = try await pages(from: "/v1/events?limit=2&category=order", in: fixture).flatMap(\.self)
      #expect(orders.count == 11)
      #expect(orders == all.filter { $0["subject"].string?.hasPrefix("order-") == true })
      let types = "seats-held,order-confirmed"
      let some = try await pages(from: "/v1/events?limit=2&type=\(types)", in: fixture).flatMap(\.self)
      #expect(
        some == all.filter { types.split(separator: ",").map { JSON.string("\($0)") }.contains($0["type"]) })
      // After the last match the way on leads to the end of the log, not to the match.
      let last = try await fixture.get("/v1/events?category=order&limit=1000").expecting(.ok)
      #expect(last.headers[.position] == "\(head)")
    }
  }

  @Test("at the end of the log there are no events, and the way on stays where it is")
  func end() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let answer = try await fixture.get("/v1/events?after=1&limit=5").expecting(.ok)
      #expect(answer.json == [])
      #expect(answer.headers[.link] == #"</v1/events?after=1&limit=5>; rel="next""#)
    }
  }

  @Test("a position that the log has not reached is refused: waiting for it would be silence")
  func beyondEnd() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      for path in ["/v1/events?after=2", "/v1/events/stream?after=2"] {
        try await fixture.get(path).expectProblem(400, "invalid-request", at: "after")
      }
      for id in ["2", "-1", "x", "9223372036854775808"] {
        try await fixture.get("/v1/events/stream", headers: [.lastEventID: id])
          .expectProblem(400, "invalid-request", at: "Last-Event-ID")
      }
    }
  }
}

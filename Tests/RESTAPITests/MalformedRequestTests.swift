import Hummingbird
import Testing

@Suite("Malformed requests")
struct MalformedRequestTests {
  @Test("a POST that creates something needs an Idempotency-Key")
  func missingKey() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      for path in ["/v1/shows", "/v1/shows/hamlet/holds", "/v1/orders", "/v1/accounts"] {
        for key in [nil, ""] {
          try await fixture.post(path, [:], key: key)
            .expectProblem(400, "idempotency-key-missing", at: "Idempotency-Key")
        }
      }
    }
  }

  @Test(
    "an Idempotency-Key has 1 to 255 visible ASCII characters",
    arguments: ["a b", "schlüssel", String(repeating: "k", count: 256)])
  func invalidKey(key: String) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let answer = try await fixture.post("/v1/shows", RESTFixture.show(), key: key)
      answer.expectProblem(400, "idempotency-key-invalid", at: "Idempotency-Key")
      try await fixture.post("/v1/shows", RESTFixture.show(), key: String(repeating: "k", count: 255))
        .expecting(.created)
    }
  }

  @Test("two different Idempotency-Keys on one request are refused")
  func twoKeys() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      var headers = HTTPFields()
      headers.append(.init(name: .idempotencyKey, value: "a"))
      headers.append(.init(name: .idempotencyKey, value: "b"))
      try await fixture.post("/v1/shows", RESTFixture.show(), key: nil, headers: headers)
        .expectProblem(400, "idempotency-key-invalid")
    }
  }

  @Test(
    "another media type than JSON in UTF-8 is refused",
    arguments: [
      "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1",
      "application/jsonx", "",
    ])
  func mediaType(type: String) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let answer = try await fixture.post("/v1/shows", RESTFixture.show(), headers: [.contentType: type])
      answer.expectProblem(415, "unsupported-media-type", at: "Content-Type")
      #expect(answer.headers[.accept] == "application/json")
    }
  }

  @Test(
    "JSON may be declared in several ways, or not at all",
    arguments: [
      nil, "application/json", "Application/JSON ; Charset=\"UTF-8\"", "application/json; charset=utf-8; q=1",
    ])
  func declaredAsJSON(type: String?) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let headers: HTTPFields = type.map { [.contentType: $0] } ?? [:]
      try await fixture.post("/v1/shows", RESTFixture.show(), headers: headers).expecting(.created)
    }
  }

  @Test("a body of more than a megabyte is refused, whether or not its size was told before")
  func tooLarge() async throws {
    try await RESTFixture.with(.live, roles: []) { fixture in
      let body = #"{"title": ""# + String(repeating: "x", count: 1 << 20) + #""}"#
      try await fixture.post("/v1/shows", text: body).expectProblem(413, "body-too-large", at: "")
      let answer = try await fixture.post(
        "/v1/shows", text: nil, headers: [.contentLength: "99999999999"])
      answer.expectProblem(413, "body-too-large", at: "")
    }
  }

  @Test(
    "a parameter that makes no sense is refused and named",
    arguments: [
      ("/v1/shows?limit=0", "limit"), ("/v1/shows?limit=1001", "limit"), ("/v1/shows?limit=-1", "limit"),
      ("/v1/shows?limit=", "limit"), ("/v1/shows?limit=1.5", "limit"), ("/v1/shows?limit=+5", "limit"),
      ("/v1/shows?limit=99999999999999999999", "limit"), ("/v1/shows?limit=5&limit=6", "limit"),
      ("/v1/shows?limit=%zz", "limit"), ("/v1/shows?limit=%4", "limit"), ("/v1/shows?cursor=%ff", "cursor"),
      ("/v1/shows?cursor=nonsense", "cursor"), ("/v1/shows?cursor=", "cursor"),
      ("/v1/shows?cursor=b3JkZXJzIDE", "cursor"), ("/v1/shows?cursor=c2hvd3MgeA", "cursor"),
      ("/v1/orders?limit=x", "limit"), ("/v1/orders?cursor=c2hvd3MgMQ", "cursor"),
      ("/v1/events?after=-1", "after"), ("/v1/events?after=9223372036854775808", "after"),
      ("/v1/events?limit=2000", "limit"), ("/v1/events?category=Order", "category"),
      ("/v1/events?category=a,,b", "category"), ("/v1/events?type=a%00b", "type"),
      ("/v1/events/stream?after=x", "after"), ("/v1/accounts/a/bills?from=2026", "from"),
      ("/v1/accounts/a/bills?from=2026-13", "from"), ("/v1/accounts/a/bills?to=2026-00", "to"),
      ("/v1/accounts/a/bills?from=2026-12&to=2026-11", "from"),
      ("/v1/accounts/a/bills?from=2016-11&to=2026-11", "from"),
      ("/v1/accounts/a/bills?source=lake", "source"), ("/v1/accounts/a/bills/2026-11?source=", "source"),
      ("/v1/accounts/a/bills/2026-11?currency=eur", "currency"), ("/v1/accounts/a/bills/2026-1", "month"),
      ("/v1/accounts/a/bills/2026-11-01/lines", "month"),
      ("/v1/accounts/a/bills/2026-11/lines?cursor=x", "cursor"),
      ("/v1/accounts/a/bills/0000-01", "month"), ("/v1/billing/months/november", "month"),
      ("/v1/billing/months/2026%2d1", "month"), ("/v1/billing/months/2026-11?cursor=bW9udGggYQ", "cursor"),
      ("/v1/shows/a%20b", "show_id"), ("/v1/shows/%ff", "show_id"), ("/v1/shows/%", "show_id"),
      ("/v1/shows/a%00/seats", "show_id"), ("/v1/orders/%2e%2e%2f", "order_id"), ("/v1/holds/ä", "hold_id"),
      ("/v1/accounts/a%7Cb/bills", "account_id"),
    ])
  func parameters(path: String, name: String) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.get(path).expectProblem(400, "invalid-request", at: name)
    }
  }

  @Test("an escaped path is the path that it stands for")
  func escapedPath() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      #expect(try await fixture.get("/v1/shows/h%61mlet").expecting(.ok).json["show_id"] == "hamlet")
    }
  }

  @Test(
    "a path that leads nowhere is a 404",
    arguments: [
      "/", "/v1", "/v1/", "/v2/shows", "/v1/shows/a/b", "/v1/shows/a/seats/b", "/favicon.ico", "/V1/shows",
    ])
  func unknownPath(path: String) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      for method in [HTTPRequest.Method.get, .post, .delete, .options] {
        try await fixture.send(method, path).expectProblem(404, "no-such-path")
      }
    }
  }

  @Test(
    "a method that a path does not take is a 405 that names those it takes",
    arguments: [
      ("/v1/shows", HTTPRequest.Method.delete, "GET, HEAD, OPTIONS, POST"),
      ("/v1/shows/hamlet", .put, "GET, HEAD, OPTIONS"), ("/v1/shows/hamlet/holds", .get, "OPTIONS, POST"),
      ("/v1/holds/hamlet:1", .post, "DELETE, GET, HEAD, OPTIONS"),
      ("/v1/orders/o/cancel", .get, "OPTIONS, POST"), ("/v1/events", .post, "GET, HEAD, OPTIONS"),
      ("/v1/billing/months/2026-11/reconcile", .delete, "OPTIONS, POST"),
      ("/v1/billing/months/2026-11/close", .get, "OPTIONS, POST"),
      ("/v1/accounts/acc-1/invoices", .post, "GET, HEAD, OPTIONS"),
      ("/actuator/health", .post, "GET, HEAD, OPTIONS"), ("/v1/accounts", .get, "OPTIONS, POST"),
    ])
  func wrongMethod(path: String, method: HTTPRequest.Method, allowed: String) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let answer = try await fixture.send(method, path)
      answer.expectProblem(405, "method-not-allowed")
      #expect(answer.headers[.allow] == allowed)
      let options = try await fixture.send(.options, path)
      #expect(options.status == .noContent)
      #expect(options.headers[.allow] == allowed)
    }
  }
}

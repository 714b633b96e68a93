import Hummingbird
import Testing

@Suite("Malformed bodies")
struct MalformedBodyTests {
  private static let hold = #"{"buyer": "ann", "seats": ["A-1"]}"#

  @Test(
    "what is not a JSON document is refused with its place",
    arguments: [
      ("", "the body is empty at line 1, column 1"),
      (" \n ", "the document ends too early at line 2, column 2"),
      (#"{"buyer": "ann", "seats": ["A-1""#, "a comma or ] is expected at line 1, column 33"),
      (#"{"buyer": "ann"#, "a string has no end at line 1, column 15"),
      (hold + " x", "there is more after the document's end at line 1, column 36"),
      (hold + hold, "there is more after the document's end at line 1, column 35"),
      (
        #"{"buyer": "ann", "seats": ["A-1"],}"#,
        "a name in double quotation marks is expected at line 1, column 35"
      ),
      (
        #"{"buyer": "ann",\#n "buyer": "bob"}"#,
        #"the name "buyer" is repeated in one object at line 2, column 2"#
      ),
      (#"{"buyer": "a\x"}"#, "there is no such escape in a string at line 1, column 15"),
      (#"{"buyer": "\ud800"}"#, "half of a surrogate pair is not a character at line 1, column 18"),
      ("{\"buyer\": \"a\u{0}\"}", "a control character in a string must be escaped at line 1, column 13"),
      ("{\"buyer\": \u{0}}", "a value is expected at line 1, column 11"),
      (#"{"buyer": 01}"#, "a number has no leading zeros at line 1, column 13"),
      (#"{"buyer": +1}"#, "a value is expected at line 1, column 11"),
      (#"{"buyer": NaN}"#, "a value is expected at line 1, column 11"),
      (#"{'buyer': 1}"#, "a name in double quotation marks is expected at line 1, column 2"),
      ("\u{FEFF}{}", "a value is expected at line 1, column 1"),
    ])
  func syntax(body: String, message: String) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let problem = try await fixture.post("/v1/shows/hamlet/holds", text: body)
        .expectProblem(400, "malformed-json", at: "")
      #expect(problem["detail"] == .string("The body is not a JSON document: \(message)"))
    }
  }

  @Test("nesting beyond 32 levels is refused, however deep it goes")
  func nesting() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      for depth in [32, 1000, 500_000] {
        let body = #"{"buyer": "# + String(repeating: "[", count: depth)
        let problem = try await fixture.post("/v1/orders", text: body).expectProblem(400, "malformed-json")
        #expect(problem["detail"].string?.contains("more than 32 levels of nesting") == true)
      }
    }
  }

  @Test("bytes that are not UTF-8 are refused with their place")
  func notUTF8() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let body = Array(#"{"buyer": "a"#.utf8) + [0xFF] + Array(#"", "seats": []}"#.utf8)
      let answer = try await fixture.send(
        .post, "/v1/shows/hamlet/holds", headers: [.idempotencyKey: "k"], body: ByteBuffer(bytes: body))
      let problem = answer.expectProblem(400, "malformed-json")
      #expect(problem["detail"].string?.hasSuffix("the bytes are not UTF-8 at line 1, column 13") == true)
    }
  }

  @Test("a body that is JSON but no object is refused", arguments: ["[]", "null", "1", #""text""#, "true"])
  func noObject(body: String) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      for path in ["/v1/shows", "/v1/shows/hamlet/holds", "/v1/orders", "/v1/accounts"] {
        try await fixture.post(path, text: body).expectProblem(400, "invalid-request", at: "")
      }
    }
  }

  @Test("everything that is missing is named at once")
  func missing() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let wanted = [
        "/v1/shows": ["/title", "/starts_at", "/currency", "/sections"],
        "/v1/shows/hamlet/holds": ["/buyer", "/seats"],
        "/v1/orders": ["/hold_id", "/account_id", "/payment_method"],
        "/v1/accounts": ["/name", "/time_zone"],
      ]
      for (path, pointers) in wanted {
        let problem = try await fixture.post(path, [:]).expectProblem(400, "invalid-request")
        #expect(problem["errors"].array.map(\.["pointer"]) == pointers.map(JSON.string), "\(path)")
        #expect(problem["errors"].array.allSatisfy { $0["message"].string?.hasPrefix("is missing") == true })
      }
    }
  }

  /// Each change of a show, and where the answer must point.
  private static let showChanges: [(JSON, String)] = [
    (["title": 5], "/title"), (["title": ""], "/title"), (["title": "a\u{0}b"], "/title"),
    (["title": .string(String(repeating: "x", count: 201))], "/title"),
    (["title": nil], "/title"), (["starts_at": "tomorrow"], "/starts_at"), (["starts_at": 5], "/starts_at"),
    (["starts_at": "2026-02-30T00:00:00Z"], "/starts_at"),
    (["starts_at": "0000-01-01T00:00:00+23:59"], "/starts_at"),
    (["starts_at": "9999-12-31T23:59:59-23:59"], "/starts_at"), (["currency": "eur"], "/currency"),
    (["currency": "XXX"], "/currency"), (["tax_rate_bp": -1], "/tax_rate_bp"),
    (["tax_rate_bp": 10_001], "/tax_rate_bp"), (["tax_rate_bp": "7"], "/tax_rate_bp"),
    (["tax_rate_bp": 7.5], "/tax_rate_bp"), (["hold_ttl_seconds": 0], "/hold_ttl_seconds"),
    (["hold_ttl_seconds": 86_401], "/hold_ttl_seconds"), (["hold_ttl_seconds": true], "/hold_ttl_seconds"),
    (["show_id": ""], "/show_id"), (["show_id": "a b"], "/show_id"), (["show_id": "a/b"], "/show_id"),
    (["show_id": .string(String(repeating: "x", count: 92))], "/show_id"), (["sections": [:]], "/sections"),
    (["sections": []], "/sections"), (["sections": [5]], "/sections/0"),
    (["sections": [["id": "s", "price": 1, "rows": []]]], "/sections/0/rows"),
    (["sections": [["id": "s", "price": 1, "rows": ["A"]]]], "/sections/0/rows/0"),
    (["sections": [["id": "s", "price": -1, "rows": [["id": "A", "seats": 1]]]]], "/sections/0/price"),
    (
      ["sections": [["id": "s", "price": 1_000_000_000_001, "rows": [["id": "A", "seats": 1]]]]],
      "/sections/0/price"
    ),
    (
      [
        "sections": [
          ["id": "s", "price": ["amount": 1, "currency": "USD"], "rows": [["id": "A", "seats": 1]]]
        ]
      ],
      "/sections/0/price/currency"
    ),
    (
      ["sections": [["id": "s", "price": 1, "rows": [["id": "A", "seats": 0]]]]], "/sections/0/rows/0/seats"
    ),
    (
      ["sections": [["id": "s", "price": 1, "rows": [["id": "A", "seats": 1], ["id": "A", "seats": 1]]]]],
      "/sections/0/rows/1/id"
    ),
    (
      [
        "sections": [
          ["id": "s", "price": 1, "rows": [["id": "A", "seats": 60_000], ["id": "B", "seats": 60_000]]]
        ]
      ],
      "/sections"
    ),
  ]

  @Test("a show with a wrong field is refused, and the field is pointed at", arguments: showChanges)
  func wrongShow(change: JSON, pointer: String) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let body = JSON.object(RESTFixture.show().object.merging(change.object) { _, new in new })
      try await fixture.post("/v1/shows", body).expectProblem(400, "invalid-request", at: pointer)
    }
  }

  private static let holdBodies: [(String, String)] = [
    (#"{"buyer": "ann", "seats": "A-1"}"#, "/seats"), (#"{"buyer": "ann", "seats": []}"#, "/seats"),
    (#"{"buyer": "ann", "seats": ["A-1", 2]}"#, "/seats/1"),
    (#"{"buyer": "ann", "seats": ["A-1", "A-1"]}"#, "/seats/1"),
    (#"{"buyer": "ann", "seats": ["A-1"], "best": {"count": 1}}"#, "/best"),
    (#"{"buyer": "ann", "best": 2}"#, "/best"), (#"{"buyer": "ann", "best": {}}"#, "/best/count"),
    (#"{"buyer": "ann", "best": {"count": 0}}"#, "/best/count"),
    (#"{"buyer": "ann", "best": {"count": -3}}"#, "/best/count"),
    (#"{"buyer": "ann", "best": {"count": 101}}"#, "/best/count"),
    (#"{"buyer": "ann", "best": {"count": 1.0}}"#, "/best/count"),
    (#"{"buyer": "ann", "best": {"count": 1e0}}"#, "/best/count"),
    (#"{"buyer": "ann", "best": {"count": 99999999999999999999999999}}"#, "/best/count"),
    (#"{"buyer": "ann", "best": {"count": 1, "section": 7}}"#, "/best/section"),
    (#"{"buyer": {"name": "ann"}, "seats": ["A-1"]}"#, "/buyer"),
    (#"{"buyer": "ä", "seats": ["A-1"]}"#, "/buyer"),
    (#"{"buyer": "\#(String(repeating: "x", count: 129))", "seats": ["A-1"]}"#, "/buyer"),
  ]

  @Test("a hold with a wrong field is refused, and the field is pointed at", arguments: holdBodies)
  func wrongHold(body: String, pointer: String) async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.post("/v1/shows/hamlet/holds", text: body)
        .expectProblem(400, "invalid-request", at: pointer)
    }
  }

  @Test("members that mean nothing are ignored")
  func unknownMembers() async throws {
    try await RESTFixture.with { fixture in
      var show = RESTFixture.show()
      show["colour"] = "red"
      show["a/b~c"] = [1, [:]]
      let answer = try await fixture.post("/v1/shows", show).expecting(.created)
      #expect(answer.json["colour"] == nil)
    }
  }
}

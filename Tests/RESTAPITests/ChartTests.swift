import Foundation
import Hummingbird
import Testing

@Suite("Charts and availability over REST")
struct ChartTests {
  /// Two rows with an aisle, a wheelchair place, a blocked seat, and a floor.
  static let house: JSON = [
    "show_id": "hamlet", "title": "Hamlet", "starts_at": "2026-12-24T19:30:00Z", "currency": "EUR",
    "hold_ttl_seconds": 600, "policy": ["orphans": "avoided", "seats_per_buyer": 6],
    "categories": [
      ["id": "gold", "name": "Gold", "price": 4500],
      ["id": "blue", "price": ["amount": 2500, "currency": "EUR"]],
    ], "focal_point": ["x": 0, "y": 0],
    "sections": [
      [
        "id": "stalls", "category": "gold",
        "rows": [
          [
            "id": "A", "seats": 6, "numbers": ["first": 11, "step": -2], "aisles_after": [3],
            "special": [["seats": ["1"], "kind": "wheelchair"], ["seats": ["3"], "kind": "companion"]],
          ],
          [
            "id": "B", "category": "blue",
            "seats": [
              "1", "2", ["label": "3", "blocked": true], ["label": "4", "place": 6, "category": "gold"],
            ],
          ],
        ],
      ], ["id": "floor", "price": 900, "capacity": 3],
    ],
  ]

  @Test("a chart has every seat with its place, category and kind, and is good for ever")
  func chart() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.post("/v1/shows", Self.house).expecting(.created)
      let chart = try await fixture.get("/v1/shows/hamlet/chart").expecting(.ok)
      let rows = chart.json["sections"][0]["rows"]
      #expect(
        rows[0]["seats"].array.compactMap(\.["id"].string) == ["A-11", "A-9", "A-7", "A-5", "A-3", "A-1"])
      #expect(rows[0]["seats"].array.compactMap(\.["x"].integer) == [-300, -200, -100, 100, 200, 300])
      #expect(
        rows[0]["seats"][5] == ["id": "A-1", "x": 300, "y": 0, "category": "gold", "kind": "wheelchair"])
      #expect(rows[1]["seats"].array.compactMap(\.["x"].integer) == [-250, -150, -50, 250])
      #expect(rows[1]["seats"][2] == ["id": "B-3", "x": -50, "y": 100, "category": "blue", "blocked": true])
      #expect(rows[1]["seats"][3]["category"] == "gold")
      #expect(
        chart.json["sections"][1] == [
          "id": "floor", "price": ["amount": 900, "currency": "EUR"], "capacity": 3, "rows": [],
        ])
      #expect(
        chart.json["categories"][1] == [
          "id": "blue", "name": "blue", "price": ["amount": 2500, "currency": "EUR"],
        ])
      #expect(chart.json["policy"] == ["orphans": "avoided", "seats_per_buyer": 6, "offer_seconds": 3600])
      #expect(chart.headers[.cacheControl]?.contains("immutable") == true)

      // Whatever is sold, the chart stays.
      let tag = try #require(chart.headers[.eTag])
      _ = try await fixture.hold(["A-7"])
      #expect(try await fixture.get("/v1/shows/hamlet/chart").text == chart.text)
      let again = try await fixture.get("/v1/shows/hamlet/chart", headers: [.ifNoneMatch: tag])
      #expect(again.status == .notModified && again.body == [])
      try await fixture.get("/v1/shows/othello/chart").expectProblem(404, "show-not-found")
    }
  }

  @Test("a show of the short form has a chart too")
  func shortForm() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule(seats: 3)
      let chart = try await fixture.get("/v1/shows/hamlet/chart").expecting(.ok).json
      #expect(chart["sections"][0]["rows"][0]["seats"].array.compactMap(\.["x"].integer) == [-100, 0, 100])
      #expect(chart["sections"][0]["price"] == ["amount": 4500, "currency": "EUR"])
    }
  }

  @Test("availability lists only what is taken; its tag is the version of the show")
  func availability() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.post("/v1/shows", Self.house).expecting(.created)
      try await fixture.settle()
      let empty = try await fixture.get("/v1/shows/hamlet/availability").expecting(.ok)
      // Thirteen places, one of them blocked.
      #expect(empty.json == ["show_id": "hamlet", "version": 1, "total": 12, "available": 12, "seats": [:]])
      #expect(empty.headers[.eTag] == #""1""#)

      _ = try await fixture.hold(["A-7", "floor-2"])
      try await fixture.buy(["B-1"])
      try await fixture.settle()
      let taken = try await fixture.get("/v1/shows/hamlet/availability", headers: [.ifNoneMatch: #""1""#])
        .expecting(.ok)
      #expect(taken.json["seats"] == ["A-7": "held", "floor-2": "held", "B-1": "booked"])
      #expect(taken.json["available"] == 9)
      let tag = try #require(taken.headers[.eTag])
      #expect(tag == #""4""#)
      let again = try await fixture.get("/v1/shows/hamlet/availability", headers: [.ifNoneMatch: tag])
      #expect(again.status == .notModified && again.body == [])
      try await fixture.get("/v1/shows/othello/availability").expectProblem(404, "show-not-found")
    }
  }

  @Test("the plan is a picture in which every seat is named and taken ones are marked")
  func picture() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.post("/v1/shows", Self.house).expecting(.created)
      _ = try await fixture.hold(["A-7"])
      try await fixture.settle()
      let picture = try await fixture.get("/v1/shows/hamlet/plan.svg").expecting(.ok)
      #expect(picture.headers[.contentType] == "image/svg+xml")
      for words in [
        "A-7: held", "A-9: available", "A-1: wheelchair, available", "B-3: blocked", "3 of 3 places",
      ] {
        #expect(picture.text.contains(words), "no \(words)")
      }
      try expectWellFormed(picture.body)
      let tag = try #require(picture.headers[.eTag])
      let again = try await fixture.get("/v1/shows/hamlet/plan.svg", headers: [.ifNoneMatch: tag])
      #expect(again.status == .notModified)
    }
  }

  @Test("a plan is examined without being used: every issue with its place")
  func check() async throws {
    try await RESTFixture.with { fixture in
      let fine = try await fixture.post("/v1/plans/check", Self.house, key: nil).expecting(.ok).json
      #expect(fine["valid"] == true)
      #expect(fine["seats"] == 13 && fine["blocked"] == 1 && fine["sections"] == 2)
      #expect(fine["issues"].array.map(\.["place"]) == ["/sections/0/rows/1"])

      var wrong = Self.house
      wrong["focal_point"] = ["x": 0]
      wrong["sections"] = [
        [
          "id": "s", "price": 1,
          "rows": [["id": "A", "seats": 2, "labels": ["1", "1"]], ["id": "A", "seats": 0]],
        ]
      ]
      let report = try await fixture.post("/v1/plans/check", wrong, key: nil).expecting(.ok).json
      #expect(report["valid"] == false)
      #expect(
        report["issues"].array.map(\.["place"])
          == ["/sections/0/rows/1/seats", "/focal_point/y"])
      #expect(try await fixture.aisle.store.head().rawValue == 0)
    }
  }

  @Test("a plan that cannot be used is refused when it is scheduled, pointing at what is wrong")
  func refusedPlan() async throws {
    try await RESTFixture.with { fixture in
      var wrong = Self.house
      wrong["sections"] = [
        ["id": "s", "category": "green", "rows": [["id": "A", "seats": 2, "labels": ["1", "1"]]]]
      ]
      let answer = try await fixture.post("/v1/shows", wrong)
      answer.expectProblem(422, "invalid-plan", at: "/sections/0/rows/0/labels")
      answer.expectProblem(422, "invalid-plan", at: "/sections/0")
    }
  }

  @Test(
    "a plan's members are read strictly",
    arguments: [
      (["id": "A", "seats": 2, "numbers": ["first": 1, "step": -2]], "/sections/0/rows/0/numbers"),
      (
        ["id": "A", "seats": 2, "numbers": ["first": 1], "labels": ["1", "2"]], "/sections/0/rows/0/numbers"
      ),
      (["id": "A", "seats": 2, "aisles_after": [1], "places": [1, 2]], "/sections/0/rows/0/aisles_after"),
      (
        ["id": "A", "seats": 2, "special": [["seats": ["1"], "kind": "throne"]]],
        "/sections/0/rows/0/special/0/kind"
      ),
      (["id": "A", "seats": ["1", ["label": "x-y"]]], "/sections/0/rows/0/seats/1/label"),
      (
        ["id": "A", "seats": 2, "special": [["seats": ["1"], "blocked": 1]]],
        "/sections/0/rows/0/special/0/blocked"
      ),
      (["id": "A", "seats": 2, "x": 1_000_001], "/sections/0/rows/0/x"),
    ] as [(JSON, String)])
  func strict(_ row: JSON, _ place: String) async throws {
    try await RESTFixture.with { fixture in
      var body = RESTFixture.show()
      body["sections"] = [["id": "s", "price": 1, "rows": .array([row])]]
      try await fixture.post("/v1/shows", body).expectProblem(400, "invalid-request", at: place)
    }
  }

  private func expectWellFormed(_ bytes: [UInt8]) throws {
    let checker = TagChecker()
    #expect(checker.isBalanced(String(decoding: bytes, as: UTF8.self)))
  }
}

/// Whether every element of an XML text is closed where it should be.
private struct TagChecker {
  func isBalanced(_ text: String) -> Bool {
    var open: [Substring] = []
    for match in text.matches(of: /<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/) {
      let (_, closes, name, isEmpty) = match.output
      if !isEmpty.isEmpty { continue }
      if closes.isEmpty {
        open.append(name)
      } else if open.popLast() != name {
        return false
      }
    }
    return open.isEmpty
  }
}

import Hummingbird
import Testing

@Suite("Accounts over REST")
struct AccountsTests {
  private let account: JSON = ["account_id": "acc-1", "name": "Ann Hathaway", "time_zone": "Europe/London"]

  @Test("an account is opened with a name and the time zone of its months")
  func open() async throws {
    try await RESTFixture.with { fixture in
      let answer = try await fixture.post("/v1/accounts", account).expecting(.created)
      #expect(answer.json == account)
      #expect(answer.headers[.location] == "/v1/accounts/acc-1/bills")
      #expect(answer.headers[.position] == "1")
    }
  }

  @Test("without an id of its own, an account gets one from the key, the same each time")
  func derivedID() async throws {
    try await RESTFixture.with { fixture in
      let body = account.without("account_id")
      let first = try await fixture.post("/v1/accounts", body, key: "k").expecting(.created)
      let second = try await fixture.post("/v1/accounts", body, key: "k").expecting(.created)
      #expect(first.json["account_id"].string?.count == 36)
      #expect(second.text == first.text)
      #expect(try await fixture.aisle.store.head().rawValue == 1)
      let other = try await fixture.post("/v1/accounts", body, key: "k-2").expecting(.created)
      #expect(other.json["account_id"] != first.json["account_id"])
    }
  }

  @Test("another account with a used key is refused")
  func reusedKey() async throws {
    try await RESTFixture.with { fixture in
      var body = account.without("account_id")
      try await fixture.post("/v1/accounts", body, key: "k").expecting(.created)
      body["name"] = "Judith"
      try await fixture.post("/v1/accounts", body, key: "k").expectProblem(
        422, "id-reused", at: "Idempotency-Key")
    }
  }

  @Test("an account that is open has one name and one time zone")
  func alreadyOpened() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.post("/v1/accounts", account).expecting(.created)
      try await fixture.post("/v1/accounts", account).expecting(.created)
      var other = account
      other["time_zone"] = "UTC"
      try await fixture.post("/v1/accounts", other).expectProblem(409, "account-already-opened")
    }
  }

  @Test(
    "a time zone that is none is refused",
    arguments: ["Mars/Olympus", "+01:00", "SystemV/PST8PDT", "utc ", "EST5"])
  func unknownTimeZone(name: String) async throws {
    try await RESTFixture.with { fixture in
      var body = account
      body["time_zone"] = .string(name)
      let answer = try await fixture.post("/v1/accounts", body)
      answer.expectProblem(422, "unknown-time-zone", at: "/time_zone")
      #expect(try await fixture.aisle.store.head().rawValue == 0)
    }
  }
}

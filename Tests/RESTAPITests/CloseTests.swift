import Hummingbird
import HummingbirdTesting
import Testing
import Vocabulary

@Suite("Closing months over REST")
struct CloseTests {
  private let month = "/v1/billing/months/2026-11"
  private let bill = "/v1/accounts/acc-1/bills/2026-11"

  /// A night in November was sold, and it is December.
  private func withNovember(_ body: @escaping @Sendable (RESTFixture) async throws -> Void) async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      for number in 1...3 { try await fixture.buy(["A-\(number)"], for: "acc-\(number)") }
      try await fixture.settle()
      fixture.clock.advance(by: .seconds(10 * 86_400))
      try await body(fixture)
    }
  }

  @Test("a closed bill has a number and stays what it was, wherever it is read from; its tag is final")
  func close() async throws {
    try await withNovember { fixture in
      let open = try await fixture.get(bill).expecting(.ok).json
      let answer = try await fixture.post("\(month)/close").expecting(.ok)
      #expect(answer.json["closed_count"] == 3 && answer.json["failures"] == [])
      #expect(
        answer.json["invoices"].array.map { $0["invoice_number"].string } == [
          "INV-2026-000001", "INV-2026-000002", "INV-2026-000003",
        ])
      let position = try #require(answer.headers[.position])
      let seen = try await fixture.get(bill, headers: [.minPosition: position]).expecting(.ok)
      #expect(seen.json["status"] == "closed" && seen.json["invoice_number"] == "INV-2026-000001")
      #expect(seen.json["digest"] == open["digest"] && seen.json["due"] == open["due"])
      let tag = try #require(seen.headers[.eTag])

      // More is bought in December; November is not touched by it.
      try await fixture.buy(["A-4"])
      try await fixture.settle()
      let batch = try await fixture.get("\(bill)?source=batch").expecting(.ok)
      #expect(batch.headers[.eTag] == tag)
      #expect(batch.text.replacing(#""source":"batch""#, with: #""source":"pre-aggregated""#) == seen.text)
      try await fixture.get(bill, headers: [.ifNoneMatch: tag]).expecting(.notModified)

      let overview = try await fixture.get(month).expecting(.ok).json["data"].array
      #expect(overview.map { $0["status"].string } == ["closed", "closed", "closed"])
      // Again with another key: the same invoices.
      let again = try await fixture.post("\(month)/close").expecting(.ok).json
      #expect(again["closed_count"] == 0 && again["closed_before_count"] == 3)
    }
  }

  @Test("an account's invoices come in pages and by number")
  func invoices() async throws {
    try await withNovember { fixture in
      try await fixture.buy(["A-5"])
      fixture.clock.advance(by: .seconds(31 * 86_400))
      try await fixture.post("\(month)/close?account=acc-1").expecting(.ok)
      try await fixture.post("/v1/billing/months/2026-12/close").expecting(.ok)
      let path = "/v1/accounts/acc-1/invoices"
      let all = try await fixture.get(path).expecting(.ok).json
      #expect(all["data"].array.map { $0["month"].string } == ["2026-11", "2026-12"])
      let first = try await fixture.get("\(path)?limit=1").expecting(.ok).json
      #expect(first["has_more"] == true && first["data"].array.count == 1)
      let next = try #require(first["next_cursor"].string)
      let second = try await fixture.get("\(path)?limit=1&cursor=\(next)").expecting(.ok).json
      #expect(second["data"].array == [all["data"].array[1]] && second["has_more"] == false)
      let number = try #require(all["data"].array[0]["invoice_number"].string)
      let one = try await fixture.get("\(path)/\(number)").expecting(.ok)
      #expect(one.json == all["data"].array[0])
      let tag = try #require(one.headers[.eTag])
      try await fixture.get("\(path)/\(number)", headers: [.ifNoneMatch: tag]).expecting(.notModified)

      try await fixture.get("/v1/accounts/acc-2/invoices/\(number)").expectProblem(404, "invoice-not-found")
      try await fixture.get("/v1/accounts/nobody/invoices").expectProblem(404, "account-not-found")
      try await fixture.get("\(path)/INV-2026-1").expectProblem(400, "invalid-request", at: "number")
    }
  }

  @Test("an invoice is corrected by a credit note, once for each Idempotency-Key, and never changes")
  func creditNotes() async throws {
    try await withNovember { fixture in
      try await fixture.post("\(month)/close").expecting(.ok)
      let invoice = "/v1/accounts/acc-1/invoices/INV-2026-000001"
      let before = try await fixture.get(invoice).expecting(.ok).text
      let position = try await fixture.get("\(bill)/lines?source=batch").expecting(.ok).json["data"].array[0][
        "position"]
      let body: JSON = [
        "reason": "It rained", "lines": [["position": position, "line_no": 1, "amount": 500]],
      ]
      let note = try await fixture.post("\(invoice)/credit-notes", body, key: "k").expecting(.created)
      #expect(
        note.json["credit_note_number"] == "CN-2026-000001" && note.json["corrects"] == "INV-2026-000001")
      #expect(note.json["gross"] == ["amount": 500, "currency": "EUR"])
      #expect(note.headers[.location] == "/v1/accounts/acc-1/credit-notes/CN-2026-000001")
      let again = try await fixture.post("\(invoice)/credit-notes", body, key: "k").expecting(.created)
      #expect(again.json == note.json)
      try await fixture.post("\(invoice)/credit-notes", ["reason": "x"], key: "k").expectProblem(
        422, "id-reused")
      let rest = try await fixture.post("\(invoice)/credit-notes", ["reason": "All"]).expecting(.created)
      #expect(rest.json["gross"] == ["amount": 4000, "currency": "EUR"])
      try await fixture.post("\(invoice)/credit-notes", ["reason": "More"]).expectProblem(
        409, "nothing-to-credit")
      let list = try await fixture.get("/v1/accounts/acc-1/credit-notes").expecting(.ok).json["data"].array
      #expect(list == [note.json, rest.json])
      let one = try await fixture.get("/v1/accounts/acc-1/credit-notes/CN-2026-000002").expecting(.ok).json
      #expect(one == rest.json)
      #expect(try await fixture.get(invoice).expecting(.ok).text == before)

      try await fixture.get("/v1/accounts/acc-2/credit-notes/CN-2026-000002")
        .expectProblem(404, "credit-note-not-found")
      try await fixture.post("\(invoice)/credit-notes", ["reason": ""]).expectProblem(
        400, "invalid-request", at: "/reason")
      try await fixture.post("\(invoice)/credit-notes", ["reason": "x", "lines": [["position": 0]]])
        .expectProblem(400, "invalid-request", at: "/lines/0/amount")
      try await fixture.post("/v1/accounts/acc-2/invoices/INV-2026-000001/credit-notes", ["reason": "x"])
        .expectProblem(404, "invoice-not-found")
    }
  }

  @Test("a month that is not over is a conflict that says from when on; of all accounts' bills it is a list")
  func notOver() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.post(
        "/v1/accounts", ["account_id": "acc-1", "name": "Ann", "time_zone": "America/New_York"]
      )
      .expecting(.created)
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      let problem = try await fixture.post("\(month)/close?account=acc-1").expectProblem(
        409, "month-not-over")
      #expect(problem["detail"].string?.contains("2026-12-01T05:00:00Z") == true)
      // In New York there are five hours left.
      fixture.clock.advance(by: .seconds(6 * 86_400 + 5 * 3600))
      let answer = try await fixture.post("\(month)/close").expecting(.ok).json
      #expect(answer["failed_count"] == 1 && answer["failures"].array[0]["code"] == "month-not-over")
      #expect(try await fixture.get("\(month)/parked").expecting(.ok).json["data"] == [])
    }
  }

  @Test("closing needs an Idempotency-Key and an account that is one")
  func refused() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.post("\(month)/close", key: nil).expectProblem(400, "idempotency-key-missing")
      try await fixture.post("/v1/billing/months/2026-10/close?account=%20")
        .expectProblem(400, "invalid-request", at: "account")
      try await fixture.post("/v1/billing/months/2026-10/close?account=nobody")
        .expectProblem(404, "account-not-found")
    }
  }
}

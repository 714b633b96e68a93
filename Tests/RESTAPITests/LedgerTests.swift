import TestSupport
import Testing

@Suite("The ledger over REST")
struct LedgerTests {
  @Test("the trial balance has money that was received, is on its way back, and is owed")
  func trialBalance() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1", "A-2"])
      try await fixture.settle()
      let answer = try await fixture.get("/v1/ledger/trial-balance").expecting(.ok)
      let ledger = answer.json
      #expect(ledger["balanced"] == true)
      let currency = ledger["currencies"][0]
      #expect(currency["currency"] == "EUR")
      #expect(
        currency["entries"][0] == [
          "ledger_account": "receivable", "debits": ["amount": 9000, "currency": "EUR"],
          "credits": ["amount": 0, "currency": "EUR"], "balance": ["amount": 9000, "currency": "EUR"],
        ])
      #expect(currency["sum"] == ["amount": 0, "currency": "EUR"])
      let before = try await fixture.get("/v1/ledger/trial-balance?through=2026-10").expecting(.ok).json
      #expect(before["currencies"] == [])
      let fault = try await fixture.get("/v1/ledger/trial-balance?through=October").expecting(.badRequest)
        .json
      #expect(fault["errors"][0]["parameter"] == "through")
    }
  }
}

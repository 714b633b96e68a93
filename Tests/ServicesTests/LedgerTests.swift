import Billing
import EventStore
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("The general ledger")
struct LedgerTests {
  private func balances(_ ledger: LedgerBalance) -> [String: Int64] {
    Dictionary(uniqueKeysWithValues: ledger.entries.map { ($0.ledgerAccount, $0.balance.minorUnits) })
  }

  /// What the entries add up to, by currency and ledger account.
  private func sums(_ fixture: BillingFixture, through position: Position) async throws -> [String: Int64] {
    var sums: [String: Int64] = [:]
    try await fixture.billing.journal(through: position) { entries in
      for entry in entries {
        for posting in entry.postings {
          sums["\(entry.currency) \(posting.account.rawValue)", default: 0] += posting.amount
        }
      }
    }
    return sums
  }

  @Test("the postings of all accounts add up to zero, and receivable is what the bills say is due")
  func trialBalance() async throws {
    try await withBilling { fixture in
      var history = BillingHistory(seed: 61)
      try await fixture.play(history.steps(200))
      try await fixture.catchUp()
      let trial = try await fixture.billing.trialBalance()
      #expect(trial.isBalanced)
      #expect(trial.currencies.map(\.currency.code) == ["EUR", "JPY", "KWD"])
      #expect(trial.currencies.contains { balances($0)["fees"] ?? 0 < 0 })
      for ledger in trial.currencies {
        let rows = try await fixture.pool.query(
          """
          select sum(gross - refunds)::bigint, sum(tax)::bigint
          from aisle.billing_months
          where currency = \(ledger.currency.code)
          """)
        let (due, tax) = try #require(rows.first).decode(Int64.self, Int64.self)
        let amounts = balances(ledger)
        #expect(amounts["receivable"] == due && amounts["tax_payable"] == -tax)
        // What is not revenue is what was kept of cancelled seats.
        let fees = amounts["fees"] ?? 0
        #expect(fees <= 0 && amounts["revenue"].map { $0 + fees } == tax - due)
        for entry in ledger.entries {
          #expect(try entry.debits.subtracting(entry.credits) == entry.balance)
          #expect(entry.debits.minorUnits >= 0 && entry.credits.minorUnits >= 0)
        }
      }
    }
  }

  @Test("the statement over the log and the entries made one by one agree at every position")
  func twoWays() async throws {
    try await withBilling { fixture in
      var history = BillingHistory(seed: 62)
      try await fixture.play(history.steps(60))
      try await fixture.catchUp()
      let head = try await fixture.store.head()
      for position in stride(from: Int64(0), through: head.rawValue, by: 7) {
        let trial = try await fixture.billing.trialBalance(asOf: Position(position))
        #expect(trial.asOfPosition.rawValue == position)
        var statement: [String: Int64] = [:]
        for ledger in trial.currencies {
          for entry in ledger.entries {
            statement["\(ledger.currency) \(entry.ledgerAccount)"] = entry.balance.minorUnits
          }
        }
        #expect(try await sums(fixture, through: Position(position)) == statement)
      }
    }
  }

  @Test("a month's end leaves out what occurred later, in UTC")
  func throughMonth() async throws {
    try await withBilling { fixture in
      try await fixture.confirm(
        BilledOrder(id: "1", account: "a", at: .at("2026-06-30T23:59:59.999999Z"), seats: [(1070, 700)]))
      try await fixture.confirm(
        BilledOrder(id: "2", account: "a", at: .at("2026-07-01T00:00:00Z"), seats: [(214, 700)]))
      try await fixture.catchUp()
      let june = try await fixture.billing.trialBalance(through: .named("2026-06"))
      #expect(
        try balances(#require(june.currencies.first)) == [
          "receivable": 1070, "revenue": -1000, "tax_payable": -70,
        ])
      let july = try await fixture.billing.trialBalance(through: .named("2026-07"))
      #expect(try balances(#require(july.currencies.first))["receivable"] == 1284)
      #expect(try await fixture.billing.trialBalance(through: .named("2026-05")).currencies.isEmpty)
    }
  }

  @Test("postings that do not add up are seen, and no journal is made of them")
  func unbalanced() async throws {
    try await withBilling { fixture in
      try await fixture.confirm(
        BilledOrder(id: "1", account: "a", at: .at("2026-06-01T10:00:00Z"), seats: [(1800, 0)]))
      try await fixture.catchUp()
      try await fixture.asOwner(
        "update aisle.events set data = jsonb_set(data, '{postings,0,amount}', '1801') where type = 'charged'"
      )
      let trial = try await fixture.billing.trialBalance()
      #expect(!trial.isBalanced && trial.currencies.first?.sum == Money(1, .eur))
      let head = try await fixture.store.head()
      await #expect(throws: Billing.UnbalancedEntry.self) {
        try await fixture.billing.journal(through: head) { _ in }
      }
    }
  }
}

import EventStore
import PostgreSQL
import Testing
import Vocabulary

@testable import Services

/// Whatever is wrong in the tables is found and named, and nothing else is.
@Suite struct BillingReconcileTests {
  /// Two accounts in June: `a` with two orders, `b` with one.
  private func withJune(_ body: (BillingFixture) async throws -> Void) async throws {
    try await withBilling { fixture in
      for (id, account) in [("1", "a"), ("2", "b"), ("3", "a")] {
        try await fixture.confirm(
          BilledOrder(
            id: id, account: account, at: .at("2026-06-10T00:00:00Z"),
            seats: [(amount: 1200, rate: 2000), (amount: 600, rate: 2000)]))
      }
      try await fixture.catchUp()
      try await body(fixture)
    }
  }

  private func reconcile(_ fixture: BillingFixture) async throws -> Reconciliation {
    try await fixture.billing.reconcile(.named("2026-06"))
  }

  @Test("a sound month has no difference, and says what was compared")
  func sound() async throws {
    try await withJune { fixture in
      let result = try await reconcile(fixture)
      #expect(result.isEqual && result.differences.isEmpty)
      #expect(result.bills == 2 && result.lines == 6)
      #expect(result.asOfPosition == (try await fixture.store.checkpoint(of: "billing")))
    }
  }

  @Test("a total that was changed by a cent is the one difference, and is not repaired")
  func changedTotal() async throws {
    try await withJune { fixture in
      try await fixture.pool.execute(
        "update aisle.billing_months set gross = gross + 1 where account_id = 'a'")
      for _ in 1...2 {
        let result = try await reconcile(fixture)
        #expect(
          result.differences.map(\.description) == [
            "account a, EUR: gross is 3601 in the tables and 3600 by the log"
          ])
        #expect(result.differenceCount == 1 && !result.isEqual)
      }
    }
  }

  @Test("a changed line is named by its position and number, with the field that differs")
  func changedLine() async throws {
    try await withJune { fixture in
      try await fixture.pool.execute(
        "update aisle.billing_lines set tax = tax - 1 where order_id = '3' and line_no = 2")
      let result = try await reconcile(fixture)
      let difference = try #require(result.differences.first)
      #expect(result.differenceCount == 1)
      #expect(difference.accountID.rawValue == "a" && difference.position == Position(3))
      #expect(difference.lineNumber == 2 && difference.field == "tax")
      #expect(difference.live == "99" && difference.batch == "100")
    }
  }

  @Test("a missing line, an invented line and a missing bill are each one difference")
  func missingAndInvented() async throws {
    try await withJune { fixture in
      try await fixture.pool.execute("delete from aisle.billing_lines where order_id = '1' and line_no = 1")
      try await fixture.pool.execute(
        """
        insert into aisle.billing_lines
        select tenant, 'ghost', month, currency, position, line_no, kind, order_id, show_id, seat, amount, tax,
               occurred_at
        from aisle.billing_lines
        where order_id = '2' and line_no = 1
        """)
      try await fixture.pool.execute("delete from aisle.billing_months where account_id = 'b'")
      let result = try await reconcile(fixture)
      #expect(
        result.differences.map(\.description) == [
          "account b, EUR: bill is missing in the tables and present by the log",
          "account a, EUR, position 1, line 1: line is missing in the tables and present by the log",
          "account ghost, EUR, position 2, line 1: line is present in the tables and missing by the log",
        ])
      #expect(result.differenceCount == 3)
    }
  }

  @Test("events beyond the checkpoint are not a difference: both sides are taken at its position")
  func behind() async throws {
    try await withJune { fixture in
      try await fixture.confirm(
        BilledOrder(id: "4", account: "a", at: .at("2026-06-11T00:00:00Z"), seats: [(amount: 5, rate: 0)]))
      let result = try await reconcile(fixture)
      #expect(result.isEqual && result.lines == 6)
    }
  }
}

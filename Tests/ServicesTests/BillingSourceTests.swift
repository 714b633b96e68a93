import EventStore
import Testing
import Vocabulary

@testable import Services

/// Where a bill comes from, page by page, and when the tables are not trusted.
@Suite struct BillingSourceTests {
  private static func order(_ id: Int, account: String = "a", amount: Int64 = 100) throws -> BilledOrder {
    BilledOrder(
      id: "o\(id)", account: account, at: try .at("2026-06-10T00:00:00Z"),
      seats: [(amount: amount, rate: 700)])
  }

  @Test("within the lag limit the tables answer, beyond it the log does, and the bill says which")
  func lag() async throws {
    try await withBilling { fixture in
      try await fixture.confirm(Self.order(1))
      try await fixture.catchUp()
      for id in 2...4 { try await fixture.confirm(Self.order(id)) }
      // The checkpoint is at 1, the account's event at 2, and the last order at 5.
      let limit = BillingService(store: fixture.store, time: .system, lagLimit: 4)
      let strict = BillingService(store: fixture.store, time: .system, lagLimit: 3)
      let account = AccountID(unchecked: "a")
      let fresh = try #require(try await limit.bill(account, .named("2026-06")).first)
      #expect(fresh.source == .preAggregated && fresh.gross.minorUnits == 100)
      let batch = try #require(try await strict.bill(account, .named("2026-06")).first)
      #expect(batch.source == .batch && batch.gross.minorUnits == 400)
      #expect(batch.asOfPosition == (try await fixture.store.head()))
      #expect(try await strict.lines(account, .named("2026-06")).source == .batch)
      #expect(try await strict.monthOverview(.named("2026-06")).source == .batch)
      #expect(
        try await strict.bill(account, .named("2026-06"), source: .preAggregated).first?.source
          == .preAggregated)
    }
  }

  @Test("after the subscription has failed the log answers, until it has succeeded again")
  func failed() async throws {
    try await withBilling { fixture in
      try await fixture.confirm(Self.order(1))
      try await fixture.catchUp()
      try await fixture.pool.execute("update aisle.checkpoints set last_error = 'it broke'")
      #expect(try await fixture.bill("a", "2026-06", source: .automatic).map(\.source) == [.batch])
      try await fixture.confirm(Self.order(2))
      try await fixture.catchUp()
      #expect(try await fixture.bill("a", "2026-06", source: .automatic).map(\.source) == [.preAggregated])
    }
  }

  @Test("while the tables are rebuilt the log answers, and no account event is written twice")
  func rebuilding() async throws {
    try await withBilling { fixture in
      for id in 1...20 { try await fixture.confirm(Self.order(id)) }
      try await fixture.catchUp()
      let tables = try await fixture.tables()
      let head = try await fixture.store.head()
      try await fixture.billing.rebuild()
      #expect(try await fixture.bill("a", "2026-06", source: .automatic).map(\.source) == [.batch])
      #expect(try await fixture.bill("a", "2026-06", source: .automatic).map(\.gross.minorUnits) == [2000])
      try await fixture.catchUp()
      #expect(try await fixture.bill("a", "2026-06", source: .automatic).map(\.source) == [.preAggregated])
      #expect(try await fixture.tables() == tables)
      #expect(try await fixture.store.head() == head)
    }
  }

  @Test("an account that nobody opened or billed is not found; a known one has no bill in an empty month")
  func unknownAccount() async throws {
    try await withBilling { fixture in
      try await fixture.open("known", in: "UTC")
      try await fixture.confirm(Self.order(1, account: "billed"))
      try await fixture.catchUp()
      for source in BillSource.allCases {
        #expect(try await fixture.bill("known", "2026-01", source: source).isEmpty)
        #expect(try await fixture.bill("billed", "2026-01", source: source).isEmpty)
        await #expect {
          try await fixture.bill("nobody", "2026-01", source: source)
        } throws: { error in
          guard case ServiceError.notFound(kind: "account", id: "nobody") = error else { return false }
          return true
        }
      }
    }
  }

  @Test("pages of lines and of a month's bills join without gap or overlap, from both sources")
  func pages() async throws {
    try await withBilling { fixture in
      for id in 1...23 { try await fixture.confirm(Self.order(id, account: "a\(id % 7)", amount: Int64(id))) }
      for id in 24...40 { try await fixture.confirm(Self.order(id, account: "long", amount: Int64(id))) }
      try await fixture.catchUp()
      let month = try Month.named("2026-06")
      for source in [BillSource.preAggregated, .batch] {
        var bills: [Bill] = []
        var afterBill: MonthOverview.Cursor?
        repeat {
          let page = try await fixture.billing.monthOverview(
            month, source: source, after: afterBill, limit: 3)
          #expect(page.bills.count <= 3)
          bills += page.bills
          afterBill = page.next.flatMap { MonthOverview.Cursor($0.description) }
        } while afterBill != nil
        #expect(bills.map(\.accountID.rawValue) == ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "long"])
        #expect(bills.reduce(0) { $0 + $1.gross.minorUnits } == 40 * 41 / 2)

        var lines: [BillLine] = []
        var afterLine: BillLine.Cursor?
        repeat {
          let page = try await fixture.billing.lines(
            AccountID(unchecked: "long"), month, source: source, after: afterLine, limit: 4)
          #expect(page.lines.count <= 4)
          lines += page.lines
          afterLine = page.next.flatMap { BillLine.Cursor($0.description) }
        } while afterLine != nil
        #expect(lines.map(\.amount.minorUnits) == Array(24...40))
      }
    }
  }

  @Test(
    "a text that is no cursor is refused", arguments: ["", "a", "a/EUR/b", "a/XXX", "/EUR", "1:2:3", "x:1"])
  func cursors(text: String) {
    #expect(MonthOverview.Cursor(text) == nil)
    #expect(BillLine.Cursor(text) == nil)
  }

  @Test(
    "totals that no 64 bits hold stop the subscription with an error, and nothing of the batch is written")
  func overflow() async throws {
    try await withBilling { fixture in
      try await fixture.confirm(Self.order(1, amount: .max))
      try await fixture.catchUp()
      let tables = try await fixture.tables()
      let events = try await fixture.accountEvents().count
      try await fixture.confirm(Self.order(2, amount: 1))
      await #expect(throws: MoneyError.overflow) { try await fixture.catchUp() }
      #expect(try await fixture.tables() == tables)
      #expect(try await fixture.accountEvents().count == events)
      await #expect(throws: ServiceError.self) { try await fixture.bill("a", "2026-06", source: .batch) }
    }
  }
}

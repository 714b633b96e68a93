import Billing
import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@testable import Services

/// Random histories in which months close at random positions and events come late.
@Suite("Bills after months have closed")
struct BillingAdjustmentTests {
  private static let first = BillingEqualityTests.first
  private static let last = BillingEqualityTests.last
  /// Everything of a history is over.
  private static let now = Timestamp(rfc3339: "2027-06-01T00:00:00Z") ?? Timestamp(microseconds: 0)

  @Test(
    "tables and log agree at every position looked at, closed bills keep their bytes, and nothing is lost",
    arguments: [1, 2, UInt64.random(in: 3 ... .max)])
  func liveEqualsBatch(seed: UInt64) async throws {
    let first = try #require(Self.first)
    let last = try #require(Self.last)
    try await withBilling(at: Self.now) { fixture in
      var history = BillingHistory(seed: seed)
      var numbers = SeededNumbers(seed: seed &+ 1)
      var frozen: [String: String] = [:]
      var invoices = 0
      for _ in 1...5 {
        try await fixture.play(history.steps(45))
        // With tables that are up to date, and with tables that lag behind the close.
        if Bool.random(using: &numbers) { try await fixture.catchUp() }
        for _ in 1...4 {
          var month = first
          for _ in 0..<Int.random(in: 0...15, using: &numbers) { month = month.next }
          let account = BillingHistory.accounts[
            Int.random(in: 0..<BillingHistory.accounts.count, using: &numbers)]
          let known = try await fixture.store.version(
            of: .account(AccountID(unchecked: account.name)))
          let one = Bool.random(using: &numbers) && known > 0
          let closing = try await fixture.billing.close(
            month, account: one ? AccountID(unchecked: account.name) : nil)
          #expect(closing.failures == [], "seed \(seed)")
          invoices += closing.closedCount
          try await fixture.play(history.steps(5))
        }
        let position = try await fixture.catchUp()
        try await compare(fixture, at: position, &frozen, seed)
      }
      #expect(invoices > 20, "seed \(seed): the history is too thin to prove anything")
      try await fixture.expectGapless(invoices, seed)
      let adjustments = try await fixture.pool.query(
        "select count(*) from aisle.billing_lines where corrects is not null")
      let count = try #require(adjustments.first).decode(Int.self)
      #expect(count > 20, "seed \(seed): nothing came late")
      try await expectAllBilledOnce(fixture, seed)

      // Anew, in batches of another size.
      let tables = try await fixture.tables()
      let events = try await fixture.accountEvents().map(\.data)
      try await fixture.billing.rebuild()
      let size = Int.random(in: 1...40, using: &numbers)
      try await fixture.catchUp(BillingProjection(store: fixture.store).subscription(batchSize: size))
      let rebuilt = try await fixture.tables()
      #expect(rebuilt == tables, "seed \(seed), batches of \(size)")
      let kept = try await fixture.accountEvents().map(\.data)
      #expect(kept == events, "seed \(seed), batches of \(size)")

      // The release before asks this function; it finds the same lines.
      let differing = try await fixture.pool.query(
        """
        select count(*)
        from aisle.billed_lines(1, null, \(first.description), \(last.description), \(Int64.max / 2)) b
        full join (select * from aisle.billing_lines l where l.tenant = 1) l
          on l.account_id = b.account_id and l.month = b.month and l.position = b.position and l.line_no = b.line_no
        where l.tenant is null or b.position is null
        """)
      let difference = try #require(differing.first).decode(Int.self)
      #expect(difference == 0, "seed \(seed)")
    }
  }

  @Test(
    "tables and log agree to the byte at every single position of a history of orders, refunds, moves and closes",
    arguments: [5, UInt64.random(in: 6 ... .max)])
  func everyPosition(seed: UInt64) async throws {
    let first = try #require(Self.first)
    let last = try #require(Self.last)
    try await withBilling(at: Self.now) { fixture in
      var history = BillingHistory(seed: seed)
      var numbers = SeededNumbers(seed: seed &+ 1)
      var frozen: [String: String] = [:]
      var invoices = 0
      for step in 1...60 {
        try await fixture.play(history.steps(1))
        if step > 15, step.isMultiple(of: 5) {
          var month = first
          for _ in 0..<Int.random(in: 0...15, using: &numbers) { month = month.next }
          invoices += try await fixture.billing.close(month).closedCount
        }
        let position = try await fixture.catchUp()
        try await compareBills(fixture, at: position, &frozen, seed)
      }
      #expect(invoices > 3, "seed \(seed): the history is too thin to prove anything")
      for month in sequence(first: first, next: { $0 < last ? $0.next : nil }) {
        let result = try await fixture.billing.reconcile(month)
        #expect(result.differences.map(\.description) == [], "seed \(seed), \(month)")
      }
      try await expectAllBilledOnce(fixture, seed)
    }
  }

  private func compare(
    _ fixture: BillingFixture, at position: Position, _ frozen: inout [String: String], _ seed: UInt64
  ) async throws {
    let first = try #require(Self.first)
    let last = try #require(Self.last)
    try await compareBills(fixture, at: position, &frozen, seed)
    for month in sequence(first: first, next: { $0 < last ? $0.next : nil }) {
      let result = try await fixture.billing.reconcile(month)
      #expect(result.differences.map(\.description) == [], "seed \(seed), \(month)")
    }
  }

  private func compareBills(
    _ fixture: BillingFixture, at position: Position, _ frozen: inout [String: String], _ seed: UInt64
  ) async throws {
    let first = try #require(Self.first)
    let last = try #require(Self.last)
    for account in BillingHistory.accounts.map({ AccountID(unchecked: $0.name) }) {
      let live = try await fixture.billing.tables.bills(of: account, from: first, to: last)
      let batch = try await fixture.billing.batch.bills(
        of: account, from: first, to: last, asOf: live.progress.position)
      #expect(live.progress.position == position, "seed \(seed)")
      let texts = (try live.rows.map { try $0.bytes() }, try batch.rows.map { try $0.bytes() })
      #expect(texts.0 == texts.1, "seed \(seed), \(account)")
      let closed = live.rows.filter { $0.status == .closed }
      let invoices =
        closed.isEmpty
        ? [] : try await fixture.billing.invoices(of: account, limit: BillingService.maximumPage)
      for bill in closed {
        // What the invoice says is what the lines say, for ever.
        let invoice = try #require(invoices.first { $0.invoiceNumber == bill.invoiceNumber })
        #expect(invoice.digest == bill.digest && invoice.due == bill.due, "seed \(seed), \(bill)")
        #expect(invoice.tax == bill.tax && invoice.lines == bill.lines, "seed \(seed), \(bill)")
        let key = "\(bill.accountID) \(bill.month) \(bill.currency)"
        let text = try bill.bytes()
        #expect(frozen[key, default: text] == text, "seed \(seed)")
        frozen[key] = text
      }
    }
  }

  /// Whatever is closed when, each line of the log is on one bill.
  private func expectAllBilledOnce(_ fixture: BillingFixture, _ seed: UInt64) async throws {
    let rows = try await fixture.pool.query(
      """
      select count(*) filter (where b.position is null), count(*) filter (where l.position is null), count(*)
      from (
        select e.position, g.n
        from aisle.events e
        cross join lateral generate_series(1, jsonb_array_length(e.data -> 'lines')) g (n)
        where e.tenant = 1 and e.type in ('order-confirmed', 'order-seats-cancelled', 'order-cancelled')
      ) l
      full join (select * from aisle.billing_lines where tenant = 1) b
        on b.position = l.position and b.line_no = l.n
      """)
    let (unbilled, invented, all) = try #require(rows.first).decode(Int.self, Int.self, Int.self)
    #expect(unbilled == 0 && invented == 0 && all > 50, "seed \(seed)")
  }
}

extension Bill {
  /// As clients see it, but for where it comes from.
  fileprivate func bytes() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
      .replacing(#""source":"pre-aggregated""#, with: #""source":"batch""#)
  }
}

extension BillingFixture {
  fileprivate func expectGapless(_ count: Int, _ seed: UInt64) async throws {
    let numbers = try await invoiceNumbers()
    #expect(
      numbers
        == (1...count).map { DocumentNumber(series: .invoice, year: 2027, ordinal: Int64($0)).description },
      "seed \(seed)")
  }
}

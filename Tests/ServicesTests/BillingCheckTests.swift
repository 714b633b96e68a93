import Billing
import EventStore
import Logging
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@testable import Services

@Suite("Tables of bills that are not what they should be")
struct BillingCheckTests {
  private func order(_ id: String, _ month: String = "2026-10") throws -> BilledOrder {
    BilledOrder(
      id: id, account: "ann", at: try .at("\(month)-20T12:00:00Z"), seats: [(amount: 1070, rate: 700)])
  }

  private static let ann = AccountID(unchecked: "ann")

  private func sources(_ billing: BillingService) async throws -> Set<Bill.Source> {
    let october = try Month.named("2026-10")
    return [
      try await billing.bill(Self.ann, october).first?.source ?? .preAggregated,
      try await billing.lines(Self.ann, october).source, try await billing.monthOverview(october).source,
    ]
  }

  @Test("once a comparison has found a difference the log answers, until a comparison finds none")
  func found() async throws {
    try await withBilling { fixture in
      try await fixture.confirm(order("o-1"))
      try await fixture.confirm(order("o-2", "2026-11"))
      try await fixture.catchUp()
      let (billing, october) = (fixture.billing, try Month.named("2026-10"))
      let sound = try await billing.reconcile(october)
      #expect(sound.isEqual)
      #expect(try await sources(billing) == [.preAggregated])
      try await fixture.pool.execute(
        "update aisle.billing_lines set seat = 'Z-9' where tenant = 1 and month = '2026-10'")
      let broken = try await billing.reconcile(october)
      #expect(broken.differenceCount == 1)
      #expect(try await sources(billing) == [.batch])
      #expect(try await billing.checks().differences == 1)
      #expect(billing.metrics.counts.fallbacks == [.checksum: 3])
      // Other months are not concerned, and who asks for the tables gets them.
      let november = try await billing.bill(Self.ann, october.next).map(\.source)
      #expect(november == [.preAggregated])
      let wanted = try await billing.bill(Self.ann, october, source: .preAggregated).map(\.source)
      #expect(wanted == [.preAggregated])

      try await fixture.pool.execute(
        "update aisle.billing_lines set seat = 'A-1' where tenant = 1 and month = '2026-10'")
      let mended = try await billing.reconcile(october)
      #expect(mended.isEqual)
      #expect(try await sources(billing) == [.preAggregated])
      // A month in which there is nothing leaves no trace.
      _ = try await billing.reconcile(.named("1999-01"))
      #expect(try await billing.checks().months == 1)
    }
  }

  @Test("a rebuild forgets what was found about the tables that were there before")
  func rebuilt() async throws {
    try await withBilling { fixture in
      try await fixture.confirm(order("o-1"))
      try await fixture.catchUp()
      try await fixture.pool.execute("update aisle.billing_months set tax = 0 where tenant = 1")
      _ = try await fixture.billing.reconcile(.named("2026-10"))
      #expect(try await sources(fixture.billing) == [.batch])
      try await fixture.billing.rebuild()
      try await fixture.catchUp()
      #expect(try await sources(fixture.billing) == [.preAggregated])
    }
  }

  @Test("tables that contradict an invoice are not believed for a moment")
  func invoice() async throws {
    try await withBilling(at: .at("2026-11-02T12:00:00Z")) { fixture in
      try await fixture.confirm(order("o-1"))
      try await fixture.catchUp()
      _ = try await fixture.billing.close(.named("2026-10"))
      try await fixture.catchUp()
      #expect(try await sources(fixture.billing) == [.preAggregated])
      // As a process would that knows nothing of closed months.
      try await fixture.pool.execute(
        "update aisle.billing_months set gross = gross + 1, digest = sha256(digest) where tenant = 1")
      #expect(try await sources(fixture.billing) == [.batch])
      #expect(fixture.billing.metrics.counts.fallbacks == [.checksum: 3])
      let bill = try #require(try await fixture.billing.bill(Self.ann, .named("2026-10")).first)
      #expect(bill.gross == Money(1070, .eur) && bill.status == .closed)
    }
  }

  // MARK: From time to time

  @Test(
    "what has changed or was found wrong is compared first, and of the rest one at a time, the oldest first")
  func due() async throws {
    try await withBilling { fixture in
      let checks = BillingChecks(store: fixture.store)
      let watch = BillingWatch(billing: fixture.billing, interval: .seconds(3600), logger: .silent)
      for month in ["2026-08", "2026-09", "2026-10"] { try await fixture.confirm(order("o-\(month)", month)) }
      try await fixture.catchUp()
      func due() async throws -> [String] { try await checks.due(limit: 24).map(\.description) }
      #expect(try await Set(due()) == ["2026-08", "2026-09", "2026-10"])
      try await watch.look()
      let oldest = try await due()
      #expect(oldest.count == 1)
      try await watch.look()
      #expect(try await due() != oldest)
      try await fixture.confirm(order("o-4", "2026-09"))
      try await fixture.pool.execute(
        "update aisle.billing_months set tax = 0 where tenant = 1 and month = '2026-08'")
      _ = try await fixture.billing.reconcile(.named("2026-08"))
      try await fixture.catchUp()
      #expect(try await due().prefix(2).sorted() == ["2026-08", "2026-09"])
      #expect(try await checks.due(limit: 1).count == 1)
    }
  }

  @Test("of many processes one compares in an interval")
  func claim() async throws {
    try await withBilling { fixture in
      let checks = BillingChecks(store: fixture.store)
      func winners() async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
          for _ in 1...8 { group.addTask { try await checks.claim(every: .seconds(3600)) } }
          return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
      }
      #expect(try await winners() == 1)
      #expect(try await winners() == 0)
      try await fixture.pool.execute(
        "update aisle.billing_schedule set due_at = now() - interval '1 second' where tenant = 1")
      #expect(try await winners() == 1)
    }
  }

  @Test("a process with the role billing compares by itself, if it is told how often")
  func runs() async throws {
    try await withBilling { fixture in
      try await fixture.confirm(order("o-1"))
      try await fixture.catchUp()
      try await fixture.pool.execute("update aisle.billing_months set tax = 0 where tenant = 1")
      let aisle = Aisle(pool: fixture.pool, comparesBills: .seconds(3600))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await aisle.run([.billing]) }
        defer { group.cancelAll() }
        _ = try await eventually("the month is compared") {
          try await fixture.billing.checks().differences
        } until: {
          $0 > 0
        }
      }
      #expect(try await sources(fixture.billing) == [.batch])
    }
  }
}

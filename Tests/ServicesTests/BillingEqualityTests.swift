import EventStore
import PostgreSQL
import Synchronization
import Testing
import Vocabulary

@testable import Services

/// What is pre-aggregated is what the log says.
@Suite struct BillingEqualityTests {
  static let first = Month(year: 2025, month: 11)
  static let last = Month(year: 2027, month: 2)

  @Test(
    "live and batch bills are equal to the minor unit and to the digest, at every position looked at",
    arguments: [1, 2, 3, UInt64.random(in: 4 ... .max)])
  func liveEqualsBatch(seed: UInt64) async throws {
    let first = try #require(Self.first)
    let last = try #require(Self.last)
    try await withBilling { fixture in
      var history = BillingHistory(seed: seed)
      var seen = 0
      for _ in 1...5 {
        try await fixture.play(history.steps(60))
        let position = try await fixture.catchUp()
        for account in BillingHistory.accounts.map({ AccountID(unchecked: $0.name) }) {
          let live = try await fixture.billing.tables.bills(of: account, from: first, to: last)
          let batch = try await fixture.billing.batch.bills(
            of: account, from: first, to: last, asOf: live.progress.position)
          #expect(live.progress.position == position, "seed \(seed)")
          #expect(live.rows.map(\.figures) == batch.rows.map(\.figures), "seed \(seed), \(account)")
          seen += live.rows.count
        }
        for month in sequence(first: first, next: { $0 < last ? $0.next : nil }) {
          let result = try await fixture.billing.reconcile(month)
          #expect(result.differences.map(\.description) == [], "seed \(seed), \(month)")
        }
      }
      #expect(seen > 100, "seed \(seed): the history is too thin to prove anything")
    }
  }

  @Test("an older position still has the bill it had", arguments: [11, 12])
  func olderPositions(seed: UInt64) async throws {
    let first = try #require(Self.first)
    let last = try #require(Self.last)
    try await withBilling { fixture in
      var history = BillingHistory(seed: seed)
      let rome = AccountID(unchecked: "rome")
      var snapshots: [(Position, [String])] = []
      for _ in 1...4 {
        try await fixture.play(history.steps(40))
        try await fixture.catchUp()
        let live = try await fixture.billing.tables.bills(of: rome, from: first, to: last)
        snapshots.append((live.progress.position, live.rows.map(\.figures)))
      }
      for (position, figures) in snapshots {
        let batch = try await fixture.billing.batch.bills(of: rome, from: first, to: last, asOf: position)
        #expect(batch.rows.map(\.figures) == figures, "seed \(seed), position \(position)")
      }
    }
  }

  @Test(
    "however the events are cut into batches, the tables and the account events are the same",
    arguments: [21, 22])
  func batchSizes(seed: UInt64) async throws {
    try await withBilling { fixture in
      var history = BillingHistory(seed: seed)
      try await fixture.play(history.steps(150))
      try await fixture.catchUp()
      let tables = try await fixture.tables()
      let events = try await fixture.accountEvents().map(\.data)
      var numbers = SeededNumbers(seed: seed)
      for _ in 1...3 {
        try await fixture.billing.rebuild()
        #expect(try await fixture.tables().isEmpty)
        let size = Int.random(in: 1...40, using: &numbers)
        try await fixture.catchUp(BillingProjection(store: fixture.store).subscription(batchSize: size))
        #expect(try await fixture.tables() == tables, "seed \(seed), batches of \(size)")
        #expect(try await fixture.accountEvents().map(\.data) == events, "seed \(seed), batches of \(size)")
      }
    }
  }

  @Test("every event delivered again, in one batch or one by one, changes nothing")
  func redelivery() async throws {
    try await withBilling { fixture in
      var history = BillingHistory(seed: 31)
      try await fixture.play(history.steps(120))
      try await fixture.catchUp()
      let tables = try await fixture.tables()
      let accountEvents = try await fixture.accountEvents().count
      let events = try await fixture.orderEvents()
      try await fixture.pool.transaction { try await fixture.billing.subscription.apply(events, on: $0) }
      for event in events {
        try await fixture.pool.transaction { try await fixture.billing.subscription.apply([event], on: $0) }
      }
      #expect(try await fixture.tables() == tables)
      #expect(try await fixture.accountEvents().count == accountEvents)
    }
  }

  @Test("a crash after a batch's writes leaves nothing of it, and the next try gives the same tables")
  func crashBeforeCommit() async throws {
    struct Crash: Error {}
    try await withBilling { fixture in
      var history = BillingHistory(seed: 41)
      try await fixture.play(history.steps(100))
      let whole = BillingProjection(store: fixture.store).subscription(batchSize: 7)
      let crashes = Countdown(from: 3)
      let crashing = Subscription(
        whole.name, categories: whole.categories, types: whole.types, batchSize: whole.batchSize,
        commitsDurably: true
      ) { events, connection in
        try await whole.apply(events, on: connection)
        if crashes.isOver() { throw Crash() }
      }
      await #expect(throws: Crash.self) { try await fixture.catchUp(crashing) }
      let committed = try await fixture.accountEvents().count
      #expect(committed > 0)
      let checkpoint = try await fixture.store.checkpoint(of: whole.name)
      #expect(try await fixture.orderEvents().prefix { $0.position <= checkpoint }.count == 14)
      try await fixture.catchUp()
      let tables = try await fixture.tables()
      #expect(try await fixture.accountEvents().count > committed)

      try await fixture.billing.rebuild()
      try await fixture.catchUp()
      #expect(try await fixture.tables() == tables)
      let months = try await fixture.pool.query("select distinct month from aisle.billing_months order by 1")
      for month in try months.map({ try Month.named($0.decode(String.self)) }) {
        #expect(try await fixture.billing.reconcile(month).isEqual)
      }
    }
  }
}

/// Over from the n-th question on.
private final class Countdown: Sendable {
  private let left: Mutex<Int>
  init(from count: Int) { left = Mutex(count) }

  func isOver() -> Bool {
    left.withLock { left in
      left -= 1
      return left <= 0
    }
  }
}

extension Bill {
  /// All that live and batch must agree on.
  var figures: String {
    "\(accountID) \(month) \(currency) \(gross) \(tax) \(refunds) \(net) \(due) \(lines) \(timeZone) \(digest)"
  }
}

import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@testable import Services

@Suite("Rebuilding the shipped projections", .timeLimit(.minutes(10)))
struct RebuildTests {
  private static let tables = [
    "shows": ["shows", "taken_seats", "holds"], "orders": ["orders"],
    "billing": ["billing_months", "billing_lines"],
  ]

  private func contents(_ table: String, _ pool: PostgresPool) async throws -> [String] {
    try await pool.query(SQL("select t::text from aisle.\(table) t order by 1", [])).map {
      try $0.decode(String.self)
    }
  }

  /// Shows with seats that are held, booked, cancelled and free.
  private func sell(_ fixture: ServicesFixture) async throws {
    for number in 0..<4 {
      let show = try await fixture.schedule("show\(number)", seats: 9)
      for seat in 1...7 {
        let hold = try await fixture.hold(["A-\(seat)"], of: show, by: "b\(seat)")
        guard seat < 6 else { continue }
        let order = "o-\(number)-\(seat)"
        _ = try await fixture.place(order, for: hold, account: "acc-\(seat % 2)")
        if seat == 5 { _ = try await fixture.aisle.ordering.cancel(OrderID(unchecked: order)) }
      }
    }
    try await fixture.aisle.catchUp()
  }

  /// As the owner of the tables, who alone may make copies of them.
  private func rebuild(
    _ name: String, _ fixture: ServicesFixture
  ) async throws -> (tables: [String], outcome: [String]) {
    try await withPool(fixture.conninfo) { pool in
      let aisle = Aisle(pool: pool, time: fixture.clock.source, logger: .silent)
      let subscription = try #require(
        aisle.subscriptions(of: Set(Aisle.Role.allCases)).first { $0.name == name })
      let outcome = try await ProjectionRebuild(subscription, of: aisle.store).run()
      let touched = [("added", outcome.added), ("changed", outcome.changed), ("removed", outcome.removed)]
      return (subscription.tables, touched.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" })
    }
  }

  @Test(
    "a rebuilt projection is as it was, to the digest; damaged rows are mended; nothing is appended meanwhile",
    arguments: ["shows", "orders", "billing"])
  func equal(name: String) async throws {
    try await ServicesFixture.with { fixture in
      try await sell(fixture)
      let pool = fixture.pool
      let tables = try #require(Self.tables[name])
      var before: [[String]] = []
      for table in tables { before.append(try await contents(table, pool)) }
      #expect(before.allSatisfy { !$0.isEmpty })
      let head = try await fixture.aisle.store.head()

      // Nothing to mend: no row is touched
      let untouched = try await rebuild(name, fixture)
      #expect(untouched.tables == tables)
      #expect(untouched.outcome.isEmpty)

      // Damaged
      for table in tables {
        try await pool.execute(
          SQL("delete from aisle.\(table) where ctid in (select ctid from aisle.\(table) limit 2)", []))
      }
      _ = try await rebuild(name, fixture)
      for (table, rows) in zip(tables, before) {
        #expect(try await contents(table, pool) == rows, "\(table)")
      }
      #expect(try await fixture.aisle.store.head() == head)
      // And it goes on
      try await fixture.schedule("later", seats: 2)
      try await fixture.aisle.catchUp()
      #expect(try await fixture.aisle.store.subscriptions().allSatisfy { !$0.needsAttention })
    }
  }

  @Test("read models in several partitions are the same as in one")
  func partitioned() async throws {
    try await ServicesFixture.with { fixture in
      let aisle = Aisle(
        pool: fixture.pool, time: fixture.clock.source, partitions: ["shows": 3, "orders": 2, "billing": 5],
        logger: .silent)
      let running = Task { await aisle.run() }
      try await sell(fixture)
      let head = try await aisle.store.head()
      for name in ["shows", "orders"] {
        try await aisle.store.wait(for: name, toReach: head, timeout: .seconds(60))
      }
      running.cancel()
      await running.value
      try await aisle.catchUp()
      let partitions = try await aisle.store.subscriptions().map { "\($0.name) \($0.partitions.count)" }
      #expect(
        partitions == [
          "billing 1", "cancellations 1", "cancelled-shows 1", "orders 2", "payments 1", "shows 3",
        ])
      for name in ["shows", "orders"] {
        let outcome = try await rebuild(name, fixture).outcome
        #expect(outcome.isEmpty)
      }
    }
  }
}

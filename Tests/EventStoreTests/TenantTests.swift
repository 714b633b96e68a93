import EventStore
import TestSupport
import Testing
import Vocabulary

@Suite("Tenants")
struct TenantTests {
  /// Two tenants on one pool.
  private func withTenants(_ body: (EventStore, EventStore) async throws -> Void) async throws {
    try await withStore { store in
      try await store.pool.execute("insert into aisle.log_head (tenant) values (2)")
      try await body(store, EventStore(pool: store.pool, tenant: TenantID(2), logger: .silent))
    }
  }

  @Test("each tenant has its own positions, versions and streams, although the names are the same")
  func separateLogs() async throws {
    try await withTenants { one, two in
      #expect(await one.outcome(of: stream("a"), .noStream, .happened(3)) == "committed test-a 3@3")
      #expect(await two.outcome(of: stream("a"), .noStream, .happened(2)) == "committed test-a 2@2")
      #expect(await one.outcome(of: stream("a"), .version(3), .happened(1)) == "committed test-a 4@4")
      try await #expect(one.audit().count == 4)
      try await #expect(two.audit().count == 2)
      try await #expect(one.logID() != two.logID())
    }
  }

  @Test("no way of reading shows a tenant the events of another")
  func unseen() async throws {
    try await withTenants { one, two in
      try await one.append(to: stream("a"), expecting: .noStream, .happened(3))
      try await #expect(two.read(stream("a")).isEmpty)
      try await #expect(two.read(stream("a"), direction: .backward).isEmpty)
      try await #expect(two.version(of: stream("a")) == 0)
      try await #expect(two.readAll(after: .start).isEmpty)
      try await #expect(two.readAll(after: .start, categories: ["test"]).isEmpty)
      try await #expect(two.readAll(after: .start, types: ["happened"]).isEmpty)
      try await #expect(two.head() == .start)
      try await two.export(after: .start, through: Position(10)) { events in #expect(events.isEmpty) }
    }
  }

  @Test("an event id that one tenant has used is free for another")
  func eventIDs() async throws {
    try await withTenants { one, two in
      let events: [NewEvent] = .happened(2)
      #expect(await one.outcome(of: stream("a"), .noStream, events) == "committed test-a 2@2")
      #expect(await two.outcome(of: stream("b"), .noStream, events) == "committed test-b 2@2")
    }
  }

  @Test("subscriptions of the same name move apart")
  func subscriptions() async throws {
    try await withTenants { one, two in
      try await one.append(to: stream("a"), expecting: .noStream, .happened(3))
      try await two.append(to: stream("a"), expecting: .noStream, .happened(1))
      let seen = Shared<[Int64]>([])
      let subscription = Subscription("count") { events, _ in
        seen.update { $0 += events.map(\.position.rawValue) }
      }
      try await SubscriptionRunner(subscription, of: two).catchUp()
      #expect(seen.value == [1])
      try await #expect(one.checkpoint(of: "count") == .start)
      try await #expect(two.checkpoint(of: "count") == Position(1))
    }
  }

  @Test("a tenant whose log is locked does not keep another from writing")
  func independence() async throws {
    try await withTenants { one, two in
      try await one.holdingTheLog {
        #expect(await two.outcome(of: stream("a"), .noStream, [.happened()]) == "committed test-a 1@1")
      }
    }
  }
}

import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite("aisle projections", .timeLimit(.minutes(3)))
struct ProjectionsCommandTests {
  /// A database in which the second of three events of one order cannot be handled by the subscription `orders`.
  private func withParkedOrder(_ body: (AisleProgram, EventStore) async throws -> Void) async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(conninfo) { pool in
        let store = EventStore(pool: pool, logger: .silent)
        let order = StreamName(category: "order", id: "o-1")
        func event(_ text: String) -> NewEvent { NewEvent(type: "order-misread", data: Array(text.utf8)) }
        try await store.append(to: order, expecting: .any, [event("1"), event("2")])
        try await SubscriptionRunner(Subscription("orders") { _, _ in }, of: store).catchUp()
        try await pool.execute(
          """
          insert into aisle.parked_streams (tenant, subscription, stream, error, attempts)
          values (1, 'orders', 'order-o-1', 'it cannot be read', 5)
          """)
        try await pool.execute(
          """
          insert into aisle.parked_events (tenant, subscription, position, stream, event_id, type)
          select 1, 'orders', position, 'order-o-1', id, type from aisle.events
          """)
        try await body(AisleProgram(database: conninfo), store)
      }
    }
  }

  @Test("what is parked is listed and is an alarm; a retry that fails says why; what is skipped stays listed")
  func parked() async throws {
    try await withParkedOrder { aisle, store in
      let list = try await aisle.run("projections", "list", "--json")
      #expect(list.status == 1 && list.errors.contains("2 parked events in 1 streams"))
      #expect(list.output.contains("\"parked_events\" : 2") || list.output.contains("\"parked_events\":2"))
      let parked = try await aisle.run("projections", "parked", "orders")
      #expect(parked.status == 0 && parked.output.contains("it cannot be read"))
      #expect(parked.output.contains("waits for the one before it"))

      let retry = try await aisle.run("projections", "retry", "orders", "--stream", "order-o-1")
      #expect(retry.status == 1 && retry.errors.contains("order-o-1 stays parked: position 1 failed with"))
      #expect(retry.errors.contains("order-misread"))

      let wrong = try await aisle.run(
        "projections", "skip", "orders", "--stream", "order-o-1", "--position", "2", "--by", "ada")
      #expect(wrong.status == 1 && wrong.errors.contains("position 1 is"))
      for position in ["1", "2"] {
        let skip = try await aisle.run(
          "projections", "skip", "orders", "--stream", "order-o-1", "--position", position, "--by", "ada")
        #expect(skip.status == 0, "\(skip.errors)")
      }
      let skipped = try await aisle.run("projections", "parked", "--json")
      #expect(skipped.output.contains("ada") && skipped.output.contains("skipped_at"))
      #expect(try await aisle.run("projections", "list").status == 0)
    }
  }

  @Test("mistakes are told with what there is")
  func mistakes() async throws {
    try await withParkedOrder { aisle, _ in
      let unknown = try await aisle.run("projections", "retry", "order")
      #expect(unknown.status == 1)
      #expect(
        unknown.errors.contains(
          "there is no subscription order; there are billing, cancellations, cancelled-shows, orders, payments, shows"
        ))
      let stream = try await aisle.run("projections", "retry", "orders", "--stream", "order-o-2")
      #expect(stream.status == 1 && stream.errors.contains("order-o-2 is not parked"))
      let effect = try await aisle.run("projections", "rebuild", "cancellations")
      #expect(effect.status == 1 && effect.errors.contains("--repeat-effects"))
    }
  }

  @Test("one that nobody runs although it is behind is an alarm")
  func unowned() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(conninfo) { pool in
        let store = EventStore(pool: pool, logger: .silent)
        try await store.append(
          to: StreamName(category: "order", id: "o-1"), expecting: .any,
          [NewEvent(type: "x", data: Array("1".utf8))])
        try await pool.execute(
          """
          insert into aisle.checkpoints (tenant, subscription, followed_at, epoch, updated_at)
          values (1, 'orders', 'epoch', 3, 'epoch')
          """)
        let list = try await AisleProgram(database: conninfo).run("projections", "list")
        #expect(list.status == 1)
        #expect(list.errors.contains("nobody runs orders, and it is 1 positions behind"))
      }
    }
  }

  @Test("rebuild fills the tables again and says what was different")
  func rebuild() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(conninfo) { pool in
        try await pool.execute(
          """
          insert into aisle.shows
          values (1, 'phantom', 'Phantom', now(), 'EUR', 0, 0, 0, '[]', now(), 1, 1)
          """)
        let rebuild = try await AisleProgram(database: conninfo).run(
          "projections", "rebuild", "shows", "--json")
        #expect(rebuild.status == 0, "\(rebuild.errors)")
        #expect(rebuild.output.contains("\"removed\" : 1") || rebuild.output.contains("\"removed\":1"))
        let left = try await pool.query("select count(*) from aisle.shows").first?.decode(Int.self)
        #expect(left == 0)
      }
    }
  }
}

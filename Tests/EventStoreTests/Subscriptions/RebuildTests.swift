import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("Rebuilding a projection", .timeLimit(.minutes(2)))
struct RebuildTests {
  private struct Broken: Error, CustomStringConvertible { let description = "the handler is broken" }

  /// Counts the events of each stream in `aisle.tallies`, `factor` for each.
  private func tally(
    factor: Int64 = 1, partitions: Int = 1, batchSize: Int = 50, onPoison: Subscription.PoisonPolicy = .stop,
    before: @escaping @Sendable ([RecordedEvent]) async throws -> Void = { _ in }
  ) -> Subscription {
    Subscription(
      "tally", batchSize: batchSize, partitions: partitions, onPoison: onPoison, tables: ["tallies"]
    ) {
      events, connection in
      try await before(events)
      for (stream, events) in Dictionary(grouping: events, by: \.stream.description).sorted(by: {
        $0.key < $1.key
      }) {
        try await connection.execute(
          """
          insert into tallies as t (tenant, stream, count, last)
          values (1, \(stream), \(factor * Int64(events.count)), \(events.last?.position.rawValue ?? 0))
          on conflict (tenant, stream) do update set count = t.count + excluded.count, last = excluded.last
          """)
      }
    }
  }

  private func withTallies(_ body: ([EventStore]) async throws -> Void) async throws {
    try await withStores(3) { stores in
      try await stores[0].pool.withConnection {
        try await $0.executeScript(
          """
          create table aisle.tallies (
            tenant integer not null, stream text not null, count bigint not null check (count > 0), last bigint not null,
            primary key (tenant, stream));
          create index tallies_by_count on aisle.tallies (tenant, count);
          comment on table aisle.tallies is 'Tallies.';
          grant select on aisle.tallies to public;
          alter table aisle.tallies enable row level security;
          create policy everybody on aisle.tallies using (true);
          insert into aisle.tallies values (2, 'of another tenant', 7, 7);
          """)
      }
      try await body(stores)
    }
  }

  private func fill(_ store: EventStore, _ count: Int) async throws {
    for number in 0..<count {
      try await store.append(to: stream("s\(number % 7)"), expecting: .any, .happened(2))
    }
  }

  private func tallies(_ store: EventStore) async throws -> [String] {
    try await store.pool.query(
      "select tenant || ' ' || stream || ' ' || count || ' ' || last from aisle.tallies order by 1"
    )
    .map { try $0.decode(String.self) }
  }

  /// What the tables must be, computed from the log.
  private func expected(_ store: EventStore) async throws -> [String] {
    let events = try await store.audit()
    let streams = Dictionary(grouping: events, by: \.stream)
    return
      (streams.map { "1 \($0.key) \($0.value.count) \($0.value.last?.position ?? 0)" } + [
        "2 of another tenant 7 7"
      ])
      .sorted()
  }

  /// Everything about the table that is not a row.
  private func structure(_ store: EventStore) async throws -> String {
    try await store.one(
      """
      select c.oid || ' ' || c.relacl::text || ' ' || c.relrowsecurity || ' ' || obj_description(c.oid) || ' '
             || (select string_agg(indexname, ',' order by indexname) from pg_indexes where tablename = 'tallies')
             || ' ' || (select string_agg(polname, ',') from pg_policy where polrelid = c.oid)
      from pg_class c where c.oid = 'aisle.tallies'::regclass
      """)
  }

  @Test(
    "readers see the old rows up to the swap and the right ones from then on, while workers follow and others append",
    arguments: [1, 3])
  func live(partitions: Int) async throws {
    try await withTallies { stores in
      try await fill(stores[0], 300)
      // Given tables that a broken release has filled
      try await SubscriptionRunner(tally(factor: 2, partitions: partitions), of: stores[0]).catchUp()
      try await stores[0].pool.execute("insert into aisle.tallies values (1, 'test-phantom', 1, 1)")
      try await stores[0].pool.execute("delete from aisle.tallies where stream = 'test-s3'")
      let structure = try await structure(stores[0])
      let worker = TestWorker([tally(partitions: partitions)], of: stores[1])
      let isOver = Shared(false)
      async let appending: Void = {
        while !isOver.value { try await fill(stores[2], 7) }
      }()
      let sawOld = Shared(false)
      // When it is rebuilt
      let outcome = try await ProjectionRebuild(tally(partitions: partitions), of: stores[0]).run { _ in
        let phantom = try? await stores[0].count(
          "select count(*) from aisle.tallies where stream = 'test-phantom'")
        if phantom == 1 { sawOld.update { $0 = true } }
      }
      isOver.update { $0 = true }
      try await appending
      // Then
      // The worker may have put the missing row back, with what was appended meanwhile; then it is changed, not added.
      #expect(sawOld.value && outcome.removed == 1 && outcome.added <= 1)
      #expect(outcome.added + outcome.changed >= 7)
      let head = try await stores[0].head()
      try await stores[0].wait(for: "tally", toReach: head, timeout: patience)
      await worker.end()
      try await #expect(tallies(stores[0]) == expected(stores[0]))
      try await #expect(self.structure(stores[0]) == structure)
      let leftovers = try await stores[0].count(
        "select count(*) from pg_namespace where nspname like 'aisle_rebuild%'")
      #expect(leftovers == 0)
      let status = try #require(try await stores[0].status(of: "tally"))
      #expect(status.rebuild == nil && status.partitions.allSatisfy { $0.generation == 2 })
    }
  }

  @Test("a rebuild that is killed goes on where it stopped")
  func resumed() async throws {
    try await withTallies { stores in
      try await fill(stores[0], 1500)
      try await SubscriptionRunner(tally(factor: 2), of: stores[0]).catchUp()
      // Given one that is killed half-way
      let replayed = Shared<[Int64]>([])
      let counting = tally(batchSize: 200) { events in
        if Replay.isActive { replayed.update { $0 += events.map(\.position.rawValue) } }
      }
      let rebuild = try ProjectionRebuild(counting, of: stores[1])
      let killed = Task {
        try await rebuild.run { progress in
          if progress.position >= Position(600) { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
      await #expect(throws: (any Error).self) { try await killed.value }
      let rebuilding = try #require(try await stores[0].status(of: "tally")?.rebuild)
      #expect(
        rebuilding.position >= Position(600) && rebuilding.position < Position(3000) && !rebuilding.isOwned)
      #expect(rebuilding.target == Position(3000))
      let phantomFree = try await tallies(stores[0])
      #expect(phantomFree.contains { $0.hasPrefix("1 test-s0 860 ") }, "the old tables serve")
      // When the command is run again
      try await ProjectionRebuild(counting, of: stores[2]).run()
      // Then each event was replayed once
      #expect(replayed.value == Array(1...3000))
      try await #expect(tallies(stores[0]) == expected(stores[0]))
    }
  }

  @Test("two rebuilds of the same projection at a time are refused")
  func exclusive() async throws {
    try await withTallies { stores in
      try await fill(stores[0], 10)
      try await SubscriptionRunner(tally(), of: stores[0]).catchUp()
      let mayGoOn = Shared(false)
      let slow = tally { _ in
        while Replay.isActive && !mayGoOn.value { try await Task.sleep(for: .milliseconds(5)) }
      }
      let first = Task { try await ProjectionRebuild(slow, of: stores[1]).run() }
      _ = try await eventually("it has begun", within: patience) {
        try await stores[0].status(of: "tally")?.rebuild?.isOwned == true
      } until: {
        $0
      }
      await #expect(throws: SubscriptionProblem.isRebuilding("tally")) {
        try await ProjectionRebuild(tally(), of: stores[2]).run()
      }
      mayGoOn.update { $0 = true }
      _ = try await first.value
    }
  }

  @Test("a replaying handler cannot append; one that tries leaves the old tables as they are")
  func gate() async throws {
    try await withTallies { stores in
      try await fill(stores[0], 5)
      let store = stores[0]
      let appends = tally { _ in
        guard Replay.isActive else { return }
        try await store.append(to: stream("forbidden"), expecting: .any, .happened(1))
      }
      try await SubscriptionRunner(appends, of: store).catchUp()
      let before = try await tallies(store)
      let error = await #expect(throws: AppendError.self) {
        try await ProjectionRebuild(appends, of: store).run()
      }
      #expect(error?.description.contains("nothing may be appended") == true)
      let inTransaction = Subscription("tally", tables: ["tallies"]) { _, connection in
        try await store.append(
          [[StreamAppend(stream("x"), expecting: .any, .happened(1))]], inTransactionOf: connection)
      }
      await #expect(throws: AppendError.self) {
        try await ProjectionRebuild(inTransaction, of: store).run(restarts: true)
      }
      try await #expect(store.head() == Position(10))
      try await #expect(tallies(store) == before)
    }
  }

  @Test("effects outside of the database are not rebuilt, nor is what names no tables")
  func refused() async throws {
    try await withStore { store in
      #expect(throws: SubscriptionProblem.noProjection("mails")) {
        try ProjectionRebuild(.effect("mails") { _ in }, of: store)
      }
      #expect(throws: SubscriptionProblem.declaresNoTables("x")) {
        try ProjectionRebuild(Subscription("x") { _, _ in }, of: store)
      }
    }
  }

  @Test("what a rebuild cannot handle is parked in its place; what an operator had skipped stays skipped")
  func parked() async throws {
    try await withTallies { stores in
      try await fill(stores[0], 14)
      let poison = Shared<Set<Int64>>([3])
      let picky = tally(onPoison: .park(after: 1)) { events in
        if events.contains(where: { poison.value.contains($0.position.rawValue) }) { throw Broken() }
      }
      // Given position 3 was parked and skipped
      try await whileRunning(picky, on: [stores[1]]) {
        try await stores[0].wait(for: "tally", toReach: Position(28), timeout: patience)
      }
      try await stores[0].skipParked(Position(3), of: "test-s1", in: "tally", by: "ada")
      _ = try await SubscriptionRunner(picky, of: stores[0]).retryParked()
      // When it is rebuilt by a handler that takes position 3, but not 5
      poison.update { $0 = [5] }
      let outcome = try await ProjectionRebuild(picky, of: stores[0]).run()
      // Then
      #expect(outcome.parkedStreams == 1)
      try await #expect(
        stores[0].parkedEvents(of: "tally").map { "\($0.position) \($0.skippedBy ?? "-")" } == [
          "3 ada", "5 -", "6 -", "19 -", "20 -",
        ])
      try await #expect(
        tallies(stores[0]).filter { $0.contains("s1 ") || $0.contains("s2 ") } == ["1 test-s1 3 18"])
      poison.update { $0 = [] }
      _ = try await SubscriptionRunner(picky, of: stores[0]).retryParked()
      try await #expect(tallies(stores[0]).filter { $0.contains("s2 ") } == ["1 test-s2 4 20"])
    }
  }

  @Test("a table that a migration has changed meanwhile is not swapped with an old copy")
  func migrated() async throws {
    try await withTallies { stores in
      try await fill(stores[0], 10)
      try await SubscriptionRunner(tally(), of: stores[0]).catchUp()
      let failing = tally { _ in if Replay.isActive { throw Broken() } }
      await #expect(throws: Broken.self) { try await ProjectionRebuild(failing, of: stores[0]).run() }
      try await stores[0].pool.execute("alter table aisle.tallies add column note text")
      let error = await #expect(throws: SubscriptionProblem.self) {
        try await ProjectionRebuild(tally(), of: stores[0]).run()
      }
      #expect(error?.description.contains("--restart") == true)
      try await ProjectionRebuild(tally(), of: stores[0]).run(restarts: true)
      try await #expect(tallies(stores[0]) == expected(stores[0]))
    }
  }

  @Test("a rebuild does not run ahead of the projection, whose own effects on the log would be lost")
  func notAhead() async throws {
    try await withTallies { stores in
      try await fill(stores[0], 10)
      try await SubscriptionRunner(tally(), of: stores[0]).catchUp()
      try await fill(stores[0], 10)
      let outcome = try await ProjectionRebuild(tally(), of: stores[0]).run()
      #expect(outcome.position == Position(20))
      try await SubscriptionRunner(tally(), of: stores[0]).catchUp()
      try await #expect(tallies(stores[0]) == expected(stores[0]))
    }
  }
}

import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("Partitions of a subscription", .timeLimit(.minutes(3)))
struct SubscriptionPartitionTests {
  private func subscription(_ partitions: Int, batchSize: Int = 7) -> Subscription {
    Subscription("effects", batchSize: batchSize, partitions: partitions) { events, connection in
      try await connection.takeEffect(events)
    }
  }

  @Test(
    "whatever is killed, joins and leaves: every event takes effect once, those of a stream in order",
    arguments: 1...4)
  func property(partitions: Int) async throws {
    var random = SeededRandom(for: "\(partitions) partitions under kills")
    try await withStores(4) { stores in
      try await stores[0].makeEffects()
      var running: [TestWorker?] = [nil, nil, nil]
      var total = 0
      for _ in 0..<10 {
        // Events come while somebody starts, leaves or is killed.
        let (count, seed) = (Int.random(in: 20...60, using: &random), random.next())
        async let appended: Int = append(count, seed: seed, to: stores[0])
        let slot = Int.random(in: 0..<3, using: &random)
        if let worker = running[slot] {
          await worker.end()
          try await stores[0].expireLeases(of: worker)
          running[slot] = nil
        } else {
          running[slot] = TestWorker(
            [subscription(partitions)], of: stores[slot + 1], isMortal: Bool.random(using: &random))
        }
        total += try await appended
        if running.contains(where: { $0 != nil }), Bool.random(using: &random) {
          try await stores[0].effects(total)
        }
      }
      let last = TestWorker([subscription(partitions)], of: stores[0])
      try await stores[0].effects(total)
      try await stores[0].wait(for: "effects", toReach: Position(Int64(total)), timeout: patience)
      for worker in running { await worker?.end() }
      await last.end()
      try await stores[0].requireExactlyOnce(stores[0].effects())
      let status = try #require(try await stores[0].status(of: "effects"))
      #expect(status.partitions.count == partitions && status.events == Int64(total) && status.lag == 0)
    }
  }

  private func append(_ count: Int, seed: UInt64, to store: EventStore) async throws -> Int {
    for number in 0..<count {
      let name = "s\((seed &+ UInt64(number) &* 7) % 11)"
      try await store.append(to: stream(name), expecting: .any, .happened(1))
    }
    return count
  }

  @Test("workers share the partitions, and share them anew when one joins and when one leaves")
  func rebalance() async throws {
    try await withStores(3) { stores in
      let first = TestWorker([subscription(4)], of: stores[1])
      func shares(_ expected: [Int]) async throws {
        _ = try await eventually("shares are \(expected)", within: patience) {
          try await stores[0].owners(of: "effects")
        } until: { owners in
          owners.count == 4 && owners.allSatisfy { $0 != nil }
            && Dictionary(grouping: owners, by: \.self).values.map(\.count).sorted() == expected
        }
      }
      try await shares([4])
      let second = TestWorker([subscription(4)], of: stores[2])
      try await shares([2, 2])
      await first.end()
      try await shares([4])
      await second.end()
      try await #expect(stores[0].owners(of: "effects") == [nil, nil, nil, nil])
      let left = try await stores[0].count("select count(*) from aisle.workers")
      #expect(left == 0)
    }
  }

  @Test("a stream's events are all in one partition, and all partitions together have the whole log")
  func division() async throws {
    try await withStore { store in
      for number in 0..<40 { try await store.append(to: stream("s\(number)"), expecting: .any, .happened(3)) }
      var all: [Int64] = []
      for index in 0..<4 {
        let scan = EventScan(.init(), Partition(subscription: "x", index: index, count: 4), of: store)
        let found = try await store.pool.withConnection {
          try await scan.read(after: .start, through: Position(120), limit: 1000, bytes: 1 << 20, on: $0)
        }
        let streams = Dictionary(grouping: found.events, by: \.stream.id)
        #expect(streams.values.allSatisfy { $0.count == 3 })
        #expect(streams.count > 2, "a share of 40 streams among 4 partitions")
        all += found.events.map(\.position.rawValue)
      }
      #expect(all.sorted() == Array(1...120))
    }
  }

  @Test("another number of partitions goes on where the old ones were: nothing twice, nothing left out")
  func divideAnew() async throws {
    try await withStore { store in
      try await store.makeEffects()
      var total = 0
      for partitions in [1, 3, 2, 1, 4] {
        total += try await append(30, seed: 5, to: store)
        let worker = TestWorker([subscription(partitions)], of: store)
        try await store.effects(total)
        await worker.end()
        try await #expect(store.status(of: "effects")?.partitions.count == partitions)
        // Uneven: only the first partition knows of some more.
        total += try await append(20, seed: 3, to: store)
        let first = try #require(try await store.status(of: "effects")?.partitions.first).key
        let runner = PartitionRunner(
          store: store, subscription: subscription(partitions),
          partition: Partition(subscription: "effects", index: 0, count: partitions))
        #expect(runner.partition.key == first)
        var pace = PartitionRunner.Pace(runner.subscription)
        let row = try #require(
          try await store.pool.withConnection { try await runner.checkpoints.read(runner.partition, on: $0) })
        _ = try await runner.step(row, &pace)
      }
      let worker = TestWorker([subscription(2)], of: store)
      try await store.effects(total)
      await worker.end()
      try await store.requireExactlyOnce(store.effects())
    }
  }

  @Test("the number of partitions is not changed under workers that run the old one")
  func divideWhileRunning() async throws {
    try await withStores(2) { stores in
      try await stores[0].makeEffects()
      let old = TestWorker([subscription(2)], of: stores[0])
      try await stores[0].append(to: stream("a"), expecting: .any, .happened(3))
      try await stores[0].effects(3)
      let new = TestWorker([subscription(4)], of: stores[1])
      _ = try await eventually("both have one", within: patience) {
        try await stores[0].owners(of: "effects")
      } until: {
        Set($0.compactMap(\.self)) == [old.worker.id, new.worker.id]
      }
      try await #expect(stores[0].status(of: "effects")?.partitions.count == 2)
      await old.end()
      await new.end()
    }
  }

  @Test("the previous release finds nothing to do in a subscription that has several partitions")
  func placeholder() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(3))
      try await SubscriptionRunner(Subscription("some", partitions: 3) { _, _ in }, of: store).catchUp()
      let anchor: Int64 = try await store.one(
        "select position from aisle.checkpoints where subscription = 'some'")
      #expect(anchor == .max)
      try await #expect(store.checkpoint(of: "some") == Position(3))
      try await #expect(store.subscriptions().map(\.name) == ["some"])
    }
  }
}

import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("Owners that come back late", .timeLimit(.minutes(2)))
struct FencingTests {
  private let effects = Subscription("effects") { events, connection in
    try await connection.takeEffect(events)
  }

  @Test("an owner whose lease was taken over moves no checkpoint, and leaves no effect")
  func fenced() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await store.append(to: stream("a"), expecting: .any, .happened(3))
      let (old, new) = (
        LeaseTable(tenant: store.tenant, worker: UUID()), LeaseTable(tenant: store.tenant, worker: UUID())
      )
      let partition = Partition(subscription: "effects", index: 0, count: 1)
      let runner = PartitionRunner(store: store, subscription: effects, partition: partition)
      // Given an owner that has read its checkpoint
      let held = try await store.pool.withConnection { connection in
        _ = try await runner.checkpoints.partitions(of: effects, on: connection)
        #expect(try await old.take(partition, on: connection) != nil)
        return try #require(try await runner.checkpoints.read(partition, on: connection))
      }
      // When another one takes over, which it can only after the lease
      try await store.pool.withConnection { connection in
        #expect(try await new.take(partition, on: connection) == nil)
        try await connection.execute("update aisle.checkpoints set lease_expires_at = clock_timestamp()")
        #expect(try await new.take(partition, on: connection) == held.epoch + 1)
      }
      // Then the first one's batch changes nothing
      var pace = PartitionRunner.Pace(effects)
      await #expect(throws: CheckpointTable.Fenced.self) { try await runner.step(held, &pace) }
      try await #expect(store.effects().isEmpty)
      try await #expect(store.checkpoint(of: "effects") == .start)
      // And it neither renews nor gives away what is not its own
      try await store.pool.withConnection { connection in
        try await connection.execute("update aisle.checkpoints set lease_expires_at = 'epoch'")
        try await old.renew(on: connection)
        try await old.release(partition, epoch: held.epoch, on: connection)
      }
      let untouched = try await store.count(
        "select count(*) from aisle.checkpoints where owner = \(new.worker) and lease_expires_at = 'epoch'")
      #expect(untouched == 1)
    }
  }

  @Test(
    "an effect that was under way when the lease was lost does not move the checkpoint; the new owner has it again"
  )
  func effectFenced() async throws {
    try await withStores(3) { stores in
      let performed = Shared<[Int64]>([])
      let isStuck = Shared(true)
      func subscription(sticks: Bool) -> Subscription {
        .effect("mails") { events in
          performed.update { $0 += events.map(\.position.rawValue) }
          while sticks && isStuck.value { try await Task.sleep(for: .milliseconds(5)) }
        }
      }
      try await stores[0].append(to: stream("a"), expecting: .any, .happened(2))
      let paused = TestWorker([subscription(sticks: true)], of: stores[1], isMortal: true)
      _ = try await eventually("the effect is under way", within: patience) {
        performed.value
      } until: {
        $0 == [1, 2]
      }
      // Given its heart stands still: as if stopped between two beats
      try await stores[0].pool.execute(
        """
        update aisle.checkpoints set owner = \(UUID()), epoch = epoch + 1, lease_expires_at = clock_timestamp()
        where subscription = 'mails'
        """)
      // When another one goes on
      let other = TestWorker([subscription(sticks: false)], of: stores[2])
      try await stores[0].wait(for: "mails", toReach: Position(2), timeout: patience)
      isStuck.update { $0 = false }
      // Then events were performed at least once, and the checkpoint moved once
      #expect(performed.value == [1, 2, 1, 2])
      try await #expect(stores[0].status(of: "mails")?.events == 2)
      await paused.end()
      await other.end()
    }
  }

  @Test(
    "a process that stops in the middle of a batch loses its session when the lease is over, and the batch with it"
  )
  func pausedInTransaction() async throws {
    try await withStores(3) { stores in
      try await stores[0].makeEffects()
      try await stores[0].append(to: stream("a"), expecting: .any, .happened(3))
      let isPaused = Shared(false)
      // Given an owner that stands still between two statements, without a heart beat
      let stopping = Subscription("effects") { events, connection in
        try await connection.takeEffect(events)
        isPaused.update { $0 = true }
        try await Task.sleep(for: .seconds(600))
      }
      let partition = Partition(subscription: "effects", index: 0, count: 1)
      let runner = PartitionRunner(store: stores[1], subscription: stopping, partition: partition)
      let leases = LeaseTable(tenant: stores[1].tenant, worker: UUID())
      let row = try await stores[1].pool.withConnection { connection in
        _ = try await runner.checkpoints.partitions(of: stopping, on: connection)
        _ = try await leases.take(partition, on: connection)
        return try #require(try await runner.checkpoints.read(partition, on: connection))
      }
      let paused = Task {
        var pace = PartitionRunner.Pace(stopping)
        return try await runner.step(row, &pace).checkpoint.position
      }
      _ = try await eventually("it stands still", within: patience) {
        isPaused.value
      } until: {
        $0
      }
      // When another worker wants to go on
      let other = TestWorker([effects], of: stores[2])
      try await stores[0].effects(3)
      // Then nothing of the first one is left
      paused.cancel()
      await #expect(throws: (any Error).self) { try await paused.value }
      await other.end()
      try await #expect(stores[0].effects() == [1, 2, 3])
      try await #expect(stores[0].status(of: "effects")?.events == 3)
    }
  }

  @Test("a killed worker is replaced when its lease is over, by the database's clock")
  func failover() async throws {
    try await withStores(3) { stores in
      try await stores[0].makeEffects()
      let first = TestWorker([effects], of: stores[1], isMortal: true)
      try await stores[0].append(to: stream("a"), expecting: .any, .happened(1))
      try await stores[0].effects(1)
      let second = TestWorker([effects], of: stores[2])
      await first.end()
      let expiry: Int64 = try await stores[0].one(
        "select (extract(epoch from lease_expires_at) * 1000000)::bigint from aisle.checkpoints")
      try await stores[0].append(to: stream("a"), expecting: .any, .happened(1))
      try await stores[0].effects(2)
      let movedAt: Int64 = try await stores[0].one(
        "select (extract(epoch from updated_at) * 1000000)::bigint from aisle.checkpoints")
      #expect(movedAt > expiry, "not before the lease was over")
      print("fail-over after a kill: \((movedAt - expiry) / 1000) ms after the lease's end")
      await second.end()
      try await #expect(stores[0].effects() == [1, 2])
    }
  }

  @Test("commands that catch up beside a live worker have no effect twice")
  func catchUpBesideWorker() async throws {
    try await withStores(3) { stores in
      try await stores[0].makeEffects()
      let small = Subscription("effects", batchSize: 3) { events, connection in
        try await connection.takeEffect(events)
      }
      let worker = TestWorker([small], of: stores[1])
      for _ in 0..<30 {
        try await stores[0].append(to: stream("a"), expecting: .any, .happened(5))
        try await SubscriptionRunner(small, of: stores[2]).catchUp()
      }
      await worker.end()
      try await #expect(stores[0].effects() == Array(1...150))
    }
  }

  @Test("a command that catches up an effect waits for the worker that has it, and takes it when nobody has")
  func catchUpEffect() async throws {
    try await withStores(3) { stores in
      let performed = Shared<[Int64]>([])
      let mails = Subscription.effect("mails", batchSize: 2) { events in
        performed.update { $0 += events.map(\.position.rawValue) }
      }
      try await stores[0].append(to: stream("a"), expecting: .any, .happened(5))
      try await #expect(SubscriptionRunner(mails, of: stores[0]).catchUp() == Position(5))
      let worker = TestWorker([mails], of: stores[1])
      for _ in 0..<10 {
        try await stores[0].append(to: stream("a"), expecting: .any, .happened(3))
        try await SubscriptionRunner(mails, of: stores[2]).catchUp()
      }
      await worker.end()
      #expect(performed.value == Array(1...35))
    }
  }
}

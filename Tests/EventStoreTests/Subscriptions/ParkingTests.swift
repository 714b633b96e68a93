import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("Events that no try handles", .timeLimit(.minutes(2)))
struct ParkingTests {
  private struct Indigestible: Error, CustomStringConvertible {
    let description = "this one does not go down"
  }

  /// Cannot handle events at some positions while `isIll`.
  private func subscription(
    _ onPoison: Subscription.PoisonPolicy, poison: Set<Int64>, isIll: Shared<Bool>, batchSize: Int = 10
  ) -> Subscription {
    Subscription("effects", batchSize: batchSize, onPoison: onPoison) { events, connection in
      try await connection.takeEffect(events)
      if isIll.value, events.contains(where: { poison.contains($0.position.rawValue) }) {
        throw Indigestible()
      }
    }
  }

  /// Streams a, b, c in turn.
  private func fill(_ store: EventStore, _ count: Int) async throws {
    for number in 0..<count {
      try await store.append(to: stream(["a", "b", "c"][number % 3]), expecting: .any, .happened(1))
    }
  }

  @Test(
    "a poisonous event parks its stream: later events of it queue behind, others go on; a retry has all in order"
  )
  func parkAndRetry() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await fill(store, 12)
      let isIll = Shared(true)
      let subscription = subscription(.park(after: 2), poison: [5], isIll: isIll)
      // Given position 5 of stream b
      try await whileRunning(subscription, on: [store]) {
        try await store.effects(9)
        try await store.wait(for: "effects", toReach: Position(12), timeout: patience)
        try await fill(store, 3)
        try await store.effects(11)
        try await store.wait(for: "effects", toReach: Position(15), timeout: patience)
      }
      try await #expect(store.effects() == [1, 2, 3, 4, 6, 7, 9, 10, 12, 13, 15])
      let parked = try await store.parkedEvents(of: "effects")
      #expect(
        parked.map(\.position.rawValue) == [5, 8, 11, 14]
          && parked.map(\.isFirst) == [true, false, false, false])
      #expect(parked[0].error?.contains("does not go down") == true && parked[0].attempts == 2)
      let status = try #require(try await store.status(of: "effects"))
      #expect(
        status.parkedStreams == 1 && status.parkedEvents == 4 && status.needsAttention && !status.isStopped)

      // When it is retried too early
      let runner = SubscriptionRunner(subscription, of: store)
      let failed = try await runner.retryParked()
      // Then it says why, and nothing has changed
      #expect(failed.failures.map(\.position.rawValue) == [5] && failed.events == 0 && failed.freed.isEmpty)
      try await #expect(store.parkedEvents(of: "effects").map(\.position.rawValue) == [5, 8, 11, 14])
      try await #expect(store.parkedEvents(of: "effects").first?.attempts == 3)
      try await #expect(store.effects().count == 11)

      // When the cause is mended, while events keep coming
      isIll.update { $0 = false }
      try await whileRunning(subscription, on: [store]) {
        async let coming: Void = fill(store, 30)
        let report = try await runner.retryParked(stream: "test-b")
        #expect(report.freed == ["test-b"] && report.events >= 4)
        try await coming
        try await store.effects(45)
      }
      try await store.requireExactlyOnce(store.effects())
      try await #expect(store.parkedEvents(of: "effects").isEmpty)
      try await #expect(store.status(of: "effects")?.needsAttention == false)
    }
  }

  @Test(
    "only the first event of a queue can be skipped; it stays listed with who did it, and never takes effect")
  func skip() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await fill(store, 9)
      let subscription = subscription(.park(after: 1), poison: [2], isIll: Shared(true))
      try await whileRunning(subscription, on: [store]) { try await store.effects(6) }
      // Position 5 waits behind position 2.
      await #expect(
        throws: SubscriptionProblem.notFirst(position: Position(5), first: Position(2), stream: "test-b")
      ) {
        try await store.skipParked(Position(5), of: "test-b", in: "effects", by: "ada")
      }
      await #expect(throws: SubscriptionProblem.notParked(subscription: "effects", stream: "test-a")) {
        try await store.skipParked(Position(1), of: "test-a", in: "effects", by: "ada")
      }
      try await store.skipParked(Position(2), of: "test-b", in: "effects", by: "ada")
      let report = try await SubscriptionRunner(subscription, of: store).retryParked()
      #expect(report.freed == ["test-b"] && report.events == 2)
      try await #expect(store.effects() == [1, 3, 4, 6, 7, 9, 5, 8])
      let listed = try await store.parkedEvents()
      #expect(
        listed.map(\.position.rawValue) == [2] && listed[0].skippedBy == "ada" && listed[0].skippedAt != nil)
      try await #expect(store.status(of: "effects")?.parkedEvents == 0)
      // And the stream goes on as before
      try await fill(store, 3)
      try await SubscriptionRunner(subscription, of: store).catchUp()
      try await #expect(store.effects().suffix(3) == [10, 11, 12])
    }
  }

  @Test(
    "under .stop nothing is passed: what stands before the culprit takes effect, who waits is told the error at once"
  )
  func stop() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await fill(store, 12)
      let isIll = Shared(true)
      let subscription = subscription(.stop, poison: [5], isIll: isIll)
      try await whileRunning(subscription, on: [store]) {
        let start = ContinuousClock.now
        let error = await #expect(throws: ProjectionHeldUp.self) {
          try await store.wait(for: "effects", toReach: Position(12), timeout: .seconds(3600))
        }
        #expect(error?.description.contains("does not go down [happened at position 5 of test-b]") == true)
        #expect(error?.isParked == false && start.duration(to: .now) < patience)
        try await #expect(store.effects() == [1, 2, 3, 4])
        let status = try #require(try await store.status(of: "effects"))
        #expect(
          status.isStopped && status.position == Position(4) && status.lag == 8 && status.parkedEvents == 0)
        // What it has reached it still shows
        try await store.wait(for: "effects", toReach: Position(4), timeout: .zero)
        isIll.update { $0 = false }
        try await store.effects(12)
      }
      try await #expect(store.effects() == Array(1...12))
      try await #expect(store.status(of: "effects")?.isStopped == false)
    }
  }

  @Test("who waits for a position that is parked is told the projection's own error")
  func waitForParked() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await fill(store, 3)
      let subscription = subscription(.park(after: 1), poison: [2], isIll: Shared(true))
      try await whileRunning(subscription, on: [store]) {
        let error = await #expect(throws: ProjectionHeldUp.self) {
          _ = try await eventually("it is parked", within: patience) {
            try await store.parkedEvents().count
          } until: {
            $0 == 1
          }
          try await store.wait(for: "effects", toReach: Position(2), timeout: patience)
        }
        #expect(error?.isParked == true && error?.error.contains("does not go down") == true)
        try await store.wait(for: "effects", toReach: Position(3), timeout: patience)
      }
    }
  }

  @Test(
    "what is nobody's fault is never counted against an event: a lost connection, a service that is away, a table missing"
  )
  func notPoison() async throws {
    struct Away: TransientFailure { let isTransient = true }
    try await withStore { store in
      try await store.makeEffects()
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      let tries = Shared(0)
      let subscription = Subscription("effects", onPoison: .park(after: 1)) { events, connection in
        switch tries.update({
          $0 += 1
          return $0
        }) {
        case 1...3: throw Away()
        case 4: throw PostgresError(.connectionLost, "gone")
        case 5: throw PostgresError(.server, "deadlock", sqlState: .deadlockDetected)
        case 6: try await connection.query("select * from no_such_table")
        default: try await connection.takeEffect(events)
        }
      }
      try await whileRunning(subscription, on: [store]) { try await store.effects(1) }
      #expect(tries.value == 7)
      try await #expect(store.parkedEvents().isEmpty)
    }
  }

  @Test(
    "an effect outside of the database is parked, retried and skipped like a projection, each at least once, in order"
  )
  func effects() async throws {
    try await withStore { store in
      let isIll = Shared(true)
      let performed = Shared<[Int64]>([])
      let mails = Subscription.effect("mails", batchSize: 4, onPoison: .park(after: 2)) { events in
        if isIll.value, events.contains(where: { $0.position == Position(2) }) { throw Indigestible() }
        performed.update { $0 += events.map(\.position.rawValue) }
      }
      try await fill(store, 9)
      try await whileRunning(mails, on: [store]) {
        _ = try await eventually("the others are performed", within: patience) {
          performed.value
        } until: {
          $0 == [1, 3, 4, 6, 7, 9]
        }
        try await store.wait(for: "mails", toReach: Position(9), timeout: patience)
        isIll.update { $0 = false }
        let report = try await SubscriptionRunner(mails, of: store).retryParked()
        #expect(report.events == 3 && report.freed == ["test-b"])
        try await fill(store, 3)
        _ = try await eventually("the stream goes on", within: patience) {
          performed.value
        } until: {
          $0.count == 12
        }
      }
      #expect(performed.value.filter { $0 % 3 == 2 } == [2, 5, 8, 11])
    }
  }

  @Test("a retry waits for the batch under way, so that what that adds to the queue is not left behind")
  func retryWaits() async throws {
    try await withStores(2) { stores in
      try await stores[0].makeEffects()
      try await fill(stores[0], 6)
      let isIll = Shared(true)
      let subscription = subscription(.park(after: 1), poison: [2], isIll: isIll)
      try await whileRunning(subscription, on: [stores[0]]) { try await stores[0].effects(4) }
      // Given position 5 is not in the queue yet: a batch is about to put it there
      try await stores[0].pool.execute("delete from aisle.parked_events where position = 5")
      isIll.update { $0 = false }
      let retry = try await stores[0].pool.transaction { connection in
        try await connection.query("select from aisle.checkpoints where subscription = 'effects' for update")
        let retry = Task { try await SubscriptionRunner(subscription, of: stores[1]).retryParked() }
        _ = try await eventually("the retry waits for the batch", within: patience) {
          try await stores[0].count(
            """
            select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and query like '%aisle.checkpoints%for update%'
            """)
        } until: {
          $0 == 1
        }
        try await connection.execute(
          """
          insert into aisle.parked_events (tenant, subscription, position, stream, event_id, type)
          select 1, 'effects', position, stream, id, type from aisle.events where position = 5
          """)
        return retry
      }
      let report = try await retry.value
      #expect(report.events == 2 && report.freed == ["test-b"])
      try await #expect(stores[0].effects() == [1, 3, 4, 6, 2, 5])
    }
  }

  @Test("an effect's batch under way while a retry empties a queue performs what it wanted to put there")
  func freedMeanwhile() async throws {
    try await withStore { store in
      let isIll = Shared(true)
      let mayGoOn = Shared(true)
      let performed = Shared<[Int64]>([])
      let mails = Subscription.effect("mails", onPoison: .park(after: 1)) { events in
        if isIll.value, events.contains(where: { $0.position == Position(2) }) { throw Indigestible() }
        performed.update { $0 += events.map(\.position.rawValue) }
        while events.contains(where: { $0.stream.id == "a" }) && !mayGoOn.value {
          try await Task.sleep(for: .milliseconds(5))
        }
      }
      try await fill(store, 3)
      try await whileRunning(mails, on: [store]) {
        try await store.wait(for: "mails", toReach: Position(3), timeout: patience)
        // Given a batch with position 4 of a and position 5 of b, which is parked
        mayGoOn.update { $0 = false }
        try await store.append([
          StreamAppend(stream("a"), expecting: .any, .happened(1)),
          StreamAppend(stream("b"), expecting: .any, .happened(1)),
        ])
        _ = try await eventually("the batch is under way", within: patience) {
          performed.value
        } until: {
          $0.contains(4)
        }
        // When the queue is emptied before the batch has ended
        isIll.update { $0 = false }
        let report = try await SubscriptionRunner(mails, of: store).retryParked()
        #expect(report.freed == ["test-b"] && report.events == 1)
        mayGoOn.update { $0 = true }
        try await store.wait(for: "mails", toReach: Position(5), timeout: patience)
      }
      #expect(performed.value == [1, 3, 4, 2, 5])
      try await #expect(store.parkedEvents().isEmpty)
    }
  }

  @Test("a handler that fails for every stream is broken, not the events: it stops when too many are parked")
  func tooMany() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      try await store.pool.execute(
        """
        insert into aisle.parked_streams (tenant, subscription, stream, error, attempts)
        select 1, 'effects', 'other-' || i, 'x', 1 from generate_series(1, \(Subscription.maximumParkedStreams)) i
        """)
      let subscription = subscription(.park(after: 1), poison: [1], isIll: Shared(true))
      try await store.makeEffects()
      try await whileRunning(subscription, on: [store]) {
        _ = try await eventually("it stops", within: patience) {
          try await store.status(of: "effects")
        } until: {
          $0?.isStopped == true
        }
      }
      try await #expect(store.checkpoint(of: "effects") == .start)
    }
  }
}

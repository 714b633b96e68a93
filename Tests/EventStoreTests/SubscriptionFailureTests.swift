import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("Subscriptions that fail", .timeLimit(.minutes(2)))
struct SubscriptionFailureTests {
  private struct Unhappy: Error, CustomStringConvertible {
    let description = "the handler is unhappy"
  }

  @Test("a handler that throws leaves neither its writes nor the checkpoint")
  func atomic() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await store.append(to: stream("a"), expecting: .any, .happened(5))
      let failing = Subscription("effects") { events, connection in
        try await connection.takeEffect(events)
        throw Unhappy()
      }
      await #expect(throws: Unhappy.self) { try await SubscriptionRunner(failing, of: store).catchUp() }
      try await #expect(store.effects().isEmpty)
      try await #expect(store.checkpoint(of: "effects") == .start)
    }
  }

  @Test("a failing batch is tried again until it succeeds, and the events behind it wait")
  func neverSkipped() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await store.append(to: stream("a"), expecting: .any, .happened(9))
      let tries = Shared<[Int64]>([])
      let unsteady = Subscription("effects", batchSize: 3) { events, connection in
        try await connection.takeEffect(events)
        let first = events.first?.position.rawValue ?? 0
        let count = tries.update { tries in
          tries.append(first)
          return tries.count { $0 == first }
        }
        // The batch from position 4 fails twice.
        if first == 4 && count <= 2 { throw Unhappy() }
      }
      try await whileRunning(unsteady, on: [store]) {
        try await store.wait(for: "effects", toReach: Position(9), timeout: patience)
      }
      // Then the event that stands first is tried alone, and the batches grow again.
      #expect(tries.value == [1, 4, 4, 4, 5, 7])
      try await #expect(store.effects() == Array(1...9))
    }
  }

  @Test("the error of the last try is recorded, also when it was the very first, and cleared by success")
  func lastError() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await store.append(to: stream("a"), expecting: .any, .happened(5))
      let isWell = Shared(false)
      let moody = Subscription("effects") { events, connection in
        guard isWell.value else { throw Unhappy() }
        try await connection.takeEffect(events)
      }
      try await whileRunning(moody, on: [store]) {
        let sick = try await eventually("the error is recorded", within: patience) {
          try await store.status(of: "effects")
        } until: {
          $0?.lastError != nil
        }
        #expect(sick?.lastError?.hasPrefix("the handler is unhappy") == true)
        #expect(sick?.position == .start && sick?.lag == 5)
        let heldUp = await #expect(throws: ProjectionHeldUp.self) {
          try await store.wait(for: "effects", toReach: Position(5), timeout: patience)
        }
        #expect(heldUp?.description.contains("cannot handle: the handler is unhappy") == true)
        isWell.update { $0 = true }
        try await store.effects(5)
        try await store.wait(for: "effects", toReach: Position(5), timeout: patience)
      }
      try await #expect(store.status(of: "effects")?.lastError == nil)
      try await #expect(store.effects() == Array(1...5))
    }
  }

  @Test("an error is also cleared by a try that succeeds and finds nothing new")
  func errorWithoutEvents() async throws {
    try await withStore { store in
      let runner = SubscriptionRunner(Subscription("idle") { _, _ in }, of: store)
      try await store.append(to: stream("a"), expecting: .any, .happened(5))
      try await runner.catchUp()
      // Given a try that failed although there was nothing to do: the connection was lost
      try await store.pool.execute("update aisle.checkpoints set last_error = 'the connection was lost'")
      // When the next one goes well
      try await runner.catchUp()
      // Then nobody is alarmed any more
      try await #expect(store.status(of: "idle")?.lastError == nil)
      try await #expect(store.checkpoint(of: "idle") == Position(5))
    }
  }

  @Test("a handler that hides a failed statement fails all the same")
  func hiddenFailure() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await store.append(to: stream("a"), expecting: .any, .happened(5))
      let hiding = Subscription("effects") { events, connection in
        try await connection.takeEffect(events)
        _ = try? await connection.query("select 1 / 0")
      }
      await #expect(throws: PostgresError.self) { try await SubscriptionRunner(hiding, of: store).catchUp() }
      try await #expect(store.effects().isEmpty)
      try await #expect(store.checkpoint(of: "effects") == .start)
    }
  }

  @Test("a runner whose connection dies in the middle of a batch does that batch again, with effect once")
  func connectionLost() async throws {
    try await withStores(2) { stores in
      try await stores[0].makeEffects()
      try await stores[0].append(to: stream("a"), expecting: .any, .happened(30))
      let tries = Shared(0)
      let dying = Subscription("effects", batchSize: 10) { events, connection in
        try await connection.takeEffect(events)
        guard
          tries.update({
            $0 += 1
            return $0 % 2
          }) == 1
        else { return }
        let backend = try await connection.query("select pg_backend_pid()").first?.decode(Int32.self) ?? 0
        try await stores[1].pool.query("select pg_terminate_backend(\(backend), 30000)")
      }
      try await whileRunning(dying, on: [stores[0]]) {
        try await stores[1].wait(for: "effects", toReach: Position(30), timeout: patience)
      }
      #expect(tries.value == 6)
      try await #expect(stores[0].effects() == Array(1...30))
      try await #expect(stores[0].status(of: "effects")?.lastError == nil)
    }
  }

  @Test("a handler's own CancellationError is a failure like any other, not the end of the subscription")
  func cancellationOfItsOwn() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(1))
      let tries = Shared(0)
      let subscription = Subscription("effects") { _, _ in
        if tries.update({
          $0 += 1
          return $0
        }) == 1 {
          throw CancellationError()
        }
      }
      try await whileRunning(subscription, on: [store]) {
        try await store.wait(for: "effects", toReach: Position(1), timeout: patience)
      }
      #expect(tries.value == 2)
    }
  }
}

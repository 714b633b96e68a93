import EventStore
import PostgreSQL
import TestSupport
import Testing

@Suite("Subscriptions", .timeLimit(.minutes(2)))
struct SubscriptionTests {
  private let subscription = Subscription("effects", batchSize: 10) { events, connection in
    try await connection.takeEffect(events)
  }

  @Test("a subscription catches up with what is there, and then follows what comes")
  func catchUpThenLive() async throws {
    try await withStore { store in
      try await store.makeEffects()
      try await store.append(to: stream("a"), expecting: .any, .happened(35))
      try await whileRunning(subscription, on: [store]) {
        try await #expect(store.effects(35) == Array(1...35))
        for _ in 0..<5 { try await store.append(to: stream("a"), expecting: .any, .happened(3)) }
        try await #expect(store.effects(50) == Array(1...50))
      }
      let status = try #require(try await store.status(of: "effects"))
      #expect(
        status.position == Position(50) && status.events == 50 && status.lag == 0 && status.lastError == nil)
    }
  }

  @Test("catching up takes batches of the size wanted, and ends at the end of the log")
  func catchUp() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(25))
      let sizes = Shared<[Int]>([])
      let runner = SubscriptionRunner(
        Subscription("sizes", batchSize: 10) { events, _ in sizes.update { $0.append(events.count) } },
        of: store)
      try await #expect(runner.catchUp() == Position(25))
      #expect(sizes.value == [10, 10, 5])
      try await #expect(runner.catchUp() == Position(25))
      #expect(sizes.value == [10, 10, 5], "nothing new, nothing handled")
    }
  }

  @Test("a log whose length is a multiple of the batch size ends without an empty batch")
  func fullBatches() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(20))
      let sizes = Shared<[Int]>([])
      let subscription = Subscription("sizes", batchSize: 10) { events, _ in
        sizes.update { $0.append(events.count) }
      }
      try await whileRunning(subscription, on: [store]) {
        try await store.wait(for: "sizes", toReach: Position(20), timeout: patience)
        try await store.append(to: stream("a"), expecting: .any, .happened(1))
        try await store.wait(for: "sizes", toReach: Position(21), timeout: patience)
      }
      #expect(sizes.value == [10, 10, 1])
    }
  }

  @Test("a subscription that stopped goes on after the last event that took effect")
  func resumed() async throws {
    try await withStore { store in
      try await store.makeEffects()
      for round in 1...3 {
        try await store.append(to: stream("a"), expecting: .any, .happened(7))
        try await whileRunning(subscription, on: [store]) { try await store.effects(round * 7) }
      }
      try await #expect(store.effects() == Array(1...21))
    }
  }

  @Test("two processes that run the same subscription: each event takes effect exactly once, in order")
  func twoProcesses() async throws {
    try await withStores(3) { stores in
      try await stores[0].makeEffects()
      let small = Subscription("effects", batchSize: 3) { events, connection in
        try await connection.takeEffect(events)
      }
      try await whileRunning(small, on: [stores[1], stores[2]]) {
        for _ in 0..<60 { try await stores[0].append(to: stream("a"), expecting: .any, .happened(5)) }
        try await stores[0].effects(300)
        try await stores[0].wait(for: "effects", toReach: Position(300), timeout: patience)
      }
      try await #expect(stores[0].effects() == Array(1...300))
      try await #expect(stores[0].status(of: "effects")?.events == 300)
    }
  }

  @Test("several processes that catch up at the same time do each event once, also if none ran before")
  func togetherFromTheStart() async throws {
    try await withStores(4) { stores in
      try await stores[0].makeEffects()
      try await stores[0].append(to: stream("a"), expecting: .any, .happened(200))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for store in stores {
          group.addTask { try await SubscriptionRunner(subscription, of: store).catchUp() }
        }
        try await group.waitForAll()
      }
      try await #expect(stores[0].effects() == Array(1...200))
    }
  }

  @Test("events that a filter leaves out move the checkpoint, without the handler")
  func filter() async throws {
    try await withStore { store in
      func append(_ category: String, _ type: String) async throws {
        try await store.append(
          to: StreamName(category: category, id: "a"), expecting: .any,
          [NewEvent(type: type, data: Array("1".utf8))])
      }
      let seen = Shared<[Int64]>([])
      let filtered = Subscription("filtered", categories: ["order"], types: ["placed"], batchSize: 2) {
        events, _ in
        #expect(!events.isEmpty)
        seen.update { $0 += events.map(\.position.rawValue) }
      }
      try await append("show", "placed")
      try await append("order", "paid")
      try await SubscriptionRunner(filtered, of: store).catchUp()
      #expect(seen.value.isEmpty)
      try await #expect(store.checkpoint(of: "filtered") == Position(2))
      for type in ["placed", "paid", "placed", "placed", "paid"] { try await append("order", type) }
      try await append("show", "placed")
      try await #expect(SubscriptionRunner(filtered, of: store).catchUp() == Position(8))
      #expect(seen.value == [3, 5, 6])
      let status = try #require(try await store.status(of: "filtered"))
      #expect(status.position == Position(8) && status.events == 3 && status.lag == 0)
    }
  }

  @Test("a handler may append: its events and the checkpoint are one transaction")
  func reaction() async throws {
    try await withStores(2) { stores in
      try await stores[0].append(to: stream("question"), expecting: .any, .happened(20))
      let answering = Subscription("answers", batchSize: 3, commitsDurably: true) { events, connection in
        let answers = events.filter { $0.stream.id == "question" }.map { _ in NewEvent.happened() }
        guard !answers.isEmpty else { return }
        try await stores[0].append(
          [[StreamAppend(stream("answer"), expecting: .any, answers)]], inTransactionOf: connection)
      }
      try await whileRunning(answering, on: stores) {
        try await stores[0].wait(for: "answers", toReach: Position(40), timeout: patience)
      }
      let answers = try await stores[0].audit().filter { $0.stream == "test-answer" }
      #expect(answers.count == 20)
    }
  }

  @Test(
    "lag is how far the log is ahead; waiting for a position that nobody reaches fails and says where it stands"
  )
  func lag() async throws {
    try await withStore { store in
      try await store.append(to: stream("a"), expecting: .any, .happened(4))
      try await SubscriptionRunner(Subscription("slow") { _, _ in }, of: store).catchUp()
      try await store.append(to: stream("a"), expecting: .any, .happened(3))
      try await #expect(store.status(of: "slow")?.lag == 3)
      let error = await #expect(throws: ProjectionBehind.self) {
        try await store.wait(for: "slow", toReach: Position(7), timeout: .milliseconds(20))
      }
      #expect(error?.description.contains("subscription slow is at position 4, not at 7") == true)
    }
  }
}

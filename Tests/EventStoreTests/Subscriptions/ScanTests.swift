import PostgreSQL
import TestSupport
import Testing

@testable import EventStore

@Suite("What a subscription reads at a time", .timeLimit(.minutes(1)))
struct ScanTests {
  @Test(
    "a batch is bounded by bytes as well as by number, and an event that is larger alone is a batch of its own"
  )
  func bytes() async throws {
    try await withStore { store in
      func event(_ size: Int) -> NewEvent {
        // Random digits, because what repeats is stored in fewer bytes.
        let digits = (0..<size).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0..<26) }
        return NewEvent(type: "large", data: Array("\"".utf8) + digits + Array("\"".utf8))
      }
      for size in [1000, 1000, 1000, 9000, 1000] {
        try await store.append(to: stream("a"), expecting: .any, [event(size)])
      }
      let batches = Shared<[Int]>([])
      let subscription = Subscription("bytes", batchBytes: 2_500) { events, _ in
        batches.update { $0.append(events.count) }
      }
      try await SubscriptionRunner(subscription, of: store).catchUp()
      // The third begins below the bound and is the last of its batch.
      #expect(batches.value == [3, 1, 1])
    }
  }

  @Test(
    "no scan looks at more positions than its window; one that is slow shrinks it, quick ones let it grow")
  func window() async throws {
    var window = ScanWindow()
    let first = window.size
    window.looked(for: .milliseconds(10), isFull: false)
    #expect(window.size == first * 2)
    window.looked(for: .milliseconds(10), isFull: true)
    #expect(window.size == first * 2)
    for _ in 0..<20 { window.looked(for: .seconds(2), isFull: false) }
    #expect(window.size == ScanWindow.bounds.lowerBound)
    for _ in 0..<20 { window.looked(for: .zero, isFull: false) }
    #expect(window.size == ScanWindow.bounds.upperBound)
  }

  @Test("the checkpoint moves over windows in which nothing matches")
  func emptyWindows() async throws {
    try await withStore { store in
      for _ in 0..<3 { try await store.append(to: stream("a"), expecting: .any, .happened(10_000)) }
      try await store.append(to: StreamName(category: "rare", id: "a"), expecting: .any, .happened(1))
      let seen = Shared<[Int64]>([])
      let rare = Subscription("rare", categories: ["rare"]) { events, _ in
        seen.update { $0 += events.map(\.position.rawValue) }
      }
      let runner = PartitionRunner(
        store: store, subscription: rare, partition: Partition(subscription: "rare", index: 0, count: 1))
      var row = try #require(
        try await store.pool.withConnection {
          try await runner.checkpoints.partitions(of: rare, on: $0).first
        })
      var pace = PartitionRunner.Pace(rare)
      let first = pace.window.size
      row = try await runner.step(row, &pace).checkpoint
      #expect(row.position == Position(first) && seen.value.isEmpty)
      try await #expect(store.checkpoint(of: "rare") == Position(first))
      row = try await runner.step(row, &pace).checkpoint
      #expect(row.position == Position(30_001) && seen.value == [30_001])
    }
  }

  @Test("a filter by tags lets through what has all of them, also in partitions")
  func tags() async throws {
    try await withStore { store in
      for (number, tags) in [["a"], ["a", "b"], [], ["b"], ["b", "a", "c"]].enumerated() {
        try await store.append(
          to: stream("s\(number)"), expecting: .any,
          [NewEvent(type: "tagged", data: Array("1".utf8), tags: tags)])
      }
      for partitions in [1, 3] {
        let seen = Shared<[Int64]>([])
        let tagged = Subscription("tagged-\(partitions)", tags: ["a", "b"], partitions: partitions) {
          events, _ in
          seen.update { $0 += events.map(\.position.rawValue) }
        }
        try await SubscriptionRunner(tagged, of: store).catchUp()
        #expect(seen.value.sorted() == [2, 5])
        try await #expect(store.checkpoint(of: tagged.name) == Position(5))
      }
    }
  }
}

import Foundation
import TestSupport
import Testing

@testable import EventStore

@Suite("Sharing partitions")
struct LeasePlanTests {
  /// Workers and partitions as the database has them, without a database.
  private struct World {
    var workers: [UUID: Set<String>] = [:]
    var owners: [Partition: UUID] = [:]
    var free: [Partition: Duration] = [:]

    init(_ partitions: [String: Int]) {
      for (name, count) in partitions {
        for index in 0..<count { free[Partition(subscription: name, index: index, count: count)] = .zero }
      }
    }

    var view: LeasePlan.View {
      let standings = (Array(owners.keys) + Array(free.keys)).sorted { $0.key < $1.key }.map { partition in
        LeasePlan.Standing(
          partition: partition, owner: owners[partition], epoch: 1, isLive: owners[partition] != nil,
          freeFor: free[partition] ?? .zero)
      }
      return .init(partitions: standings, workers: workers)
    }

    /// A beat of every worker, in any order. Tells whether anything changed.
    mutating func beat(using random: inout SeededRandom) -> Bool {
      var hasChanged = false
      for worker in workers.keys.shuffled(using: &random) {
        let decision = LeasePlan.decide(for: worker, view)
        for partition in decision.take {
          free[partition] = nil
          owners[partition] = worker
          hasChanged = true
        }
        for partition in decision.giveBack {
          owners[partition] = nil
          free[partition] = .zero
          hasChanged = true
        }
      }
      for partition in free.keys { free[partition, default: .zero] += Lease.interval }
      return hasChanged
    }

    mutating func leave(_ worker: UUID) {
      workers[worker] = nil
      for (partition, owner) in owners where owner == worker {
        owners[partition] = nil
        free[partition] = Lease.duration
      }
    }

    /// Until nobody wants a change any more.
    mutating func settle(using random: inout SeededRandom) throws {
      var quiet = 0
      for _ in 0..<200 {
        quiet = beat(using: &random) ? 0 : quiet + 1
        if quiet == 6 { return }
      }
      throw NeverHappened(description: "the workers keep handing partitions around: \(owners)")
    }

    func count(of worker: UUID) -> Int { owners.values.count { $0 == worker } }
  }

  @Test("two workers with four subscriptions of one partition run two each")
  func even() throws {
    var random = SeededRandom(for: "two workers, four subscriptions")
    var world = World(["a": 1, "b": 1, "c": 1, "d": 1])
    let (first, second) = (UUID(), UUID())
    world.workers[first] = ["a", "b", "c", "d"]
    try world.settle(using: &random)
    #expect(world.count(of: first) == 4)
    world.workers[second] = ["a", "b", "c", "d"]
    try world.settle(using: &random)
    #expect(world.count(of: first) == 2 && world.count(of: second) == 2)
    world.leave(first)
    try world.settle(using: &random)
    #expect(world.count(of: second) == 4)
  }

  @Test(
    "whoever joins and leaves, whatever each can run: everything that can run is run by one, and it comes to rest"
  )
  func property() throws {
    var random = SeededRandom(for: "lease plan")
    for _ in 0..<200 {
      let names = ["a", "b", "c", "d", "e"].prefix(Int.random(in: 1...5, using: &random))
      var world = World(
        Dictionary(uniqueKeysWithValues: names.map { ($0, Int.random(in: 1...6, using: &random)) }))
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        if world.workers.count > 1, Bool.random(using: &random),
          let worker = world.workers.keys.randomElement(using: &random)
        {
          world.leave(worker)
        } else {
          world.workers[UUID()] = Set(names.filter { _ in Int.random(in: 0..<4, using: &random) > 0 })
        }
        try world.settle(using: &random)
        let runnable = world.workers.values.reduce(into: Set<String>()) { $0.formUnion($1) }
        #expect(world.free.keys.allSatisfy { !runnable.contains($0.subscription) })
        for (partition, owner) in world.owners {
          #expect(world.workers[owner]?.contains(partition.subscription) == true)
        }
      }
    }
  }

  @Test(
    "workers that can all run the same have the same number of a subscription's partitions, give or take one")
  func fair() throws {
    var random = SeededRandom(for: "fair shares")
    for count in 1...5 {
      var world = World(["a": 12])
      for _ in 0..<count {
        world.workers[UUID()] = ["a"]
        try world.settle(using: &random)
      }
      let counts = world.workers.keys.map(world.count)
      #expect(counts.reduce(0, +) == 12)
      #expect((counts.max() ?? 0) <= (12 + count - 1) / count)
    }
  }
}

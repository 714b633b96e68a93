import Foundation

/// What a worker should take and give back, so that live workers share the partitions evenly. Values in, values out.
///
/// A worker's share of a subscription is its partitions divided by the live workers that can run it, rounded up; its
/// share of everything is the sum of the exact shares, rounded up. So two workers with four subscriptions of one
/// partition each run two each. What nobody takes for as long as a lease is taken by anybody, share or not.
enum LeasePlan {
  struct Standing: Sendable {
    let partition: Partition
    let owner: UUID?
    let epoch: Int64
    /// Whether the owner's lease lasts.
    let isLive: Bool
    /// For how long nobody has had it.
    let freeFor: Duration
  }

  struct View: Sendable {
    let partitions: [Standing]
    /// What each live worker can run.
    let workers: [UUID: Set<String>]
  }

  struct Decision: Sendable, Equatable {
    var take: [Partition] = []
    var giveBack: [Partition] = []
  }

  static func decide(for me: UUID, _ view: View) -> Decision {
    let shares = Shares(view)
    var decision = Decision()
    let mine = view.partitions.filter { $0.owner == me && $0.isLive }
    var held = mine.count
    var heldOf: [String: Int] = [:]
    for standing in mine { heldOf[standing.partition.subscription, default: 0] += 1 }

    // Beginning at another place in each process, so that two that start together do not reach for the same.
    let free = view.partitions.filter {
      !$0.isLive && view.workers[me]?.contains($0.partition.subscription) == true
    }
    let start = free.isEmpty ? 0 : Int(me.uuid.15) % free.count
    for standing in free[start...] + free[..<start] {
      let name = standing.partition.subscription
      let isInShare = held < shares.total(of: me) && heldOf[name, default: 0] < shares.of(name, for: me)
      guard isInShare || standing.freeFor > Lease.duration else { continue }
      decision.take.append(standing.partition)
      held += 1
      heldOf[name, default: 0] += 1
    }

    // Surplus goes back only if somebody is there whom it would bring up to a share.
    for standing in mine.reversed() where decision.take.isEmpty {
      let name = standing.partition.subscription
      let isSurplus = held > shares.total(of: me) || heldOf[name, default: 0] > shares.of(name, for: me)
      guard isSurplus, shares.someoneElseHasRoom(for: name, than: me) else { continue }
      decision.giveBack.append(standing.partition)
      held -= 1
      heldOf[name, default: 0] -= 1
    }
    return decision
  }

  private struct Shares {
    private let view: View
    private var partitions: [String: Int] = [:]
    private var runners: [String: Int] = [:]
    private var held: [UUID: Int] = [:]
    private var heldOf: [UUID: [String: Int]] = [:]

    init(_ view: View) {
      self.view = view
      for standing in view.partitions {
        partitions[standing.partition.subscription, default: 0] += 1
        guard standing.isLive, let owner = standing.owner else { continue }
        held[owner, default: 0] += 1
        heldOf[owner, default: [:]][standing.partition.subscription, default: 0] += 1
      }
      for name in partitions.keys { runners[name] = view.workers.values.count { $0.contains(name) } }
    }

    func of(_ name: String, for worker: UUID) -> Int {
      guard view.workers[worker]?.contains(name) == true, let count = runners[name], count > 0 else {
        return 0
      }
      return (partitions[name, default: 0] + count - 1) / count
    }

    /// Exact: over the product of all numbers of runners there is no rounding.
    func total(of worker: UUID) -> Int {
      guard let names = view.workers[worker] else { return 0 }
      let relevant = names.filter { partitions[$0] != nil }
      let denominator = Set(relevant.compactMap { runners[$0] }).reduce(1, leastCommonMultiple)
      let numerator = relevant.reduce(0) { sum, name in
        sum + partitions[name, default: 0] * denominator / max(1, runners[name] ?? 1)
      }
      return (numerator + denominator - 1) / denominator
    }

    func someoneElseHasRoom(for name: String, than me: UUID) -> Bool {
      view.workers.keys.contains { worker in
        worker != me && held[worker, default: 0] < total(of: worker)
          && heldOf[worker]?[name] ?? 0 < of(name, for: worker)
      }
    }

    private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
      var (x, y) = (a, b)
      while y != 0 { (x, y) = (y, x % y) }
      let (product, overflow) = a.multipliedReportingOverflow(by: b / max(1, x))
      return overflow ? a : product
    }
  }
}

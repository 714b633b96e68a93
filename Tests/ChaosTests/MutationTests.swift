import Chaos
import TestSupport
import Testing

/// A harness that finds nothing has to be able to find something: each of these mistakes is planted, and caught.
@Suite("Planted mistakes are caught", .timeLimit(.minutes(4)))
struct MutationTests {
  private static let seeds: [UInt64] = [101, 202, 303, 404]

  /// What the checker says about one run after another, until it says one of these.
  private func isCaught(
    _ rules: Set<Violation.Rule>, _ run: (UInt64) -> InProcessRun
  ) async throws -> Set<Violation.Rule> {
    var found: Set<Violation.Rule> = []
    for seed in Self.seeds {
      found.formUnion(try await run(seed).report().rules)
      if rules.isSubset(of: found) { break }
    }
    return found
  }

  @Test("the store as it is passes the same seeds", arguments: seeds)
  func unmutated(seed: UInt64) async throws {
    let report = try await InProcessRun(seed: seed).report()
    #expect(report.violations.map(\.description) == [])
    #expect(report.outcomes["committed", default: 0] > 50)
    #expect(report.outcomes["conflict", default: 0] > 20)
    #expect(report.deliveries > 200 && report.samples > 5 && report.reads > 50)
  }

  @Test("no lock: appends that see the same head are refused for nothing")
  func noLock() async throws {
    let found = try await isCaught([.refusal]) { seed in
      InProcessRun(seed: seed, change: { try await AppendMutant.noLock.plant(in: $0) })
    }
    #expect(found.contains(.refusal))
  }

  @Test("on conflict do nothing: an append is acknowledged that is not there, or only half")
  func onConflictDoNothing() async throws {
    let found = try await isCaught([.acknowledged]) { seed in
      InProcessRun(
        seed: seed, followers: [CarelessRunner.tail],
        change: {
          try await AppendMutant.noLock.plant(in: $0)
          try await AppendMutant.onConflictDoNothing.plant(in: $0)
        })
    }
    #expect(found.contains(.acknowledged))
  }

  @Test("on conflict do nothing, with the lock: a reused event id is acknowledged where it is not")
  func onConflictDoNothingWithLock() async throws {
    let found = try await isCaught([.acknowledged]) { seed in
      InProcessRun(
        seed: seed, events: 400, followers: [CarelessRunner.tail],
        change: { try await AppendMutant.onConflictDoNothing.plant(in: $0) })
    }
    #expect(found.contains(.acknowledged))
  }

  @Test("naive tail: a subscriber passes over what is committed later")
  func naiveTail() async throws {
    let found = try await isCaught([.subscriber, .realTime]) { seed in
      InProcessRun(
        seed: seed, inTransaction: 40, followers: [CarelessRunner.tail],
        change: { try await AppendMutant.naiveTail.plant(in: $0) })
    }
    #expect(found.contains(.subscriber))
    #expect(found.contains(.read))
  }

  @Test("a naive tail on the store as it is skips nothing, because there are no holes")
  func tailOfRealStore() async throws {
    let report = try await InProcessRun(
      seed: Self.seeds[0], inTransaction: 40, followers: [CarelessRunner.tail]
    )
    .report()
    #expect(report.violations.map(\.description) == [])
    #expect(report.deliveries > 200)
  }

  @Test("checkpoint outside the transaction: what was projected before a crash is projected again")
  func checkpointOutside() async throws {
    let found = try await isCaught([.projection]) { seed in
      InProcessRun(seed: seed, followers: [CarelessRunner.checkpointOutside])
    }
    #expect(found == [.projection])
  }

  @Test("no fencing: two owners project the same events")
  func unfenced() async throws {
    let found = try await isCaught([.projection]) { seed in
      InProcessRun(seed: seed, followers: [CarelessRunner.unfenced, CarelessRunner.unfenced])
    }
    #expect(found == [.projection])
  }

  @Test("a mutant whose text is gone from the function fails, and does not pass for caught")
  func textIsGone() async throws {
    await #expect(throws: AppendMutant.TextNotFound.self) {
      try await InProcessRun(
        seed: 1,
        change: {
          try await AppendMutant.noLock.plant(in: $0)
          try await AppendMutant.noLock.plant(in: $0)
        }
      ).report()
    }
  }
}

import Foundation
import PostgreSQL

/// How a retry of parked streams ended.
public struct RetryReport: Sendable {
  public struct Failure: Sendable {
    public let stream: String
    public let position: Position
    public let error: String
  }

  /// Streams that go on again.
  public internal(set) var freed: [String] = []
  /// How many waiting events took effect.
  public internal(set) var events = 0
  /// Streams that stay parked.
  public internal(set) var failures: [Failure] = []
}

extension SubscriptionRunner {
  /// Events of a queue that one transaction takes.
  private static let retryBatch = 100

  /// Has the parked events of one stream, or of all, tried again in their order. Workers may go on meanwhile: later
  /// events of the stream come into the queue behind these until it is empty. What fails again stays where it is.
  public func retryParked(stream: String? = nil) async throws -> RetryReport {
    let letters = DeadLetterTable(tenant: store.tenant, subscription: subscription.name)
    let parked = try await store.pool.withConnection { try await letters.streams(on: $0) }
    if let stream, !parked.contains(stream) {
      throw SubscriptionProblem.notParked(subscription: subscription.name, stream: stream)
    }
    let runner = PartitionRunner(
      store: store, subscription: subscription,
      partition: Partition(subscription: subscription.name, index: 0, count: 1))
    var report = RetryReport()
    for name in stream.map({ [$0] }) ?? parked {
      do {
        if subscription.isProjection {
          try await project(name, runner, &report)
        } else {
          try await act(name, runner, &report)
        }
        report.freed.append(name)
      } catch let failure as Failed {
        report.failures.append(
          .init(stream: name, position: failure.position, error: "\(failure.error)"))
        try await store.pool.withConnection { try await letters.record("\(failure.error)", of: name, on: $0) }
      }
    }
    return report
  }

  private struct Failed: Error {
    let position: Position
    let error: any Error
  }

  /// The projection's writes and the queue in one transaction, under the locks that every batch takes first.
  private func project(_ stream: String, _ runner: PartitionRunner, _ report: inout RetryReport) async throws
  {
    let letters = runner.letters
    while true {
      let (count, isFree) = try await store.pool.transaction { connection -> (Int, Bool) in
        try await runner.begin(on: connection)
        try await self.lockPartitions(on: connection)
        // In statements after the one that took the locks.
        guard try await letters.isParked(stream, on: connection) else { return (0, true) }
        let events = try await letters.first(Self.retryBatch, of: stream, on: connection)
        for event in events {
          do {
            try await runner.handle([event], on: connection)
          } catch {
            throw Failed(position: event.position, error: error)
          }
        }
        try await letters.remove(events, on: connection)
        return (events.count, try await letters.unparkIfEmpty(stream, on: connection))
      }
      report.events += count
      if isFree { return }
    }
  }

  /// Outside of a transaction, so a claim keeps a second retry away; each event is taken from the queue when it has
  /// been handled.
  private func act(_ stream: String, _ runner: PartitionRunner, _ report: inout RetryReport) async throws {
    guard !subscription.isProjection else { return }
    let letters = runner.letters
    let claimant = UUID()
    while true {
      guard try await store.pool.withConnection({ try await letters.claim(stream, for: claimant, on: $0) })
      else {
        throw SubscriptionProblem.beingRetried(stream: stream)
      }
      let next = try await store.pool.withConnection { try await letters.first(1, of: stream, on: $0) }
      if let event = next.first {
        do {
          try await runner.act(on: [event])
        } catch {
          try await store.pool.withConnection { try await letters.releaseClaim(stream, of: claimant, on: $0) }
          throw Failed(position: event.position, error: error)
        }
        try await store.pool.withConnection { try await letters.remove([event], on: $0) }
        report.events += 1
      } else {
        let isFree = try await store.pool.transaction { connection in
          try await self.lockPartitions(on: connection)
          return try await letters.unparkIfEmpty(stream, on: connection)
        }
        if isFree { return }
      }
    }
  }

  private func lockPartitions(on connection: PostgresConnection) async throws {
    try await connection.query(
      """
      select from aisle.checkpoints
      where tenant = \(store.tenant.rawValue) and split_part(subscription, '/', 1) = \(subscription.name)
        and partitions > 0
      order by subscription
      for update
      """)
  }
}

extension EventStore {
  /// Passes over the first event in the queue of a parked stream for good: it never takes effect, and stays listed
  /// with who had that done. Those behind it are tried by the next retry.
  public func skipParked(
    _ position: Position, of stream: String, in subscription: String, by operatorName: String
  ) async throws {
    let letters = DeadLetterTable(tenant: tenant, subscription: subscription)
    try await pool.transaction { connection in
      try await connection.query(
        """
        select from aisle.checkpoints
        where tenant = \(self.tenant.rawValue) and split_part(subscription, '/', 1) = \(subscription)
          and partitions > 0
        order by subscription
        for update
        """)
      guard try await letters.isParked(stream, on: connection),
        let first = try await letters.firstPosition(of: stream, on: connection)
      else { throw SubscriptionProblem.notParked(subscription: subscription, stream: stream) }
      guard first == position else {
        throw SubscriptionProblem.notFirst(position: position, first: first, stream: stream)
      }
      guard try await !letters.isClaimed(stream, on: connection) else {
        throw SubscriptionProblem.beingRetried(stream: stream)
      }
      try await letters.skip(position, by: operatorName, on: connection)
      _ = try await letters.unparkIfEmpty(stream, on: connection)
    }
  }
}

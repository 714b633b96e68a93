import Logging
import PostgreSQL

/// Takes one partition forward, a batch at a time. Whoever calls it knows the checkpoint; if that is not so any more,
/// nothing happens and ``CheckpointTable/Fenced`` is thrown.
struct PartitionRunner: Sendable {
  let store: EventStore
  let subscription: Subscription
  let partition: Partition
  /// Where the tables are that a replaying projection fills; nil: it is no replay.
  var replaysInto: String?

  var checkpoints: CheckpointTable { CheckpointTable(tenant: store.tenant) }
  var letters: DeadLetterTable { DeadLetterTable(tenant: store.tenant, subscription: partition.subscription) }

  /// How much is taken at a time.
  struct Pace: Sendable {
    var window = ScanWindow()
    var limit: Int

    init(_ subscription: Subscription) { limit = subscription.batchSize }

    mutating func succeeded(_ subscription: Subscription) {
      limit = min(max(1, limit * 2), subscription.batchSize)
    }
  }

  struct Progress: Sendable {
    let checkpoint: Checkpoint
    let isCaughtUp: Bool
  }

  /// A batch that failed, with the error of its handler.
  struct BatchFailure: Error {
    let error: any Error
    let events: [RecordedEvent]
  }

  /// One batch.
  ///
  /// - Parameter bound: not beyond this position, if it is before the end of the log.
  func step(
    _ checkpoint: Checkpoint, _ pace: inout Pace, through bound: Position? = nil
  ) async throws -> Progress {
    let (archived, head) = try await store.bounds()
    let end = min(head, bound ?? head)
    guard end > checkpoint.position else {
      if checkpoint.hasFailed {
        try await store.pool.withConnection { try await checkpoints.clearError(of: checkpoint, on: $0) }
      }
      return Progress(checkpoint: checkpoint.moved(to: checkpoint.position), isCaughtUp: true)
    }
    let found: EventScan.Found
    do {
      guard checkpoint.position >= archived else {
        throw EventsArchived(what: "the log after position \(checkpoint.position)", through: archived)
      }
      found = try await scan(checkpoint, through: end, &pace)
    } catch {
      if Task.isCancelled { throw error }
      throw BatchFailure(error: error, events: [])
    }
    do {
      switch subscription.work {
      case .projection: try await project(found, checkpoint)
      case .effect: try await act(found, checkpoint)
      }
    } catch let error as CheckpointTable.Fenced {
      throw error
    } catch {
      if Task.isCancelled { throw error }
      throw BatchFailure(error: error, events: found.events)
    }
    pace.succeeded(subscription)
    return Progress(checkpoint: checkpoint.moved(to: found.through), isCaughtUp: found.through >= end)
  }

  /// Reads outside of the transaction, which so is short: the checkpoint's move proves that nobody was faster.
  private func scan(
    _ checkpoint: Checkpoint, through end: Position, _ pace: inout Pace
  ) async throws -> EventScan.Found {
    let scan = EventScan(subscription.filter, partition, former: checkpoint.former, of: store)
    let edge = min(end, Position(checkpoint.position.rawValue + pace.window.size))
    let limit = min(pace.limit, subscription.batchSize)
    let start = ContinuousClock.now
    do {
      let found = try await store.pool.withConnection {
        try await scan.read(
          after: checkpoint.position, through: edge, limit: limit, bytes: subscription.batchBytes, on: $0)
      }
      pace.window.looked(for: start.duration(to: .now), isFull: found.through < edge)
      return found
    } catch {
      pace.window.failed()
      throw error
    }
  }

  // MARK: Projections

  /// The projection's writes, the queues of parked streams and the checkpoint, in one transaction.
  private func project(_ found: EventScan.Found, _ checkpoint: Checkpoint) async throws {
    try await store.pool.transaction { connection in
      try await begin(on: connection)
      // The checkpoint first: it takes the row's lock, and a handler that appends takes the log's lock after it and
      // holds it until the commit.
      try await checkpoints.move(checkpoint, to: found.through, events: found.events.count, on: connection)
      guard !found.events.isEmpty else { return }
      // In a statement after the one that took the lock: what a retry has freed meanwhile is free here.
      let (queued, handled) = try await split(found, after: checkpoint.position, on: connection)
      try await letters.queue(queued, on: connection)
      try await handle(handled, on: connection)
    }
  }

  func handle(_ events: [RecordedEvent], on connection: PostgresConnection) async throws {
    guard case .projection(let handle) = subscription.work else { return }
    let events = try await present(events, on: connection)
    guard !events.isEmpty else { return }
    if replaysInto == nil {
      try await handle(events, connection)
    } else {
      try await Replay.run { try await handle(events, connection) }
    }
  }

  /// The events as the handler knows them. Which ones it wants is decided by what they are called now; the scan has
  /// looked for every name that they may have been stored under.
  private func present(
    _ events: [RecordedEvent], on connection: PostgresConnection? = nil
  ) async throws -> [RecordedEvent] {
    let events = try await store.present(events, on: connection)
    let types = subscription.filter.types
    return types.isEmpty || store.upcasters.isEmpty ? events : events.filter { types.contains($0.type) }
  }

  /// Settings for the rest of the transaction.
  func begin(on connection: PostgresConnection) async throws {
    let tables = replaysInto.map { "\($0), aisle, " } ?? "aisle, "
    try await connection.query(
      """
      select set_config('synchronous_commit', \(subscription.commitsDurably ? "on" : "off"), true),
             set_config('idle_in_transaction_session_timeout', \(Lease.idleTimeout), true),
             set_config('statement_timeout', \(Lease.statementTimeout), true),
             set_config('search_path', \(tables) || current_setting('search_path'), true)
      """)
  }

  /// What is to be handled, and what waits behind a parked event of its stream.
  func split(
    _ found: EventScan.Found, after position: Position, on connection: PostgresConnection
  ) async throws -> (queued: [RecordedEvent], handled: [RecordedEvent]) {
    var aside = try await letters.aside(after: position, through: found.through, on: connection)
    if replaysInto != nil {
      // What an operator had skipped is not in the old tables either.
      let original = DeadLetterTable(tenant: store.tenant, subscription: subscription.name)
      aside.skipped.formUnion(
        try await original.aside(after: position, through: found.through, on: connection).skipped)
    }
    return found.events.split(by: aside)
  }

  // MARK: Effects

  private struct Freed: Error { let streams: Set<String> }

  /// Acts first, then moves the checkpoint: what is cut off in between is done again.
  private func act(_ found: EventScan.Found, _ checkpoint: Checkpoint) async throws {
    var aside = DeadLetterTable.Aside()
    if !found.events.isEmpty {
      aside = try await store.pool.withConnection {
        try await letters.aside(after: checkpoint.position, through: found.through, on: $0)
      }
      try await act(on: found.events.split(by: aside).handled)
    }
    while true {
      do {
        let expected = aside
        return try await store.pool.transaction { connection in
          try await begin(on: connection)
          try await checkpoints.move(
            checkpoint, to: found.through, events: found.events.count, on: connection)
          guard !expected.isEmpty else { return }
          let now = try await letters.aside(
            after: checkpoint.position, through: found.through, on: connection)
          let freed = expected.parked.subtracting(now.parked)
          guard freed.isEmpty else { throw Freed(streams: freed) }
          try await letters.queue(found.events.split(by: expected).queued, on: connection)
        }
      } catch let freed as Freed {
        // A retry has emptied a queue since we looked: these events have none to wait in, and are next.
        let late = found.events.filter {
          freed.streams.contains($0.stream.description) && !aside.skipped.contains($0.position.rawValue)
        }
        try await act(on: late)
        aside.parked.subtract(freed.streams)
      }
    }
  }

  /// Has the effects of events.
  func act(on events: [RecordedEvent]) async throws {
    guard case .effect(let perform) = subscription.work else { return }
    let events = try await present(events)
    if !events.isEmpty { try await perform(events) }
  }

  // MARK: Parking

  /// Passes an event that no try has taken, with its stream parked behind it; nil if too many are parked already.
  func park(
    _ event: RecordedEvent, _ checkpoint: Checkpoint, error: String, attempts: Int
  ) async throws -> Checkpoint? {
    try await store.pool.transaction { connection in
      try await begin(on: connection)
      guard try await letters.countStreams(on: connection) < Subscription.maximumParkedStreams else {
        return nil
      }
      try await checkpoints.move(checkpoint, to: event.position, events: 0, on: connection)
      try await letters.park(event, error: error, attempts: attempts, on: connection)
      return checkpoint.moved(to: event.position)
    }
  }
}

extension Checkpoint {
  func moved(to position: Position) -> Checkpoint {
    Checkpoint(
      partition: partition, position: position, epoch: epoch, former: former, hasFailed: false, attempts: 0)
  }
}

extension [RecordedEvent] {
  fileprivate func split(by aside: DeadLetterTable.Aside) -> (
    queued: [RecordedEvent], handled: [RecordedEvent]
  ) {
    guard !aside.isEmpty else { return ([], self) }
    var queued: [RecordedEvent] = []
    var handled: [RecordedEvent] = []
    for event in self where !aside.skipped.contains(event.position.rawValue) {
      if aside.parked.contains(event.stream.description) {
        queued.append(event)
      } else {
        handled.append(event)
      }
    }
    return (queued, handled)
  }
}

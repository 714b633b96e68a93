import PostgreSQL

extension ProjectionRebuild {
  /// Puts the copies in place, in one transaction under the locks of the projection's checkpoints: first what its
  /// partitions have that the copies lack, then the rows that differ. Readers see the old tables up to the commit and
  /// the new ones from then on; they are never kept waiting.
  ///
  /// - Returns: nil if the projection is too far ahead after all.
  func swap(_ checkpoint: Checkpoint) async throws -> Outcome? {
    try await copies.analyse(in: store.pool)
    let start = ContinuousClock.now
    var outcome = try await store.pool.transaction { connection -> Outcome? in
      try await runner.begin(on: connection)
      try await connection.liftStatementTimeout()
      try await connection.executeScript(
        "set local statement_timeout = '10min'; set local synchronous_commit = on")
      try await lockProjection(on: connection)
      let live = try await runner.checkpoints.read(subscription.name, on: connection)
      let greatest = live.map(\.position).max() ?? .start
      let least = live.map(\.position).min() ?? .start
      // It may even have been set back: then the copies have what it does not have yet.
      guard least >= checkpoint.position,
        greatest.rawValue - checkpoint.position.rawValue <= Self.lastStretch,
        (live.flatMap(\.former).max() ?? 0) <= least.rawValue
      else { return nil }
      if greatest > checkpoint.position {
        try await runner.checkpoints.move(checkpoint, to: greatest, events: 0, on: connection)
      } else {
        // Whoever has taken this rebuild over meanwhile must not be swapped under.
        guard try await runner.checkpoints.read(runner.partition, on: connection)?.epoch == checkpoint.epoch
        else {
          throw CheckpointTable.Fenced(key: runner.partition.key)
        }
      }
      for partition in live where partition.position > checkpoint.position {
        try await replayRest(after: checkpoint.position, of: partition, on: connection)
      }
      var outcome = Outcome(position: greatest)
      try await copies.putInPlace(&outcome, on: connection)
      outcome.parkedStreams = try await runner.letters.countStreams(on: connection)
      try await runner.letters.replace(subscription.name, on: connection)
      try await finish(on: connection)
      return outcome
    }
    outcome?.swap = start.duration(to: .now)
    return outcome
  }

  private func lockProjection(on connection: PostgresConnection) async throws {
    try await connection.query(
      """
      select from aisle.checkpoints
      where tenant = \(store.tenant.rawValue)
        and split_part(subscription, '/', 1) in (\(subscription.name), \(runner.partition.key))
      order by subscription
      for update
      """)
  }

  /// The events that one partition of the projection has handled and the copies have not.
  private func replayRest(
    after position: Position, of live: Checkpoint, on connection: PostgresConnection
  ) async throws {
    let scan = EventScan(subscription.filter, live.partition, of: store)
    var from = position
    while from < live.position {
      let found = try await scan.read(
        after: from, through: live.position, limit: subscription.batchSize, bytes: subscription.batchBytes,
        on: connection)
      let (queued, handled) = try await runner.split(found, after: from, on: connection)
      try await runner.letters.queue(queued, on: connection)
      try await runner.handle(handled, on: connection)
      from = found.through
    }
  }

  private func finish(on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      update aisle.checkpoints
      set generation = generation + 1
      where tenant = \(store.tenant.rawValue) and split_part(subscription, '/', 1) = \(subscription.name)
      """)
    try await connection.execute(
      """
      delete from aisle.checkpoints
      where tenant = \(store.tenant.rawValue) and subscription = \(runner.partition.key)
      """)
    try await copies.drop(on: connection)
  }
}

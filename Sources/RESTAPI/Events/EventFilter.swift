import EventStore

/// Which events of the log a reader wants; all of them if it names nothing.
struct EventFilter: Sendable, Hashable {
  var categories: [String] = []
  var types: [String] = []

  var isEmpty: Bool { categories.isEmpty && types.isEmpty }

  func matches(_ event: RecordedEvent) -> Bool {
    (categories.isEmpty || categories.contains(event.stream.category))
      && (types.isEmpty || types.contains(event.type))
  }
}

/// Some events in order, and how far the log has been looked through for them.
struct EventBatch: Sendable {
  let events: [RecordedEvent]
  /// Every event that matches and is not after this position has been given.
  let through: Position
}

extension EventStore {
  /// Reads events after a position; fewer than `limit` only if there are no more.
  func read(after position: Position, _ filter: EventFilter, limit: Int) async throws -> EventBatch {
    try await pool.withConnection { connection in
      // The head first: every matching event up to it is then among those read.
      let head = try await self.head(on: connection)
      guard position < head else { return EventBatch(events: [], through: position) }
      let events = try await self.readAll(
        after: position, categories: filter.categories, types: filter.types, limit: limit, on: connection)
      let last = events.last?.position ?? position
      return EventBatch(events: events, through: events.count < limit ? max(last, head) : last)
    }
  }
}

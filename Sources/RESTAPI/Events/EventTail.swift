import EventStore

/// The newest events of the log in memory, read once for all streams of this process.
///
/// Positions have no gaps, so a window of consecutive events is complete by construction. Readers behind the window
/// read the database until they have reached it.
actor EventTail {
  /// Bounds of the window; the oldest events go first.
  private static let maximumEvents = 4096
  private static let maximumBytes = 16 << 20
  private static let readSize = 1000

  private let store: EventStore
  private var window: [RecordedEvent] = []
  private var bytes = 0
  /// Through which position the log is known; nil before the first use.
  private var end: Position?
  private var reading: Task<Void, any Error>?
  /// Of the people forgotten when the window was read: it holds names.
  private var generation: Int64?

  init(of store: EventStore) { self.store = store }

  /// The next events after a position that match; none if there are none yet.
  func next(after position: Position, _ filter: EventFilter, limit: Int = 500) async throws -> EventBatch {
    let generation = try await store.vault.generation()
    if generation != self.generation {
      // Somebody was forgotten: the window begins anew where it ends.
      window = []
      bytes = 0
      self.generation = generation
    }
    if end == nil {
      let head = try await store.head()
      if end == nil { end = head }
    }
    if let end, position > end { restart(at: position) }
    if position == end { try await readOn(after: position) }
    return try await batch(after: position, filter, limit: limit)
  }

  private func batch(after position: Position, _ filter: EventFilter, limit: Int) async throws -> EventBatch {
    guard let end, position < end else { return EventBatch(events: [], through: position) }
    let start = end.rawValue - Int64(window.count)
    guard position.rawValue >= start else {
      return try await store.read(after: position, filter, limit: limit)
    }
    let slice = window[Int(position.rawValue - start)...].prefix(limit)
    return EventBatch(events: slice.filter(filter.matches), through: slice.last?.position ?? end)
  }

  /// Nobody has read for a while and the window has fallen behind: a new one begins here, without what is between.
  private func restart(at position: Position) {
    window = []
    bytes = 0
    end = position
  }

  /// Many may call this at once: the first one reads, the others wait for it.
  private func readOn(after position: Position) async throws {
    if let reading { return try await reading.value }
    let task = Task {
      defer { reading = nil }
      let before = generation
      let events = try await store.readAll(after: position, limit: Self.readSize)
      // Otherwise they may have been opened with a key that is gone; they are read again.
      if before == generation { append(events) }
    }
    reading = task
    try await task.value
  }

  private func append(_ events: [RecordedEvent]) {
    // Not if the window was begun anew meanwhile.
    guard let first = events.first, let last = events.last, first.position.rawValue - 1 == end?.rawValue
    else { return }
    window += events
    bytes += events.reduce(0) { $0 + $1.data.count }
    end = last.position
    var surplus = max(0, window.count - Self.maximumEvents)
    var freed = window.prefix(surplus).reduce(0) { $0 + $1.data.count }
    while bytes - freed > Self.maximumBytes, surplus < window.count {
      freed += window[surplus].data.count
      surplus += 1
    }
    window.removeFirst(surplus)
    bytes -= freed
  }
}

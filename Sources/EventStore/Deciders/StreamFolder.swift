import Logging
import PostgreSQL
import Synchronization
import Vocabulary

/// Folds streams into a decider's states: from the last snapshot if there is one, then event by event.
public final class StreamFolder<D: Decider>: Sendable {
  /// Snapshots being written at the same time; one that is due beyond that is left for later.
  private static var maximumWrites: Int { 2 }
  private static var pageSize: Int { 5_000 }

  let store: EventStore
  private let policy: SnapshotPolicy<D.State>
  private let writes = Mutex(0)

  public init(store: EventStore, snapshots policy: SnapshotPolicy<D.State> = .never) {
    self.store = store
    self.policy = policy
  }

  /// A stream as it is now.
  public func load(_ stream: StreamName) async throws -> FoldedStream<D> {
    let generation = try await store.vault.generation()
    var folded = FoldedStream<D>(generation: generation)
    if let codec = policy.codec {
      do {
        if let snapshot = try await SnapshotTable(store: store).load(stream, codec) {
          folded = FoldedStream(snapshot, generation: generation)
        }
      } catch let error as DecodingError {
        store.logger.warning(
          "a snapshot cannot be read; the stream is folded from its beginning",
          metadata: ["stream": "\(stream)", "error": "\(error)"])
      }
    }
    while let events = try await eventsAfter(folded, of: stream) { try folded.advance(by: events) }
    return folded
  }

  /// Brings a state up to date; false if it was.
  public func readOn(_ folded: inout FoldedStream<D>, of stream: StreamName) async throws -> Bool {
    let before = folded.version
    while let events = try await eventsAfter(folded, of: stream) { try folded.advance(by: events) }
    return folded.version > before
  }

  /// Whether nobody was forgotten since: otherwise a state may hold names that it must not.
  public func mayBeUsed(_ folded: FoldedStream<D>) async throws -> Bool {
    try await store.vault.generation() == folded.generation
  }

  private func eventsAfter(
    _ folded: FoldedStream<D>, of stream: StreamName
  ) async throws -> [RecordedEvent]? {
    let events = try await store.read(stream, from: folded.version + 1, limit: Self.pageSize)
    return events.isEmpty ? nil : events
  }

  // MARK: Snapshots

  /// Keeps the state beside the stream if that is due, without keeping the caller waiting.
  public func keepIfDue(_ folded: inout FoldedStream<D>, of stream: StreamName) {
    guard policy.isDue(at: folded.version, kept: folded.keptVersion) else { return }
    let isAllowed = writes.withLock { writes in
      guard writes < Self.maximumWrites else { return false }
      writes += 1
      return true
    }
    guard isAllowed else { return }
    // Also if it fails: the next try is when another one is due.
    folded.keptVersion = folded.version
    let kept = folded
    // Ends by itself: its statements have a time limit.
    Task {
      await self.keep(kept, of: stream)
      self.writes.withLock { $0 -= 1 }
    }
  }

  /// Keeps the state beside the stream.
  ///
  /// - Returns: false if it was not kept: there is a later one, or it must not be.
  @discardableResult
  public func keep(_ folded: FoldedStream<D>, of stream: StreamName) async -> Bool {
    guard let codec = policy.codec, let last = folded.lastEvent else { return false }
    let snapshot = Snapshot(
      state: folded.state, version: folded.version, position: folded.position, lastEvent: last)
    do {
      return try await SnapshotTable(store: store).save(
        snapshot, of: stream, generation: folded.generation, codec)
    } catch {
      store.logger.warning(
        "no snapshot was taken; the stream takes longer to open",
        metadata: ["stream": "\(stream)", "error": "\(error)"])
      return false
    }
  }
}

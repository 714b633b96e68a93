import PostgreSQL
import Vocabulary

/// Runs a decider's commands on streams: fold, decide, append at the version that was folded, and on a conflict read on
/// and decide again.
///
/// States are kept in memory, and read on only when they have to be: a command that leads to events is appended at the
/// version that is known here, and if that is old, the store says so. Only an answer without events (a refusal, or a
/// command whose effect is there already) needs a look at the stream first, for nothing else would notice.
public final class DeciderRepository<D: Decider>: Sendable {
  /// A stream after a command.
  public struct Outcome: Sendable {
    public let stream: FoldedStream<D>
    /// None if the command's effect was there before.
    public let events: [D.Event]
    /// How many appends it took: each but the last was a conflict. 0 without events.
    public let appends: Int
  }

  private let store: EventStore
  private let folder: StreamFolder<D>
  private let cache: StateCache<D>
  private let maximumTries: Int

  /// - Parameters:
  ///   - cachedStates: how many states are kept in memory; the one that was not used for longest makes room.
  ///   - maximumTries: how often a conflict is taken up again.
  public init(
    store: EventStore, snapshots: SnapshotPolicy<D.State> = .never, cachedStates: Int = 10_000,
    maximumTries: Int = 20
  ) {
    self.store = store
    folder = StreamFolder(store: store, snapshots: snapshots)
    cache = StateCache(capacity: cachedStates)
    self.maximumTries = maximumTries
  }

  /// A stream as it is now.
  public func state(of stream: StreamName) async throws -> FoldedStream<D> {
    guard var folded = try await cached(stream) else { return try await load(stream) }
    // One look-up by key; mostly there is nothing new.
    let version = try await store.version(of: stream)
    // The database has less than we remember, as after a fail-over that lost commits.
    if version < folded.version { return try await load(stream) }
    if version > folded.version { _ = try await refresh(&folded, of: stream) }
    return folded
  }

  /// Decides a command and appends its events.
  ///
  /// - Parameter isNew: the stream probably has no events yet, so that the first try need not read.
  /// - Throws: the decider's `Rejection`, `AppendError`, ``AppendOutcomeUnknown``, ``StreamContended``, or why the stream
  ///   cannot be read.
  public func execute(
    _ command: D.Command, on stream: StreamName, at now: Timestamp, metadata: EventMetadata = EventMetadata(),
    isNew: Bool = false
  ) async throws -> Outcome {
    var isCurrent = false
    var folded: FoldedStream<D>
    if let known = try await cached(stream) {
      folded = known
    } else if isNew {
      folded = FoldedStream(generation: try await store.vault.generation())
    } else {
      folded = try await load(stream)
      isCurrent = true
    }
    var appends = 0
    for _ in 1...maximumTries {
      let events: [D.Event]
      do {
        events = try D.decide(command, folded.state, at: now)
      } catch {
        if !isCurrent, try await refresh(&folded, of: stream) {
          isCurrent = true
          continue
        }
        throw error
      }
      guard !events.isEmpty else {
        if !isCurrent, try await refresh(&folded, of: stream) {
          isCurrent = true
          continue
        }
        return Outcome(stream: folded, events: [], appends: appends)
      }
      appends += 1
      let new = try events.map { try NewEvent($0, metadata: metadata) }
      switch try await store.append(to: stream, expecting: .version(folded.version), new) {
      case .committed(let receipt), .duplicate(let receipt):
        var state = folded.state
        for event in events { D.evolve(&state, event) }
        folded.advance(to: state, with: new, at: receipt.position)
        folder.keepIfDue(&folded, of: stream)
        cache.remember(folded, of: stream)
        return Outcome(stream: folded, events: events, appends: appends)
      case .conflict:
        // Nothing to read on: the database has less than we remember, as after a fail-over that lost commits.
        if try await !refresh(&folded, of: stream) { folded = try await load(stream) }
        isCurrent = true
      case .unknown(let error):
        cache.forget(stream)
        throw AppendOutcomeUnknown(stream: stream, error: error)
      }
    }
    throw StreamContended(stream: stream, tries: maximumTries)
  }

  private func cached(_ stream: StreamName) async throws -> FoldedStream<D>? {
    guard let folded = cache.state(of: stream) else { return nil }
    return try await folder.mayBeUsed(folded) ? folded : nil
  }

  private func load(_ stream: StreamName) async throws -> FoldedStream<D> {
    cache.forget(stream)
    var folded = try await folder.load(stream)
    // Whoever opens it next shall have it easier.
    folder.keepIfDue(&folded, of: stream)
    cache.remember(folded, of: stream)
    return folded
  }

  private func refresh(_ folded: inout FoldedStream<D>, of stream: StreamName) async throws -> Bool {
    guard try await folder.readOn(&folded, of: stream) else { return false }
    cache.remember(folded, of: stream)
    return true
  }
}

/// A stream's writers are so many that a command did not get through.
public struct StreamContended: Error, CustomStringConvertible {
  public let stream: StreamName
  public let tries: Int

  public var description: String {
    "\(stream) was changed by others \(tries) times while this was being decided; nothing was done, try again"
  }
}

/// The connection was lost while events were appended: all of them are stored, or none.
public struct AppendOutcomeUnknown: Error, CustomStringConvertible {
  public let stream: StreamName
  public let error: PostgresError

  public var description: String { "the connection was lost while writing \(stream): \(error)" }
}

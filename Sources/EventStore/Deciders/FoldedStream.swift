import Foundation
import Vocabulary

/// What a decider knows of one stream, up to one of its events.
///
/// It may be older than the stream: an append at its ``version`` then is a conflict, and nothing else can go wrong.
public struct FoldedStream<D: Decider>: Sendable {
  public private(set) var state: D.State
  /// Of the last event that was folded; 0 before the first.
  public private(set) var version: Int64
  public private(set) var position: Position
  /// Id of the last event that was folded. Two histories of the same length differ in it.
  private(set) var lastEvent: UUID?
  /// Of the people who were forgotten when it was begun: a state may hold names.
  let generation: Int64
  /// Version of the last snapshot, as far as is known here.
  var keptVersion: Int64

  init(generation: Int64) {
    state = D.initialState
    version = 0
    position = .start
    self.generation = generation
    keptVersion = 0
  }

  init(_ snapshot: Snapshot<D.State>, generation: Int64) {
    state = snapshot.state
    version = snapshot.version
    position = snapshot.position
    lastEvent = snapshot.lastEvent
    self.generation = generation
    keptVersion = snapshot.version
  }

  /// Takes in the events that follow.
  mutating func advance(by events: [RecordedEvent]) throws {
    for event in events {
      D.evolve(&state, try event.decode())
      version = event.version
      position = event.position
      lastEvent = event.id
    }
  }

  /// Takes in what was appended at ``version``.
  ///
  /// - Parameters:
  ///   - state: this state, evolved by these events.
  ///   - position: of the last of them.
  public mutating func advance(to state: D.State, with events: [NewEvent], at position: Position) {
    self.state = state
    version += Int64(events.count)
    self.position = position
    lastEvent = events.last?.id
  }
}

import PostgreSQL

/// How an append ended. There is no other way: a success that is not one cannot be expressed.
public enum AppendOutcome: Sendable {
  /// The events are in flushed WAL.
  case committed(AppendReceipt)
  /// Nothing was written: a stream was not at its expected version, or there is an event that a condition excludes.
  case conflict(AppendConflict)
  /// Nothing was written now: the same event ids were stored before, at these positions.
  case duplicate(AppendReceipt)
  /// The connection was lost after the events were sent and could not be made again in time. They are stored
  /// completely or not at all; appending them again with the same ids is safe.
  case unknown(PostgresError)

  /// The receipt if the events are in the log, now or from before.
  public var receipt: AppendReceipt? {
    switch self {
    case .committed(let receipt), .duplicate(let receipt): receipt
    case .conflict, .unknown: nil
    }
  }
}

/// Where the events of an append stand, one entry for each stream in the order they were given.
public struct AppendReceipt: Sendable, Hashable {
  public struct Stream: Sendable, Hashable {
    public let name: StreamName
    /// Version after the append.
    public let version: Int64
    /// Position of the stream's last appended event; nil if there was only a condition on it.
    public let position: Position?
  }

  public let streams: [Stream]

  /// Position of the last event; `.start` if the append had only conditions.
  public var position: Position { streams.lazy.compactMap(\.position).max() ?? .start }
}

/// Why an append was refused: streams that were not as expected, or an event that an ``AppendCondition`` excludes.
public struct AppendConflict: Sendable, Hashable {
  public struct Stream: Sendable, Hashable {
    public let name: StreamName
    public let expected: ExpectedVersion
    public let actual: Int64
  }

  /// The streams that were not as expected, with their actual versions (0: the stream does not exist).
  public let streams: [Stream]
  /// Position of an event that a condition excludes; nil if the streams are the reason.
  public let excludedEvent: Position?

  init(streams: [Stream], excludedEvent: Position? = nil) {
    self.streams = streams
    self.excludedEvent = excludedEvent
  }

  /// Whether the streams could still grow into what was expected of them. An event never goes away.
  var mayPassLater: Bool {
    excludedEvent == nil
      && streams.allSatisfy { stream in
        switch stream.expected {
        case .any, .noStream: false
        case .streamExists: true
        case .version(let version): stream.actual < version
        }
      }
  }
}

/// An append that definitely wrote nothing, for a reason other than a conflict.
public enum AppendError: Error, Sendable, CustomStringConvertible {
  /// The call itself makes no sense.
  case invalid(String)
  /// The queue is full; try again later. The bound keeps memory finite.
  case overloaded(waiting: Int)
  /// The database refused this append's data; its neighbours in the batch were not affected.
  case rejected(PostgresError)
  /// One of the event ids is already stored with other content.
  case eventIDReused
  /// No connection could be made, or the database was not able to write at all (no space, a lock held for too
  /// long); nothing was stored.
  case unavailable(PostgresError)

  public var description: String {
    switch self {
    case .invalid(let reason): "the append is not valid: \(reason)"
    case .overloaded(let waiting): "\(waiting) appends are already waiting; slow down and try again"
    case .rejected(let error): "the database refused the events: \(error)"
    case .eventIDReused: "an event id of this append is already stored with other content; use a new id"
    case .unavailable(let error): "the database is not available, nothing was written: \(error)"
    }
  }
}

import Foundation

/// One line of a history: what a process did or saw, and when.
///
/// A history holds plain values only, so that it can be kept in a file and judged again without the event store.
public struct HistoryRecord: Codable, Sendable {
  /// Nanoseconds of the machine's monotonic clock, which all of its processes share.
  public let at: Int64
  /// Who did it, such as `w1.2`: the second life of worker 1.
  public let process: String
  public let entry: Entry

  public init(at: Int64, process: String, _ entry: Entry) {
    self.at = at
    self.process = process
    self.entry = entry
  }

  public enum Entry: Codable, Sendable {
    /// An append is about to be sent. Without an end it may have happened.
    case appendBegan(operation: Int, parts: [AppendPart])
    case appendEnded(operation: Int, answer: AppendAnswer)
    case readBegan(operation: Int, request: ReadRequest)
    case readEnded(operation: Int, answer: ReadAnswer)
    /// A subscriber was handed these events, in this order.
    case delivered(Delivery)
    /// A projection's checkpoint and table, read in one snapshot.
    case projected(ProjectionSample)
    /// The subscriber has nothing left to do: it must have seen everything up to the position.
    case drained(subscriber: String, position: Int64)
    /// One event of the log as it stands at the end.
    case stored(LoggedEvent)
    /// What the store says about itself at the end.
    case heads(LogHeads)
  }
}

/// What an append demands of one stream and adds to it.
public struct AppendPart: Codable, Sendable, Hashable {
  public var stream: String
  public var expected: Expectation
  public var events: [ProposedEvent]

  public init(_ stream: String, _ expected: Expectation, _ events: [ProposedEvent] = []) {
    self.stream = stream
    self.expected = expected
    self.events = events
  }
}

public enum Expectation: Codable, Sendable, Hashable, CustomStringConvertible {
  case any, none, exists
  case version(Int64)

  public func isMet(by version: Int64) -> Bool {
    switch self {
    case .any: true
    case .none: version == 0
    case .exists: version > 0
    case .version(let expected): version == expected
    }
  }

  public var description: String {
    switch self {
    case .any: "any version"
    case .none: "no stream"
    case .exists: "an existing stream"
    case .version(let version): "version \(version)"
    }
  }
}

public struct ProposedEvent: Codable, Sendable, Hashable {
  public let id: UUID
  /// What the event says; projections add it up.
  public let value: Int64
  /// Not JSON: the database has to refuse it.
  public let isPoison: Bool

  public init(id: UUID = UUID(), value: Int64, isPoison: Bool = false) {
    self.id = id
    self.value = value
    self.isPoison = isPoison
  }
}

public enum AppendAnswer: Codable, Sendable, Hashable {
  case committed([Place])
  case duplicate([Place])
  case conflict([ActualVersion])
  case unknown(String)
  case failed(Failure, String)

  /// Where one part stands: the stream's version after it, and its last event's position (nil without events).
  public struct Place: Codable, Sendable, Hashable {
    public let stream: String
    public let version: Int64
    public let position: Int64?

    public init(_ stream: String, version: Int64, position: Int64?) {
      self.stream = stream
      self.version = version
      self.position = position
    }
  }

  public struct ActualVersion: Codable, Sendable, Hashable {
    public let stream: String
    public let version: Int64

    public init(_ stream: String, _ version: Int64) {
      self.stream = stream
      self.version = version
    }
  }

  /// Every one of them says that nothing was written.
  public enum Failure: String, Codable, Sendable, Hashable, CaseIterable {
    case invalid, rejected, eventIDReused, overloaded, unavailable
    /// The transaction that the append was part of did not commit.
    case rolledBack
  }
}

public enum ReadRequest: Codable, Sendable, Hashable {
  case stream(String, from: Int64, limit: Int)
  /// The last events of a stream, the last first.
  case streamBackward(String, limit: Int)
  case log(after: Int64, limit: Int)
  case head
  case version(String)
}

public enum ReadAnswer: Codable, Sendable, Hashable {
  case events([LoggedEvent])
  case number(Int64)
  case failed(String)
}

/// An event in the log, as somebody saw it.
public struct LoggedEvent: Codable, Sendable, Hashable {
  public let position: Int64
  public let stream: String
  public let version: Int64
  public let id: UUID
  public let value: Int64

  public init(position: Int64, stream: String, version: Int64, id: UUID, value: Int64) {
    self.position = position
    self.stream = stream
    self.version = version
    self.id = id
    self.value = value
  }
}

public struct Delivery: Codable, Sendable {
  public let subscriber: String
  /// Of a subscription that is worked on in parallel: which part; each stream belongs to one.
  public let partition: Int?
  public let events: [LoggedEvent]

  public init(_ subscriber: String, partition: Int? = nil, _ events: [LoggedEvent]) {
    self.subscriber = subscriber
    self.partition = partition
    self.events = events
  }
}

public struct ProjectionSample: Codable, Sendable {
  public let projection: String
  public let checkpoint: Int64
  public let balances: [String: Balance]

  public init(_ projection: String, checkpoint: Int64, _ balances: [String: Balance]) {
    self.projection = projection
    self.checkpoint = checkpoint
    self.balances = balances
  }
}

/// One stream folded: how many events, their sum, and a chain that another order of the same events would change.
public struct Balance: Codable, Sendable, Hashable {
  public static let modulus: Int64 = 1_000_000_007
  public static let factor: Int64 = 31

  public var events: Int64
  public var sum: Int64
  public var chain: Int64

  public init(events: Int64 = 0, sum: Int64 = 0, chain: Int64 = 0) {
    self.events = events
    self.sum = sum
    self.chain = chain
  }

  public mutating func add(_ value: Int64) {
    events &+= 1
    sum &+= value
    chain = (chain &* Self.factor &+ value) % Self.modulus
  }
}

public struct LogHeads: Codable, Sendable, Hashable {
  public let position: Int64
  public let streams: [String: Int64]

  public init(position: Int64, streams: [String: Int64]) {
    self.position = position
    self.streams = streams
  }
}

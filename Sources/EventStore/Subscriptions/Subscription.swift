import PostgreSQL

/// A named reader of the log that remembers how far it got.
///
/// There are two kinds. A *projection* receives events with the connection whose transaction also moves the
/// checkpoint: what it writes there takes effect exactly once, whatever crashes. An *effect* calls services or
/// other systems: it runs outside of any transaction, and the checkpoint moves when it is through, so that each
/// event is handled at least once.
public struct Subscription: Sendable {
  public typealias Projector =
    @Sendable (_ events: [RecordedEvent], _ connection: PostgresConnection) async throws -> Void
  public typealias Effect = @Sendable (_ events: [RecordedEvent]) async throws -> Void

  enum Work: Sendable {
    case projection(Projector)
    case effect(Effect)
  }

  /// What becomes of an event that fails for a reason of its own, however often it is tried.
  public enum PoisonPolicy: Sendable, Hashable {
    /// It is never passed; everything behind it waits, and the alarm does not end.
    case stop
    /// After so many tries alone, its stream is parked: the event and all later ones of that stream wait in a queue
    /// for an operator, and other streams go on.
    case park(after: Int)
  }

  public let name: String
  public let filter: SubscriptionFilter
  /// Most events of a batch.
  public let batchSize: Int
  /// Most bytes of a batch's payloads, as they are stored; a single event may be larger.
  public let batchBytes: Int
  /// Whether a commit waits for the disk. A handler that appends events needs it: others may already have read
  /// them. A projection does not: after a crash, tables and checkpoint fall back together and catch up again.
  public let commitsDurably: Bool
  /// How many workers may run it at the same time, each with some of the streams. Events of one stream are always in
  /// the same partition, in order; those of different streams are not in any order.
  public let partitions: Int
  public let onPoison: PoisonPolicy
  /// The tables that the projection fills and nobody else writes, without their schema. Its statements must name them
  /// without schema too: a rebuild fills copies of them. Empty if it cannot be rebuilt.
  public let tables: [String]
  let work: Work

  /// A projection.
  public init(
    _ name: String, categories: [String] = [], types: [String] = [], tags: [String] = [],
    batchSize: Int = 1000,
    batchBytes: Int = 16 << 20, commitsDurably: Bool = false, partitions: Int = 1,
    onPoison: PoisonPolicy = .stop,
    tables: [String] = [], handle: @escaping Projector
  ) {
    self.init(
      name, SubscriptionFilter(categories: categories, types: types, tags: tags), batchSize, batchBytes,
      commitsDurably,
      partitions, onPoison, tables, .projection(handle))
  }

  /// A subscription that acts outside of the database's transaction, each event at least once.
  public static func effect(
    _ name: String, categories: [String] = [], types: [String] = [], tags: [String] = [],
    batchSize: Int = 100,
    batchBytes: Int = 16 << 20, partitions: Int = 1, onPoison: PoisonPolicy = .stop, perform: @escaping Effect
  ) -> Subscription {
    Subscription(
      name, SubscriptionFilter(categories: categories, types: types, tags: tags), batchSize, batchBytes, true,
      partitions, onPoison, [], .effect(perform))
  }

  private init(
    _ name: String, _ filter: SubscriptionFilter, _ batchSize: Int, _ batchBytes: Int, _ commitsDurably: Bool,
    _ partitions: Int, _ onPoison: PoisonPolicy, _ tables: [String], _ work: Work
  ) {
    self.name = name
    self.filter = filter
    self.batchSize = max(1, batchSize)
    self.batchBytes = max(1, batchBytes)
    self.commitsDurably = commitsDurably
    self.partitions = min(max(1, partitions), Self.maximumPartitions)
    self.onPoison = onPoison
    self.tables = tables
    self.work = work
  }

  public static let maximumPartitions = 256

  /// Most parked streams of a subscription. More are no poison but a broken handler: it stops.
  public static let maximumParkedStreams = 1000

  public var categories: [String] { filter.categories }
  public var types: [String] { filter.types }
  public var isProjection: Bool { if case .projection = work { true } else { false } }

  /// The same with another number of partitions.
  public func partitioned(into count: Int) -> Subscription {
    Subscription(
      name, filter, batchSize, batchBytes, commitsDurably, count, onPoison, tables, work)
  }

  /// The same under another name, in one partition.
  func named(_ name: String) -> Subscription {
    Subscription(name, filter, batchSize, batchBytes, commitsDurably, 1, onPoison, tables, work)
  }

  /// Calls a projection's handler in the caller's transaction, with the tables that it names without schema.
  public func apply(_ events: [RecordedEvent], on connection: PostgresConnection) async throws {
    guard case .projection(let handle) = work else {
      throw SubscriptionProblem.noProjection(name)
    }
    try await connection.query(
      "select set_config('search_path', 'aisle, ' || current_setting('search_path'), true)")
    try await handle(events, connection)
  }
}

/// Which events a subscription receives.
public struct SubscriptionFilter: Sendable, Hashable {
  /// Only events of these categories; all if empty.
  public var categories: [String] = []
  /// Only events of these types; all if empty.
  public var types: [String] = []
  /// Only events that have all of these tags; all events if empty.
  public var tags: [String] = []
}

/// A handler's error can say that it has nothing to do with the event: a service that cannot be reached, too much
/// load. Such a try is repeated and never counted against the event.
public protocol TransientFailure: Error {
  var isTransient: Bool { get }
}

/// Something that cannot be done with a subscription.
public enum SubscriptionProblem: Error, Sendable, Hashable, CustomStringConvertible {
  case noProjection(String)
  case unknown(String)
  case declaresNoTables(String)
  case notParked(subscription: String, stream: String)
  case notFirst(position: Position, first: Position, stream: String)
  case beingRetried(stream: String)
  case isRebuilding(String)
  case cannotRebuild(String)
  case changed(String)

  public var description: String {
    switch self {
    case .noProjection(let name):
      "\(name) is no projection: it acts outside of the database, and doing that again is not a rebuild"
    case .unknown(let name): "there is no subscription \(name)"
    case .declaresNoTables(let name): "\(name) does not say which tables it fills, so it cannot be rebuilt"
    case .notParked(let subscription, let stream):
      "stream \(stream) is not parked in subscription \(subscription); see: aisle projections parked \(subscription)"
    case .notFirst(let position, let first, let stream):
      "position \(position) is not the first in the queue of \(stream), position \(first) is; "
        + "the events behind it were made to follow it"
    case .beingRetried(let stream): "stream \(stream) is being retried right now; wait until that has ended"
    case .isRebuilding(let name): "\(name) is being rebuilt by another process"
    case .cannotRebuild(let reason): reason
    case .changed(let name): "the partitions of \(name) were changed meanwhile; run the command again"
    }
  }
}

/// What kind of failure an error is.
enum FailureKind: Sendable {
  /// The surroundings are at fault and may be better soon: a lost connection, a full disk, a deadlock.
  case transient
  /// Every event would fail like this: a table is missing, a right was not granted. No event is to blame.
  case systemic
  /// The event, or what the handler makes of it.
  case poison

  init(of error: any Error) {
    switch error {
    case let error as any TransientFailure: self = error.isTransient ? .transient : .poison
    case let error as AppendError:
      switch error {
      case .overloaded, .unavailable: self = .transient
      default: self = .poison
      }
    case let error as PostgresError:
      guard error.kind == .server, let state = error.sqlState?.code else {
        self = error.kind == .decoding ? .poison : .transient
        return
      }
      // 22 and 23: data; P0: raised by a function; 54: a limit, such as JSON nested too deeply; 21: too many rows;
      // 25P02 hides the failure of a statement before it.
      switch state.prefix(2) {
      case "22", "23", "54", "21", "P0", "25": self = .poison
      case "42", "3F", "0A", "3D", "28": self = .systemic
      default: self = .transient
      }
    default: self = .poison
    }
  }
}

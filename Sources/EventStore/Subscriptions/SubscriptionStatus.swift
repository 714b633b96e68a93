import Vocabulary

/// How far a subscription is, and how it fares.
public struct SubscriptionStatus: Sendable {
  public let name: String
  public let partitions: [PartitionStatus]
  public let parkedStreams: Int
  public let parkedEvents: Int
  public let rebuild: RebuildStatus?

  /// Up to here everything took effect, or is parked.
  public var position: Position { partitions.map(\.position).min() ?? .start }
  /// How many events took effect.
  public var events: Int64 { partitions.reduce(0) { $0 + $1.events } }
  /// How many positions it is behind the end of the log.
  public var lag: Int64 { partitions.map(\.lag).max() ?? 0 }
  /// Age of the oldest event that it still has to handle, in seconds; 0 if there is none.
  public var lagSeconds: Int64 { partitions.map(\.lagSeconds).max() ?? 0 }
  /// The error of the last try, if it failed; the events after ``position`` are waiting.
  public var lastError: String? { partitions.lazy.compactMap(\.lastError).first }
  /// Whether an event holds it up that it will not pass.
  public var isStopped: Bool { partitions.contains(where: \.isStopped) }
  /// Whether every partition has a worker that is alive. A subscription that only commands ever ran has none.
  public var isOwned: Bool { partitions.allSatisfy(\.isOwned) }
  /// Whether workers are meant to run it: one has before.
  public var isFollowed: Bool { partitions.contains(where: \.isFollowed) }
  /// The alarm: it was run by a worker, is behind, and nobody has had it for longer than a lease.
  public var isUnowned: Bool { partitions.contains(where: \.isUnowned) }
  /// Whether somebody should look at it.
  public var needsAttention: Bool { lastError != nil || isStopped || isUnowned || parkedEvents > 0 }
}

public struct PartitionStatus: Sendable {
  /// `name`, or `name/0` … if there are several.
  public let key: String
  public let position: Position
  public let events: Int64
  public let lag: Int64
  public let lagSeconds: Int64
  /// Host and process of its worker; nil if nobody has it.
  public let owner: String?
  /// Grows with each new owner.
  public let epoch: Int64
  public let leaseExpiresAt: Timestamp?
  public let lastError: String?
  public let failingSince: Timestamp?
  /// How often the event after ``position`` has failed alone.
  public let attempts: Int
  public let isStopped: Bool
  public let isOwned: Bool
  public let isFollowed: Bool
  public let isUnowned: Bool
  public let generation: Int
}

/// How far a rebuild is.
public struct RebuildStatus: Sendable {
  public let position: Position
  /// Where the subscription itself is, which the rebuild must reach.
  public let target: Position
  public let isOwned: Bool
  public let lastError: String?

  public var fraction: Double {
    target.rawValue == 0 ? 1 : min(1, Double(position.rawValue) / Double(target.rawValue))
  }
}

/// An event in the queue of a parked stream, or one that was skipped.
public struct ParkedEvent: Sendable {
  public let subscription: String
  public let stream: String
  public let position: Position
  public let type: String
  /// The error of the first event in the queue, of which the others wait for.
  public let error: String?
  public let attempts: Int
  public let parkedAt: Timestamp
  public let ageSeconds: Int64
  /// Whether it is the one that failed.
  public let isFirst: Bool
  public let skippedAt: Timestamp?
  public let skippedBy: String?
}

/// What a chaos worker does. Together with the seed it decides every draw; what comes of them, the races decide.
public struct Workload: Codable, Sendable {
  public var seed: UInt64
  /// Few, so that writers meet.
  public var streams = 10
  public var writers = 6
  public var readers = 2
  /// Milliseconds between two operations of one writer or reader, at most.
  public var pause = 6
  /// Of a hundred appends: how many are part of a longer transaction, repeat what was appended already, use an id
  /// again under other content, and hold data that the database refuses.
  public var inTransaction = 8
  public var repeated = 5
  public var reused = 2
  public var poisonous = 2
  /// Of a thousand batches: how many a projection's handler fails after it has written.
  public var handlerFailures = 5
  /// How long an append whose connection was lost is sent again. Short, so that some stay unknown.
  public var retrySeconds = 2
  public var poolSize = 6
  public var followsLog = true

  public init(seed: UInt64) { self.seed = seed }

  static let category = "chaos"
  func stream(_ number: Int) -> String { "\(Self.category)-\(number)" }
}

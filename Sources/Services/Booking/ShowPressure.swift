/// How much waits for one show in this process.
public struct ShowPressure: Sendable, Hashable {
  public let waiting: Int
  /// Most that may wait; more is refused at once.
  public let limit: Int
  /// Commands that were answered a second lately; nil before the first.
  public let perSecond: Double?
  /// When it is worth coming again, in seconds.
  public let retryAfter: Int
}

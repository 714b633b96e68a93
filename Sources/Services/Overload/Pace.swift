/// How fast something has been answered lately, to tell who comes too much when to come again.
///
/// A moving average: the latest sample counts a quarter.
public struct Pace: Sendable, Hashable {
  /// Longer waits are not promised: nobody knows what happens until then.
  public static let longestWait = 60

  /// nil until something has been answered.
  public private(set) var perSecond: Double?

  public init() {}

  public mutating func answered(_ count: Int, in duration: Duration) {
    // An answer within the clock's resolution is no measurement.
    let seconds = max(duration / .seconds(1), 0.000_001)
    let sample = Double(count) / seconds
    perSecond = perSecond.map { ($0 * 3 + sample) / 4 } ?? sample
  }

  /// Whole seconds until so many have been answered, 1 to ``longestWait``; 1 if nothing has been measured.
  ///
  /// - Parameter elapsed: how long what is under way has taken. If that is longer than the average lets expect,
  ///   something has slowed down, and the rest is not expected to go faster.
  public func seconds(for count: Int, elapsed: Duration = .zero) -> Int {
    let expected = perSecond.map { $0 > 0 ? Double(count) / $0 : 0 } ?? 0
    let seconds = max(expected, elapsed / .seconds(1)).rounded(.up)
    // Compared as a fraction: an integer might not hold it.
    return seconds >= Double(Self.longestWait) ? Self.longestWait : max(1, Int(seconds))
  }
}

/// How much one client may ask for. Without limits nobody is counted.
public struct RateLimits: Sendable, Hashable {
  /// So many requests in so many seconds, steadily or all at once after a pause: a token bucket that holds `quota`
  /// tokens and is filled evenly within `window`.
  public struct Rate: Sendable, Hashable {
    public static let quotas = 1...1_000_000
    public static let windows = 1...86_400

    public let quota: Int
    /// In seconds.
    public let window: Int

    /// nil outside of ``quotas`` and ``windows``.
    public init?(_ quota: Int, per window: Int) {
      guard Self.quotas.contains(quota), Self.windows.contains(window) else { return nil }
      self.quota = quota
      self.window = window
    }

    /// `QUOTA/SECONDS`, such as `50/10`.
    public init?(_ text: String) {
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let quota = parts[0], let window = parts[1] else { return nil }
      self.init(quota, per: window)
    }
  }

  /// Clients that are remembered; beyond that, who has not come for longest is forgotten and has a full quota again.
  public static let maximumClients = 100_000

  /// For requests that change something.
  public var writes: Rate?
  /// For all others.
  public var reads: Rate?
  /// Whose `X-Forwarded-For` is believed.
  public var trustedProxies: [AddressBlock]

  public init(writes: Rate? = nil, reads: Rate? = nil, trustedProxies: [AddressBlock] = []) {
    self.writes = writes
    self.reads = reads
    self.trustedProxies = trustedProxies
  }

  var isNone: Bool { writes == nil && reads == nil }
}

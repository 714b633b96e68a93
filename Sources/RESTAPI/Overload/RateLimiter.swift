import HTTPTypes
import Hummingbird
import NIOCore
import Services
import Synchronization
import Vocabulary

/// Counts what each client asks for, and refuses what goes beyond its quota.
///
/// A client is an address: of the connection, or, if that is a trusted proxy's, the last one in `X-Forwarded-For` that
/// is not. Whatever stands before that one was written by the client and is not believed.
final class RateLimiter: Sendable {
  /// What a request counts as.
  enum Kind: String, Sendable { case reads, writes }

  private struct Key: Hashable {
    let client: IPAddress?
    let kind: Kind
  }

  /// What a request has left of the quota.
  struct Standing: Sendable, Hashable {
    let kind: Kind
    let rate: RateLimits.Rate
    let isAdmitted: Bool
    let remaining: Int
    let secondsToToken: Int
    let secondsToFull: Int
  }

  private struct State {
    var buckets: RecentlyUsed<Key, TokenBucket>
    var refused: [Kind: Int] = [:]
  }

  private let limits: RateLimits
  /// In microseconds; it need not be the time of day.
  private let clock: @Sendable () -> Int64
  private let state: Mutex<State>

  init(
    _ limits: RateLimits, maximumClients: Int = RateLimits.maximumClients,
    clock: @escaping @Sendable () -> Int64 = RateLimiter.uptime
  ) {
    self.limits = limits
    self.clock = clock
    // A client that reads and writes has two buckets.
    state = Mutex(State(buckets: RecentlyUsed(capacity: maximumClients * 2)))
  }

  /// Goes on evenly, whatever happens to the time of day.
  static let uptime: @Sendable () -> Int64 = {
    let start = ContinuousClock.now
    return { Int64((ContinuousClock.now - start) / .microseconds(1)) }
  }()

  var refused: [(kind: Kind, count: Int)] {
    let counts = state.withLock { $0.refused }
    return [Kind.reads, .writes].map { (kind: $0, count: counts[$0] ?? 0) }
  }

  /// Buckets that are kept.
  var count: Int { state.withLock { $0.buckets.count } }

  /// Counts a request; nil if it is not limited.
  func admit(_ request: Request, from remote: @autoclosure () -> String?) -> Standing? {
    guard !limits.isNone, Self.isLimited(request.uri.path) else { return nil }
    let kind: Kind = [.get, .head, .options].contains(request.method) ? .reads : .writes
    return admit(kind, client(remote(), request.headers[values: .xForwardedFor]))
  }

  func admit(_ kind: Kind, _ client: IPAddress?) -> Standing? {
    guard let rate = kind == .writes ? limits.writes : limits.reads else { return nil }
    return state.withLock { state in
      // Read under the lock, so that a bucket's clock does not go back.
      let now = clock()
      let standing = state.buckets.update(
        Key(client: client?.client, kind: kind), default: TokenBucket(rate, at: now)
      ) { bucket in
        let isAdmitted = bucket.take(rate, at: now)
        return Standing(
          kind: kind, rate: rate, isAdmitted: isAdmitted, remaining: bucket.remaining(rate),
          secondsToToken: bucket.secondsToToken(rate), secondsToFull: bucket.secondsToFull(rate))
      }
      if !standing.isAdmitted { state.refused[kind, default: 0] += 1 }
      return standing
    }
  }

  /// - Parameter forwarded: the values of `X-Forwarded-For`, each a list.
  func client(_ remote: String?, _ forwarded: [String]) -> IPAddress? {
    var client = remote.flatMap { IPAddress($0) }
    for hop in forwarded.flatMap({ $0.split(separator: ",") }).reversed() {
      guard let current = client, limits.trustedProxies.contains(where: { $0.contains(current) }) else {
        break
      }
      // Something else than an address says nothing about who is behind the proxy.
      guard let next = IPAddress(hop.trimming(while: { $0 == " " || $0 == "\t" })) else { break }
      client = next
    }
    return client
  }

  /// Operators' probes are not, and neither are payment providers, which sign what they send: refusing them would
  /// keep orders waiting.
  private static func isLimited(_ path: String) -> Bool {
    path.hasPrefix("/v1/") && !path.hasPrefix("/v1/payments/webhooks/")
  }
}

// What the client is told, by draft-ietf-httpapi-ratelimit-headers-10.
extension RateLimiter.Standing {
  func describe(in headers: inout HTTPFields) {
    headers[.rateLimitPolicy] = "\"\(kind.rawValue)\";q=\(rate.quota);w=\(rate.window)"
    headers[.rateLimit] = "\"\(kind.rawValue)\";r=\(remaining);t=\(secondsToFull)"
  }

  var problem: Problem {
    Problem(
      .tooManyRequests, "rate-limited",
      """
      One client may send \(rate.quota) requests in \(rate.window) seconds that \
      \(kind == .writes ? "change something" : "only read"); nothing was done. Try again in \(secondsToToken) seconds
      """
    ).retry(after: max(1, secondsToToken))
  }
}

extension Substring {
  fileprivate func trimming(while isUnwanted: (Character) -> Bool) -> Substring {
    var rest = drop(while: isUnwanted)
    while let last = rest.last, isUnwanted(last) { rest.removeLast() }
    return rest
  }
}

extension HTTPField.Name {
  static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
  static let rateLimit = HTTPField.Name("RateLimit")!
  static let rateLimitPolicy = HTTPField.Name("RateLimit-Policy")!
}

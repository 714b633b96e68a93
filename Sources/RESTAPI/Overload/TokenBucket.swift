/// What is left of a client's quota. It starts full and fills evenly.
///
/// All in integers, so nothing is lost by rounding: a token is as many units as the window has microseconds, and each
/// microsecond brings as many units as the quota has tokens. The largest quota and window make less than 2⁵⁷ units.
struct TokenBucket: Sendable, Hashable {
  private var units: Int64
  /// When that was, in microseconds of the caller's clock.
  private var time: Int64

  init(_ rate: RateLimits.Rate, at now: Int64) {
    units = rate.capacity
    time = now
  }

  /// Takes a token if there is one.
  mutating func take(_ rate: RateLimits.Rate, at now: Int64) -> Bool {
    fill(rate, at: now)
    guard units >= rate.token else { return false }
    units -= rate.token
    return true
  }

  private mutating func fill(_ rate: RateLimits.Rate, at now: Int64) {
    // A clock that has gone back takes nothing away. More than a window fills any bucket.
    let elapsed = min(max(0, now - time), rate.token)
    units = min(rate.capacity, units + elapsed * Int64(rate.quota))
    time = max(time, now)
  }

  /// Whole tokens that are left.
  func remaining(_ rate: RateLimits.Rate) -> Int { Int(units / rate.token) }

  /// Whole seconds until there is a token.
  func secondsToToken(_ rate: RateLimits.Rate) -> Int { rate.seconds(for: rate.token - units) }

  /// Whole seconds until the bucket is full.
  func secondsToFull(_ rate: RateLimits.Rate) -> Int { rate.seconds(for: rate.capacity - units) }
}

extension RateLimits.Rate {
  /// In units.
  fileprivate var token: Int64 { Int64(window) * 1_000_000 }
  fileprivate var capacity: Int64 { token * Int64(quota) }

  /// Rounded up, so that who waits for so long is not refused again.
  fileprivate func seconds(for units: Int64) -> Int {
    let perSecond = Int64(quota) * 1_000_000
    return units <= 0 ? 0 : Int((units + perSecond - 1) / perSecond)
  }
}

import TestSupport
import Testing

@testable import RESTAPI

@Suite("The rate limiter")
struct RateLimiterTests {
  /// A token bucket by its definition, with every admitted request remembered: in no span of time are more admitted
  /// than the quota and what the time brings.
  private struct Model {
    let rate: RateLimits.Rate
    var admitted: [Int64] = []

    mutating func take(at now: Int64) -> Bool {
      let window = Int64(rate.window) * 1_000_000
      let isAdmitted = admitted.indices.allSatisfy { first in
        let count = Int64(admitted.count - first) + 1
        return (count - Int64(rate.quota)) * window <= (now - admitted[first]) * Int64(rate.quota)
      }
      if isAdmitted { admitted.append(now) }
      return isAdmitted
    }
  }

  @Test("a bucket admits exactly what its definition does, whenever requests come", arguments: 0..<40)
  func referenceModel(run: Int) throws {
    var random = SeededRandom(for: "token bucket against its definition, run \(run)")
    let rate = try #require(
      RateLimits.Rate(Int.random(in: 1...12, using: &random), per: Int.random(in: 1...9, using: &random)))
    var now: Int64 = Int64.random(in: 0...1_000_000_000, using: &random)
    var model = Model(rate: rate)
    var bucket = TokenBucket(rate, at: now)
    var refusals = 0
    for step in 0..<400 {
      // Bursts, odd gaps, exact multiples of a token's time, and long pauses.
      let token = Int64(rate.window) * 1_000_000 / Int64(rate.quota)
      now +=
        [
          0, 1, token, Int64.random(in: 0...token * 2, using: &random),
          step % 50 == 0 ? token * 40 : Int64.random(in: 0...3, using: &random),
        ].randomElement(using: &random) ?? 0
      let (expected, actual) = (model.take(at: now), bucket.take(rate, at: now))
      try #require(expected == actual, "\(rate) at \(now), step \(step)")
      if !actual {
        refusals += 1
        // The promise of Retry-After: whoever waits for so long is admitted, and a second earlier is too early.
        var later = bucket
        let wait = bucket.secondsToToken(rate)
        #expect(wait >= 1)
        let isAdmittedLater = later.take(rate, at: now + Int64(wait) * 1_000_000)
        #expect(isAdmittedLater)
        var tooEarly = bucket
        let isAdmittedEarlier = tooEarly.take(rate, at: now + Int64(wait - 1) * 1_000_000)
        #expect(!isAdmittedEarlier)
      }
    }
    #expect(refusals > 0)
  }

  @Test("quotas at their bounds do not overflow, and a clock that goes back takes nothing away")
  func bounds() throws {
    let rate = try #require(
      RateLimits.Rate(RateLimits.Rate.quotas.upperBound, per: RateLimits.Rate.windows.upperBound))
    var bucket = TokenBucket(rate, at: 0)
    let taken = (0..<1000).map { _ in bucket.take(rate, at: 0) }
    #expect(!taken.contains(false))
    #expect(bucket.remaining(rate) == rate.quota - 1000)
    let late = [bucket.take(rate, at: -5), bucket.take(rate, at: .max / 2)]
    #expect(late == [true, true])
    #expect(bucket.remaining(rate) == rate.quota - 1)
    #expect(RateLimits.Rate(0, per: 1) == nil && RateLimits.Rate(1, per: 0) == nil)
    #expect(RateLimits.Rate("50/10") == RateLimits.Rate(50, per: 10))
    #expect(RateLimits.Rate("50") == nil && RateLimits.Rate("50/") == nil && RateLimits.Rate("-1/1") == nil)
  }

  @Test("clients do not share a quota, reads and writes do not either, and the time brings tokens back")
  func separate() throws {
    let now = Shared<Int64>(0)
    let limiter = RateLimiter(
      RateLimits(writes: RateLimits.Rate(2, per: 10), reads: RateLimits.Rate(3, per: 1)), clock: { now.value }
    )
    func admits(_ kind: RateLimiter.Kind, _ client: String) -> Bool? {
      limiter.admit(kind, IPAddress(client))?.isAdmitted
    }
    #expect(
      [admits(.writes, "10.0.0.1"), admits(.writes, "10.0.0.1"), admits(.writes, "10.0.0.1")] == [
        true, true, false,
      ])
    #expect(admits(.writes, "10.0.0.2") == true)
    #expect(admits(.reads, "10.0.0.1") == true)
    // A customer has a whole /64 of the newer addresses.
    #expect(admits(.writes, "2001:db8::1") == true && admits(.writes, "2001:db8::2") == true)
    #expect(admits(.writes, "2001:db8::3") == false && admits(.writes, "2001:db8:0:1::3") == true)
    now.update { $0 += 5_000_000 }
    #expect([admits(.writes, "10.0.0.1"), admits(.writes, "10.0.0.1")] == [true, false])
    #expect(limiter.refused.map(\.count) == [0, 3])
  }

  @Test("as many clients come as like: only so many are remembered, and who keeps coming is not forgotten")
  func bounded() throws {
    let limiter = RateLimiter(
      RateLimits(writes: RateLimits.Rate(1, per: 1000)), maximumClients: 10, clock: { 0 })
    let eager = IPAddress("10.1.1.1")
    #expect(limiter.admit(.writes, eager)?.isAdmitted == true)
    for number in 0..<5_000 {
      _ = limiter.admit(.writes, IPAddress("10.0.\(number / 250).\(number % 250)"))
      #expect(limiter.admit(.writes, eager)?.isAdmitted == false)
    }
    #expect(limiter.count == 20)
  }

  @Test(
    "a client is the last address that no trusted proxy has; what it wrote itself is not believed",
    arguments: [
      // connection, X-Forwarded-For, client
      ("203.0.113.9", [], "203.0.113.9"),
      ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
      ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
      ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
      ("10.0.0.1", ["6.6.6.6", "198.51.100.1, 10.2.3.4"], "198.51.100.1"),
      ("10.0.0.1", ["unknown"], "10.0.0.1"),
      ("10.0.0.1", ["6.6.6.6, garbage"], "10.0.0.1"),
      ("::ffff:10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
      ("10.0.0.1", [], "10.0.0.1"),
    ] as [(String, [String], String)])
  func clients(remote: String, forwarded: [String], client: String) throws {
    let limiter = RateLimiter(
      RateLimits(
        reads: RateLimits.Rate(1, per: 1), trustedProxies: [try #require(AddressBlock("10.0.0.0/8"))]))
    #expect(limiter.client(remote, forwarded) == IPAddress(client))
  }

  @Test("blocks contain what begins with their bits")
  func blocks() throws {
    func block(_ text: String, contains address: String) throws -> Bool {
      let (block, address) = (try #require(AddressBlock(text)), try #require(IPAddress(address)))
      return block.contains(address)
    }
    #expect(try block("172.16.0.0/12", contains: "172.31.255.255"))
    #expect(try !block("172.16.0.0/12", contains: "172.32.0.0"))
    #expect(try block("0.0.0.0/0", contains: "8.8.8.8"))
    #expect(try !block("0.0.0.0/0", contains: "::1"))
    #expect(try block("2001:db8::/33", contains: "2001:db8:7fff::1"))
    #expect(try !block("2001:db8::/33", contains: "2001:db8:8000::1"))
    #expect(try block("127.0.0.1", contains: "127.0.0.1"))
    for wrong in ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129", "example.com", "10.0.0.0/x"] {
      #expect(AddressBlock(wrong) == nil, "\(wrong)")
    }
  }
}

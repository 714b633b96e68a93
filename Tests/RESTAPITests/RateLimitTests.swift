import HTTPTypes
import TestSupport
import Testing

@testable import RESTAPI

@Suite("Rate limits")
struct RateLimitTests {
  private static func options(writes: String? = nil, reads: String? = nil) -> RESTAPI.Options {
    var options = RESTFixture.patient
    options.limits = RateLimits(
      writes: writes.flatMap { RateLimits.Rate($0) }, reads: reads.flatMap { RateLimits.Rate($0) },
      trustedProxies: ["127.0.0.0/8"].compactMap { AddressBlock($0) })
    return options
  }

  @Test("who asks for too much gets a 429 that says when to come again, and nothing is done")
  func refused() async throws {
    try await RESTFixture.with(.live, roles: [], options: Self.options(writes: "3/3600")) { fixture in
      let first = try await fixture.schedule("first")
      #expect(first.headers[.rateLimitPolicy] == #""writes";q=3;w=3600"#)
      #expect(first.headers[.rateLimit]?.hasPrefix(#""writes";r=2;t="#) == true)
      try await fixture.schedule("second")
      // What is refused for another reason counts too.
      try await fixture.post("/v1/shows", [:]).expecting(.badRequest)
      let refused = try await fixture.post("/v1/shows", RESTFixture.show("fourth"))
      let problem = refused.expectProblem(429, "rate-limited")
      #expect(problem["retryable"] == true)
      let seconds = try #require(refused.headers[.retryAfter].flatMap { Int($0) })
      #expect((1...1200).contains(seconds))
      #expect(problem["retry_after_seconds"] == .integer(Int64(seconds)))
      #expect(refused.headers[.rateLimit]?.hasPrefix(#""writes";r=0;t="#) == true)
      // Reads are not limited here, and say nothing of limits.
      let shows = try await fixture.get("/v1/events").expecting(.ok)
      #expect(!shows.text.contains("fourth"))
      #expect(shows.headers[.rateLimit] == nil)
      let metrics = try await fixture.get("/actuator/prometheus").text
      #expect(metrics.contains("\naisle_rate_limited_total{policy=\"writes\"} 1\n"))
    }
  }

  @Test("clients behind a trusted proxy have a quota each")
  func forwarded() async throws {
    try await RESTFixture.with(.live, roles: [], options: Self.options(reads: "1/3600")) { fixture in
      func status(_ client: String) async throws -> Int {
        try await fixture.get("/v1/events", headers: [.xForwardedFor: client]).status.code
      }
      var statuses: [Int] = []
      for client in ["198.51.100.1", "198.51.100.1", "198.51.100.2", "198.51.100.3, 198.51.100.2"] {
        statuses.append(try await status(client))
      }
      #expect(statuses == [200, 429, 200, 429])
    }
  }

  @Test("operators and payment providers are never limited, and neither is anybody by default")
  func exempt() async throws {
    try await RESTFixture.with(
      .live, roles: [], options: Self.options(writes: "1/86400", reads: "1/86400")
    ) { fixture in
      for _ in 0..<3 {
        for path in ["health", "health/liveness", "health/readiness", "info", "prometheus"] {
          let answer = try await fixture.get("/actuator/\(path)").expecting(.ok)
          #expect(answer.headers[.rateLimit] == nil)
        }
        try await fixture.post("/v1/payments/webhooks/nobody", [:]).expecting(.notFound)
      }
    }
    try await RESTFixture.with(.live, roles: []) { fixture in
      for _ in 0..<30 {
        let answer = try await fixture.get("/v1/events").expecting(.ok)
        #expect(answer.headers[.rateLimit] == nil && answer.headers[.rateLimitPolicy] == nil)
      }
    }
  }
}

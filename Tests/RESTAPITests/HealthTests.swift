import Hummingbird
import TestSupport
import Testing

@Suite("Health and metrics")
struct HealthTests {
  @Test("a process that answers is alive")
  func liveness() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      let answer = try await fixture.get("/actuator/health/liveness").expecting(.ok)
      #expect(answer.text == #"{"status":"UP"}"#)
    }
  }

  @Test("a process whose database answers is ready, and shows how far each subscription is")
  func readiness() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.settle()
      for path in ["/actuator/health", "/actuator/health/readiness"] {
        let health = try await fixture.get(path).expecting(.ok).json
        #expect(health["status"] == "UP")
        #expect(health["components"]["database"] == ["status": "UP", "position": 1])
        let subscriptions = health["components"]["subscriptions"]
        #expect(
          Set(subscriptions.object.keys) == [
            "shows", "orders", "billing", "cancellations", "payments", "cancelled-shows",
          ])
        #expect(
          subscriptions["shows"] == [
            "status": "UP", "position": 1, "lag": 0, "lag_seconds": 0, "owned": true, "parked_events": 0,
            "parked_streams": 0,
          ])
      }
    }
  }

  @Test("without its database a process is alive but not ready, and metrics say so")
  func databaseAway() async throws {
    try await RESTFixture.withoutDatabase { fixture in
      let readiness = try await fixture.get("/actuator/health/readiness").expecting(.serviceUnavailable)
      #expect(
        readiness.json == [
          "status": "DOWN", "components": ["database": ["status": "DOWN"], "subscriptions": [:]],
        ])
      try await fixture.get("/actuator/health/liveness").expecting(.ok)
      let metrics = try await fixture.get("/actuator/prometheus").expecting(.ok)
      #expect(metrics.text.contains("\naisle_database_up 0\n"))
    }
  }

  @Test("without its database a process refuses requests for now, and tells nothing about where it is")
  func refusals() async throws {
    try await RESTFixture.withoutDatabase { fixture in
      let answers = [
        try await fixture.post("/v1/shows", RESTFixture.show()), try await fixture.get("/v1/shows"),
        try await fixture.get("/v1/events"), try await fixture.get("/v1/orders/o-1"),
        try await fixture.get("/v1/accounts/acc-1/bills/2026-11"),
      ]
      for answer in answers {
        let problem = answer.expectProblem(503, "unavailable")
        #expect(problem["retryable"] == true)
        #expect(answer.headers[.retryAfter] == "1")
        #expect(!answer.text.contains("nonexistent"))
      }
    }
  }

  @Test("a subscription that fails is shown as down, and takes no traffic away: decisions do not need it")
  func failingSubscription() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.settle()
      try await fixture.asOwner("alter table aisle.orders rename to orders_lost")
      try await fixture.buy(["A-1"])
      let health = try await eventually("the subscription is shown as down") {
        try await fixture.get("/actuator/health/readiness")
      } until: {
        $0.json["components"]["subscriptions"]["orders"]["status"] == "DOWN"
      }
      #expect(health.status == .ok)
      #expect(health.json["status"] == "UP")
      #expect(health.json["components"]["subscriptions"]["shows"]["status"] == "UP")
      // The error itself may quote data.
      #expect(!health.text.contains("orders_lost") && !health.text.contains("aisle.orders"))
      let metrics = try await fixture.get("/actuator/prometheus").text
      #expect(metrics.contains("\naisle_subscription_failing{subscription=\"orders\"} 1\n"))
    }
  }

  @Test("information names the log that this process works on")
  func info() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.schedule()
      let info = try await fixture.get("/actuator/info").expecting(.ok).json
      #expect(info["name"] == "aisle")
      #expect(info["version"] == "development")
      #expect(info["tenant"] == 1)
      #expect(info["position"] == 1)
      #expect(info["log_id"].string?.count == 36)
    }
  }

  @Test("metrics count requests by method, route and status")
  func requests() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.schedule()
      for _ in 1...3 { try await fixture.get("/v1/orders/o-1").expectProblem(404, "order-not-found") }
      try await fixture.get("/nowhere").expectProblem(404, "no-such-path")
      let answer = try await fixture.get("/actuator/prometheus").expecting(.ok)
      #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
      let lines = answer.text.split(separator: "\n").map(String.init)
      let name = "http_server_request_duration_seconds_count"
      for (labels, count) in [
        (#"method="POST",route="/v1/shows",status="201""#, 1),
        (#"method="GET",route="/v1/orders/{order_id}",status="404""#, 3),
        (#"method="GET",route="unmatched",status="404""#, 1),
      ] {
        #expect(lines.contains("\(name){\(labels)} \(count)"), "\(lines.filter { $0.hasPrefix(name) })")
      }
      #expect(lines.contains("aisle_booking_events_total 1"))
      #expect(lines.contains("aisle_log_position 1"))
    }
  }

  @Test("metrics are in Prometheus' text format: each sample after its family, buckets that only grow")
  func format() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      try await fixture.settle()
      var families: [String: String] = [:]
      var samples: Set<String> = []
      var bucket = (labels: "", count: 0)
      for line in try await fixture.get("/actuator/prometheus").expecting(.ok).text.split(separator: "\n") {
        if let type = line.wholeMatch(of: /# TYPE (\w+) (\w+)/) { families["\(type.1)"] = "\(type.2)" }
        if line.hasPrefix("#") { continue }
        let sample = try #require(line.wholeMatch(of: /(\w+)(\{.*\})? ([0-9.e+-]+)/), "\(line)")
        let name = String(sample.1).replacing(/_(bucket|sum|count)$/, with: "")
        #expect(families[name] ?? families[String(sample.1)] != nil, "\(line)")
        #expect(samples.insert("\(sample.1)\(sample.2 ?? "")").inserted, "\(line)")
        guard sample.1.hasSuffix("_bucket"), let count = Int(sample.3) else { continue }
        let labels = String(sample.2 ?? "").replacing(/,le="[^"]*"/, with: "")
        if labels == bucket.labels { #expect(count >= bucket.count, "\(line)") }
        bucket = (labels, count)
      }
      #expect(families["http_server_request_duration_seconds"] == "histogram")
    }
  }
}

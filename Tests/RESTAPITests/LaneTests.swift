import HTTPTypes
import PostgreSQL
import TestSupport
import Testing

@testable import RESTAPI

/// Reports that wait for a lock that the test holds, while somebody buys.
@Suite("Reports and sales", .timeLimit(.minutes(2)))
struct LaneTests {
  private static let report = "/v1/billing/months/2026-11?source=pre-aggregated"

  private static func options(reportsAtOnce: Int? = nil) -> RESTAPI.Options {
    var options = RESTFixture.patient
    options.reportsAtOnce = reportsAtOnce
    // Nobody gives up: the test decides when the block ends.
    options.reportPatience = .seconds(100)
    return options
  }

  /// Asks for reports until so many wait for a lock in the database, and does `body`. Gives the reports' answers.
  private func whileReports(
    _ count: Int, waitIn fixture: RESTFixture, blocked: Int, _ body: @Sendable () async throws -> Void
  ) async throws -> [Answer] {
    try await withPool(fixture.conninfo, size: 2) { owner in
      try await withThrowingTaskGroup(of: Answer.self) { group in
        try await owner.transaction { connection in
          try await connection.executeScript("lock table aisle.billing_months in access exclusive mode")
          for _ in 0..<count { group.addTask { try await fixture.get(Self.report) } }
          _ = try await eventually("\(blocked) reports wait for the lock") {
            try await owner.query(
              """
              select count(*) from pg_stat_activity
              where datname = current_database() and wait_event_type = 'Lock'
              """
            ).first?.decode(Int.self)
          } until: {
            $0 == blocked
          }
          try await body()
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }
  }

  private func buy(in fixture: RESTFixture) async throws -> (hold: Answer, order: Answer?) {
    let hold = try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "ann", "seats": ["A-1"]])
    guard let id = hold.json["hold_id"].string else { return (hold, nil) }
    return (hold, try await fixture.post("/v1/orders", RESTFixture.order(id)))
  }

  @Test(
    "with every report blocked and more in line, a hold and an order succeed; one report too many is refused")
  func bulkhead() async throws {
    try await RESTFixture.with(roles: [], options: Self.options(), connections: 2, reportConnections: 2) {
      fixture in
      try await fixture.schedule()
      let answers = try await whileReports(10, waitIn: fixture, blocked: 2) {
        _ = try await eventually("the line is full") {
          try await fixture.get("/actuator/prometheus").text
        } until: {
          $0.contains("\naisle_lane_active{lane=\"reports\"} 2\n")
            && $0.contains("\naisle_lane_waiting{lane=\"reports\"} 8\n")
        }
        let refused = try await fixture.get(Self.report)
        let problem = refused.expectProblem(503, "overloaded")
        #expect(problem["retryable"] == true)
        #expect(refused.headers[.retryAfter].flatMap { Int($0) }.map((1...60).contains) == true)
        for path in ["/v1/shows", "/v1/orders", "/v1/events", "/v1/accounts/acc-1/bills/2026-11"] {
          try await fixture.get(path).expectProblem(503, "overloaded")
        }
        let (hold, order) = try await buy(in: fixture)
        try hold.expecting(.created)
        let confirmed = try #require(order).expecting(.created)
        #expect(confirmed.json["status"] == "confirmed")
        let metrics = try await fixture.get("/actuator/prometheus").text
        #expect(metrics.contains("\naisle_lane_refused_total{lane=\"reports\"} 5\n"))
        #expect(metrics.contains("\naisle_lane_refused_total{lane=\"sales\"} 0\n"))
      }
      #expect(answers.map(\.status) == Array(repeating: .ok, count: 10))
    }
  }

  @Test("where reports share the connections of sales, they get half of them at most")
  func sharedConnections() async throws {
    try await RESTFixture.with(roles: [], options: Self.options(), connections: 4) { fixture in
      try await fixture.schedule()
      let answers = try await whileReports(6, waitIn: fixture, blocked: 2) {
        let (hold, order) = try await buy(in: fixture)
        try hold.expecting(.created)
        try #require(order).expecting(.created)
      }
      #expect(answers.map(\.status) == Array(repeating: .ok, count: 6))
    }
  }

  @Test(
    "without any separation the same reports keep buyers out: what is tested above is not there by itself")
  func negativeControl() async throws {
    try await RESTFixture.with(
      roles: [], options: Self.options(reportsAtOnce: 4), connections: 4, acquireTimeout: .milliseconds(300)
    ) { fixture in
      try await fixture.schedule()
      _ = try await whileReports(4, waitIn: fixture, blocked: 4) {
        let (hold, _) = try await buy(in: fixture)
        hold.expectProblem(503, "unavailable")
      }
    }
  }

  // MARK: The lane alone

  @Test("a place goes to who has waited longest, and each is given back, also by who fails")
  func order() async throws {
    let lane = Lane("tests", .init(atOnce: 1, waiting: 10, patience: .seconds(60)))
    let (gate, opening) = AsyncStream<Void>.makeStream()
    let order = Shared<[Int]>([])
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await lane.pass { for await _ in gate {} } }
      for number in 1...5 {
        while lane.occupancy.active + lane.occupancy.waiting < number { await Task.yield() }
        group.addTask {
          try? await lane.pass {
            order.update { $0.append(number) }
            if number.isMultiple(of: 2) { throw CancellationError() }
          }
        }
      }
      while lane.occupancy.waiting < 5 { await Task.yield() }
      opening.finish()
    }
    #expect(order.value == [1, 2, 3, 4, 5])
    #expect(lane.occupancy == .init(active: 0, waiting: 0, refused: 0))
  }

  @Test("who has waited long enough is refused, who gives up leaves the line, and neither keeps a place")
  func impatience() async throws {
    let lane = Lane("tests", .init(atOnce: 1, waiting: 2, patience: .milliseconds(20)))
    let (gate, opening) = AsyncStream<Void>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await lane.pass { for await _ in gate {} } }
      while lane.occupancy.active < 1 { await Task.yield() }
      let problem = await #expect(throws: Problem.self) { try await lane.pass {} }
      #expect(problem?.code == "overloaded" && problem?.retryAfter != nil)
      let quitter = Task { try await lane.pass {} }
      quitter.cancel()
      let end = await quitter.result
      #expect(throws: (any Error).self) { try end.get() }
      #expect(lane.occupancy.active == 1 && lane.occupancy.waiting == 0)
      opening.finish()
      try await group.waitForAll()
    }
    #expect(lane.occupancy.active == 0)
    try await lane.pass {}
  }
}

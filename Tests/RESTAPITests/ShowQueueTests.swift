import HTTPTypes
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("The queue of a show", .timeLimit(.minutes(2)))
struct ShowQueueTests {
  @Test("a full queue answers at once, with how much waits and when to come again; all that waited is done")
  func bounded() async throws {
    try await RESTFixture.with(roles: [], waitingForOneShow: 5) { fixture in
      try await fixture.schedule(seats: 20)
      let held = try await fixture.hold(["A-20"])
      let answers = try await withPool(fixture.conninfo, size: 2) { owner in
        try await withThrowingTaskGroup(of: Answer.self) { group in
          try await owner.transaction { connection in
            // No append can end before this transaction does.
            try await connection.query("select from aisle.log_head where tenant = 1 for update")
            func hold(_ seat: Int) {
              group.addTask {
                try await fixture.post(
                  "/v1/shows/hamlet/holds", ["buyer": "ann", "seats": [.string("A-\(seat)")]])
              }
            }
            hold(1)
            _ = try await eventually("the first hold waits for the log") {
              try await owner.query(
                """
                select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock'
                """
              ).first?.decode(Int.self)
            } until: {
              $0 == 1
            }
            for seat in 2...5 { hold(seat) }
            // Four more are decided on what that append leads to; it is the answers that they wait for.
            _ = try await eventually("five wait for the show") {
              fixture.aisle.booking.metrics.counts.waiting
            } until: {
              $0 == 5
            }

            let refusals = [
              try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "bob", "seats": ["A-7"]]),
              try await fixture.send(.delete, "/v1/holds/\(held)"),
              try await fixture.post("/v1/shows/hamlet/waiting-list", ["buyer": "bob", "count": 1]),
            ]
            for refused in refusals {
              let problem = refused.expectProblem(503, "overloaded")
              #expect(problem["retryable"] == true)
              let detail = problem["detail"].string ?? ""
              #expect(detail.hasPrefix("5 requests already wait for show-hamlet. About "), "\(detail)")
              let seconds = try #require(refused.headers[.retryAfter].flatMap { Int($0) })
              #expect((1...60).contains(seconds))
              #expect(problem["retry_after_seconds"] == .integer(Int64(seconds)))
            }
            let metrics = try await fixture.get("/actuator/prometheus").text
            #expect(metrics.contains("\naisle_show_queue_depth 5\n"))
            #expect(metrics.contains("\naisle_show_queue_refused_total 3\n"))
            // Another show is not concerned: its queue is its own, and takes what comes.
            let pressure = await fixture.aisle.booking.pressure(on: ShowID(unchecked: "macbeth"))
            #expect(pressure == nil)
          }
          return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
      }
      #expect(answers.map(\.status) == Array(repeating: .created, count: 5))
      #expect(fixture.aisle.booking.metrics.counts.waiting == 0)
      try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "bob", "seats": ["A-7"]]).expecting(.created)
    }
  }

  @Test("when to come again follows from what waits and how fast it goes, and is never a minute or more away")
  func pace() {
    var pace = Pace()
    #expect(pace.seconds(for: 100) == 1)
    pace.answered(500, in: .seconds(1))
    #expect(pace.perSecond == 500)
    #expect(pace.seconds(for: 0) == 1 && pace.seconds(for: 500) == 1 && pace.seconds(for: 501) == 2)
    #expect(pace.seconds(for: 10_000) == 20)
    #expect(pace.seconds(for: 10, elapsed: .seconds(7)) == 7)
    #expect(pace.seconds(for: .max) == 60 && pace.seconds(for: 1, elapsed: .seconds(1e9)) == 60)
    pace.answered(100, in: .seconds(1))
    #expect(pace.perSecond == 400)
    pace.answered(5, in: .zero)
    #expect(pace.seconds(for: 1) == 1)
  }
}

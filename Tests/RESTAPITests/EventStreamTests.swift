import HTTPTypes
import HummingbirdTesting
import RESTAPI
import TestSupport
import Testing

@Suite("Server-sent events")
struct EventStreamTests {
  private func stream(of fixture: RESTFixture) throws -> EventStreamClient {
    EventStreamClient(port: try #require(fixture.client.port))
  }

  @Test("a stream begins with the past and goes on with what happens now, in order, each event once")
  func live() async throws {
    try await RESTFixture.with(.live, roles: []) { fixture in
      try await fixture.schedule(seats: 30)
      for number in 1...10 { _ = try await fixture.hold(["A-\(number)"]) }
      let more = Shared(Array(11...20))
      let seen = try await stream(of: fixture).read("/v1/events/stream") { transcript in
        // Once the past has come, one more hold each time that something comes.
        guard transcript.events.count >= 11, let seat = more.update({ $0.popLast() }) else { return }
        _ = try await fixture.hold(["A-\(seat)"])
      } until: {
        $0.events.count >= 21
      }
      #expect(seen.status == 200)
      #expect(seen.headers["content-type"] == "text/event-stream")
      #expect(seen.events.map(\.id) == Array(1...21))
      #expect(seen.events.map(\.data["position"].integer) == seen.events.map(\.id))
    }
  }

  @Test("an event of the stream is the event of the feed")
  func sameEvents() async throws {
    try await RESTFixture.with(.live) { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      let head = try await fixture.settle().rawValue
      let feed = try await fixture.get("/v1/events").expecting(.ok).json.array
      let seen = try await stream(of: fixture).read("/v1/events/stream") { $0.events.count >= Int(head) }
      #expect(seen.events.map(\.data) == feed)
    }
  }

  @Test("a client that comes back with the id of its last event misses nothing and gets nothing twice")
  func resume() async throws {
    try await RESTFixture.with(.live, roles: []) { fixture in
      try await fixture.schedule(seats: 30)
      _ = try await fixture.hold(["A-1"])
      let client = try stream(of: fixture)
      let first = try await client.read("/v1/events/stream?after=0") { $0.events.count >= 2 }
      // While it is away
      for number in 2...9 { _ = try await fixture.hold(["A-\(number)"]) }
      let last = try #require(first.events.last?.id)
      // The header wins over the query, which a browser repeats as it was.
      let second = try await client.read("/v1/events/stream?after=0", lastEventID: "\(last)") {
        $0.events.count >= 8
      }
      #expect((first.events + second.events).map(\.id) == Array(1...10))
    }
  }

  @Test("each of many streams gets every event once, in order, while they are being appended")
  func many() async throws {
    try await RESTFixture.with(.live, roles: []) { fixture in
      try await fixture.schedule(seats: 30)
      let client = try stream(of: fixture)
      let transcripts = try await withThrowingTaskGroup(of: [Int64].self) { group in
        for after in 0..<12 {
          group.addTask {
            // Some begin at the start of the log, some after the first event.
            try await client.read("/v1/events/stream?after=\(after % 2)") {
              $0.events.last?.id == 31
            }.events.map(\.id)
          }
        }
        for number in 1...30 { _ = try await fixture.hold(["A-\(number)"]) }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(transcripts.count == 12)
      #expect(transcripts.allSatisfy { $0 == Array(1...31) || $0 == Array(2...31) }, "\(transcripts)")
    }
  }

  @Test("HEAD of a stream ends at once")
  func head() async throws {
    try await RESTFixture.with(.live) { fixture in
      try await fixture.schedule()
      for path in ["/v1/events/stream", "/v1/shows/hamlet/stream"] {
        let answer = try await fixture.send(.head, path)
        #expect(answer.headers[.contentType] == "text/event-stream")
        #expect(answer.body == [])
      }
    }
  }

  @Test("a selected stream carries only what was selected")
  func filter() async throws {
    try await RESTFixture.with(.live) { fixture in
      try await fixture.schedule()
      for number in 1...3 { try await fixture.buy(["A-\(number)"]) }
      let seen = try await stream(of: fixture).read("/v1/events/stream?type=order-confirmed") {
        $0.events.count >= 3
      }
      #expect(seen.events.map(\.data["type"]) == ["order-confirmed", "order-confirmed", "order-confirmed"])
    }
  }

  @Test("a show's stream tells which seats changed to what, by the show's versions")
  func seats() async throws {
    try await RESTFixture.with(.live) { fixture in
      try await fixture.schedule()
      try await fixture.schedule("macbeth")
      let hold = try await fixture.hold(["A-1", "A-2"])
      _ = try await fixture.hold(["A-1"], of: "macbeth")
      let client = try stream(of: fixture)
      let hasBegun = Shared(false)
      let seen = try await client.read("/v1/shows/hamlet/stream") { transcript in
        guard transcript.events.count == 1, !hasBegun.value else { return }
        hasBegun.update { $0 = true }
        try await fixture.send(.delete, "/v1/holds/\(hold)").expecting(.noContent)
        try await fixture.buy(["A-3"])
      } until: {
        $0.events.count >= 4
      }
      #expect(seen.events.map(\.id) == [2, 3, 4, 5])
      func change(_ seats: [String], _ state: String) -> JSON {
        .array(seats.map { ["seat": .string($0), "state": .string(state)] })
      }
      #expect(
        seen.events.map(\.data["seats"]) == [
          change(["A-1", "A-2"], "held"), change(["A-1", "A-2"], "available"), change(["A-3"], "held"),
          change(["A-3"], "booked"),
        ])
      let resumed = try await client.read("/v1/shows/hamlet/stream", lastEventID: "3") {
        $0.events.count >= 2
      }
      #expect(resumed.events == Array(seen.events.suffix(2)))
    }
  }

  @Test("a version that the show has not reached is refused")
  func beyondVersion() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      try await fixture.get("/v1/shows/hamlet/stream?after=2").expectProblem(
        400, "invalid-request", at: "after")
      try await fixture.get("/v1/shows/hamlet/stream", headers: [.lastEventID: "2"])
        .expectProblem(400, "invalid-request", at: "Last-Event-ID")
    }
  }

  @Test("an idle stream shows that it is alive")
  func heartbeat() async throws {
    var options = RESTFixture.patient
    options.heartbeat = .milliseconds(1)
    try await RESTFixture.with(.live, roles: [], options: options) { fixture in
      try await fixture.schedule()
      let seen = try await stream(of: fixture).read("/v1/events/stream?after=1") {
        $0.comments.contains(": 1")
      }
      #expect(seen.events == [])
    }
  }

  @Test("more streams than the process is allowed are refused for now")
  func tooMany() async throws {
    var options = RESTFixture.patient
    options.maximumStreams = 0
    try await RESTFixture.with(options: options) { fixture in
      let answer = try await fixture.get("/v1/events/stream")
      let problem = answer.expectProblem(503, "too-many-streams")
      #expect(problem["retryable"] == true)
      #expect(answer.headers[.retryAfter] == "10")
    }
  }

  @Test("a stream whose client has gone is closed")
  func closed() async throws {
    try await RESTFixture.with(.live, roles: []) { fixture in
      @Sendable func open() async throws -> String {
        try await fixture.get("/actuator/prometheus").text.split(separator: "\n")
          .first { $0.hasPrefix("aisle_event_streams_open ") }.map(String.init) ?? ""
      }
      try await fixture.schedule()
      let during = Shared("")
      try await stream(of: fixture).read("/v1/events/stream") { transcript in
        guard !transcript.events.isEmpty else { return }
        let now = try await open()
        during.update { $0 = now }
      } until: {
        !$0.events.isEmpty
      }
      #expect(during.value == "aisle_event_streams_open 1")
      _ = try await eventually("no stream is open") {
        try await open()
      } until: {
        $0 == "aisle_event_streams_open 0"
      }
    }
  }

  @Test("the server's shutdown ends its streams")
  func shutdown() async throws {
    let reader = Shared<Task<EventStreamClient.Transcript, any Error>?>(nil)
    let hasBegun = Shared(false)
    try await RESTFixture.with(.live, roles: []) { fixture in
      try await fixture.schedule()
      let client = try stream(of: fixture)
      let task = Task {
        try await client.read("/v1/events/stream") { _ in
          hasBegun.update { $0 = true }
        } until: { _ in
          false
        }
      }
      reader.update { $0 = task }
      _ = try await eventually("the stream is open") {
        hasBegun.value
      } until: {
        $0
      }
    }
    let seen = try await #require(reader.value).value
    #expect(seen.status == 200)
  }
}

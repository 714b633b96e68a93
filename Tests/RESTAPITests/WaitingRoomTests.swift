import Foundation
import HTTPTypes
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("Waiting rooms", .timeLimit(.minutes(2)))
struct WaitingRoomTests {
  private static let queue = "/v1/shows/hamlet/queue"

  /// A show with a waiting room; every look at it is a fresh one.
  private func withRoom(
    shoppers: Int = 1, capacity: Int = 100, _ body: @escaping @Sendable (RESTFixture) async throws -> Void
  ) async throws {
    try await RESTFixture.with(roles: [], roomPatience: .zero) { fixture in
      try await fixture.schedule()
      try await fixture.openRoom(shoppers: shoppers, capacity: capacity)
      try await body(fixture)
    }
  }

  @Test(
    "without an admission nobody holds seats of a show that has a waiting room, and the refusal says where to queue"
  )
  func refused() async throws {
    try await withRoom { fixture in
      let refused = try await fixture.holdAs("ann", "A-1")
      let problem = refused.expectProblem(403, "admission-required", at: "X-Aisle-Admission")
      #expect(problem["queue"] == .string(Self.queue))
      #expect(problem["retryable"] == false)
      // Another show has none, and needs none.
      try await fixture.schedule("macbeth")
      _ = try await fixture.hold(["A-1"], of: "macbeth")
      let nowhere = try await fixture.post("/v1/shows/macbeth/queue", ["buyer": "ann"])
      nowhere.expectProblem(404, "waiting-room-not-found")
      try await fixture.get("/v1/shows/macbeth/queue").expectProblem(404, "waiting-room-not-found")
    }
  }

  @Test("the first is let in at once and buys; the next one waits, and is let in when the order is confirmed")
  func inTurn() async throws {
    try await withRoom { fixture in
      let ann = try await fixture.join("ann").expecting(.created)
      let place = try #require(ann.json["place_id"].string)
      #expect(ann.headers[.location] == "/v1/queue/\(place)")
      let annIn = try await fixture.get("/v1/queue/\(place)").expecting(.ok).json
      #expect(annIn["status"] == "admitted" && annIn["position"] == .null)
      let admission = try #require(annIn["admission"].string)

      let bob = try await fixture.join("bob").expecting(.created)
      #expect(bob.json["status"] == "waiting" && bob.json["position"] == 1)
      #expect(bob.json["admission"] == .null && bob.json["estimated_wait_seconds"] == .null)
      #expect(bob.headers[.retryAfter] == "5" && bob.json["ask_again_after_seconds"] == 5)
      let cid = try await fixture.join("cid").expecting(.created)
      #expect(cid.json["position"] == 2 && cid.headers[.retryAfter] == "15")
      let status = try await fixture.get(Self.queue).json
      #expect(status["waiting"] == 2 && status["admitted"] == 1)

      let hold = try await fixture.holdAs("ann", "A-1", admission: admission).expecting(.created)
      let id = try #require(hold.json["hold_id"].string)
      try await fixture.post("/v1/orders", RESTFixture.order(id)).expecting(.created)
      let bobIn = try await fixture.eventuallyAdmitted(bob)
      try await fixture.holdAs("bob", "A-2", admission: bobIn).expecting(.created)
      #expect(try await fixture.look(cid)["position"] == 1)
      // Ann has used hers up.
      #expect(try await fixture.look(ann)["status"] == "done")
      let again = try await fixture.holdAs("ann", "A-3", admission: admission)
      again.expectProblem(403, "admission-over", at: "X-Aisle-Admission")
    }
  }

  @Test(
    "an admission that was altered, or is another show's or buyer's, is refused, and one that is over too")
  func forged() async throws {
    try await withRoom(shoppers: 2) { fixture in
      let place = try await fixture.join("ann")
      let admission = try await fixture.eventuallyAdmitted(place)
      let parts = admission.split(separator: ".").map(String.init)
      try #require(parts.count == 3)
      let last = String(parts[2].dropLast()) + (parts[2].hasSuffix("A") ? "E" : "A")
      let later = try #require(Int(parts[1])) + 3600
      let other = try await fixture.join("eve")
      let otherPlace = try #require(other.json["place_id"].string)
      for forged in [
        "", "nonsense", "a.b.c", parts[0], "\(parts[0]).\(parts[1])", "\(parts[0]).\(parts[1]).",
        "\(parts[0]).\(parts[1]).\(last)", "\(parts[0]).\(later).\(parts[2])",
        "\(otherPlace).\(parts[1]).\(parts[2])", String(repeating: "a", count: 10_000),
      ] {
        let answer = try await fixture.holdAs("ann", "A-1", admission: forged)
        answer.expectProblem(403, "admission-invalid", at: "X-Aisle-Admission")
      }
      try await fixture.holdAs("eve", "A-1", admission: admission).expectProblem(403, "admission-invalid")
      try await fixture.schedule("macbeth")
      try await fixture.openRoom("macbeth")
      let elsewhere = try await fixture.holdAs("ann", "A-1", of: "macbeth", admission: admission)
      elsewhere.expectProblem(403, "admission-invalid")

      try await fixture.holdAs("ann", "A-1", admission: admission, key: "k-1").expecting(.created)
      try await fixture.asOwner(
        "update aisle.waiting_places set expires_at = now() where status = 'admitted'")
      try await fixture.holdAs("ann", "A-2", admission: admission).expectProblem(403, "admission-over")
      #expect(try await fixture.look(place)["status"] == "expired")
    }
  }

  @Test("a hold that was made is found again with the same key, also when the admission is over")
  func repeatedHold() async throws {
    try await RESTFixture.with(roles: [.booking], roomPatience: .zero) { fixture in
      try await fixture.schedule()
      try await fixture.openRoom()
      let place = try await fixture.join("ann")
      let admission = try await fixture.eventuallyAdmitted(place)
      let first = try await fixture.holdAs("ann", "A-1", admission: admission, key: "k-1").expecting(.created)
      try await fixture.leave(place).expecting(.noContent)
      _ = try await eventually("the read model has the hold") {
        try await fixture.get("/v1/holds/\(first.json["hold_id"].string ?? "")").status
      } until: {
        $0 == .ok
      }
      let again = try await fixture.holdAs("ann", "A-1", admission: admission, key: "k-1").expecting(.created)
      #expect(again.json == first.json && again.headers[.idempotentReplayed] == "true")
      try await fixture.holdAs("ann", "A-1", admission: admission, key: "k-2").expectProblem(
        403, "admission-over")
    }
  }

  @Test(
    "joining again with the same key is the same place; with another buyer it is refused, and so is a second place"
  )
  func idempotent() async throws {
    try await withRoom(shoppers: 1) { fixture in
      _ = try await fixture.join("first")
      let ann = try await fixture.join("ann", key: "k-1").expecting(.created)
      #expect(ann.headers[.idempotentReplayed] == nil)
      _ = try await fixture.join("bob")
      let again = try await fixture.join("ann", key: "k-1").expecting(.created)
      #expect(again.headers[.idempotentReplayed] == "true" && again.json == ann.json)
      try await fixture.join("eve", key: "k-1").expectProblem(422, "id-reused")
      let second = try await fixture.join("ann", key: "k-2")
      second.expectProblem(409, "already-in-line")
      try await fixture.leave(ann).expecting(.noContent)
      try await fixture.leave(ann).expecting(.noContent)
      #expect(try await fixture.look(ann)["status"] == "left")
      // Behind Bob now.
      let back = try await fixture.join("ann", key: "k-2")
      #expect(back.json["position"] == 2)
      try await fixture.get("/v1/queue/hamlet:nothing").expectProblem(404, "waiting-place-not-found")
      try await fixture.send(.delete, "/v1/queue/hamlet:nothing").expectProblem(
        404, "waiting-place-not-found")
    }
  }

  @Test("a full room refuses with when to come again, and takes others when somebody has left")
  func full() async throws {
    try await withRoom(shoppers: 1, capacity: 2) { fixture in
      _ = try await fixture.join("in")
      let first = try await fixture.join("ann").expecting(.created)
      try await fixture.join("bob").expecting(.created)
      let refused = try await fixture.join("cid")
      #expect(refused.expectProblem(503, "waiting-room-full")["retryable"] == true)
      #expect(refused.headers[.retryAfter] == "30")
      try await fixture.leave(first).expecting(.noContent)
      try await fixture.join("cid").expecting(.created)
    }
  }

  @Test("who does not ask is passed over, and who comes later and does is let in")
  func absent() async throws {
    try await withRoom { fixture in
      let inside = try await fixture.join("in")
      _ = try await fixture.eventuallyAdmitted(inside)
      let absent = try await fixture.join("ann")
      let there = try await fixture.join("bob")
      try await fixture.asOwner(
        "update aisle.waiting_places set seen_at = seen_at - interval '61 seconds' where ticket = 2")
      try await fixture.leave(inside).expecting(.noContent)
      _ = try await fixture.eventuallyAdmitted(there)
      #expect(try await fixture.look(absent)["status"] == "lapsed")
    }
  }

  @Test("who asks keeps the place, however long it takes")
  func present() async throws {
    try await withRoom { fixture in
      let inside = try await fixture.join("in")
      _ = try await fixture.eventuallyAdmitted(inside)
      let patient = try await fixture.join("ann")
      for _ in 1...5 {
        try await fixture.asOwner(
          """
          update aisle.waiting_places set seen_at = seen_at - interval '40 seconds' where ticket = 2;
          update aisle.waiting_rooms set swept_at = swept_at - interval '40 seconds'
          """)
        #expect(try await fixture.look(patient)["position"] == 1)
      }
      try await fixture.leave(inside).expecting(.noContent)
      _ = try await fixture.eventuallyAdmitted(patient)
    }
  }

  @Test("an admission that nobody has seen ends soon, one that was seen lasts its time")
  func unseen() async throws {
    try await withRoom { fixture in
      let inside = try await fixture.join("in")
      _ = try await fixture.eventuallyAdmitted(inside)
      let unseen = try await fixture.join("ann")
      let next = try await fixture.join("bob")
      try await fixture.leave(inside).expecting(.noContent)
      // Ann has the admission, and never asks.
      try await fixture.asOwner(
        "update aisle.waiting_places set expires_at = expires_at - interval '61 seconds' where ticket = 2")
      _ = try await fixture.eventuallyAdmitted(next)
      #expect(try await fixture.look(unseen)["status"] == "expired")
      // Bob's lasts ten minutes.
      try await fixture.asOwner(
        "update aisle.waiting_places set expires_at = expires_at - interval '590 seconds' where ticket = 3")
      #expect(try await fixture.look(next)["status"] == "admitted")
    }
  }

  @Test("an estimate is given once it is known how fast admissions end, and no sooner")
  func estimate() async throws {
    try await withRoom(shoppers: 2) { fixture in
      var places: [Answer] = []
      for number in 1...12 { places.append(try await fixture.join("buyer-\(number)").expecting(.created)) }
      let last = places[11]
      #expect(try await fixture.look(last)["position"] == 10)
      // Two have been in and out within 20 seconds.
      for place in places[..<2] { try await fixture.leave(place).expecting(.noContent) }
      #expect(try await fixture.look(last)["estimated_wait_seconds"] == .null)
      try await fixture.asOwner(
        "update aisle.waiting_rooms set pace_since = pace_since - interval '20 seconds'")
      let seen = try await fixture.look(last)
      #expect(seen["position"] == 8)
      let estimate = try #require(seen["estimated_wait_seconds"].integer)
      #expect((80...90).contains(estimate))
    }
  }

  @Test("a room that is closed lets everybody buy, and tells those who waited; it can be opened again")
  func closed() async throws {
    try await withRoom { fixture in
      _ = try await fixture.join("in")
      let waiting = try await fixture.join("ann")
      for _ in 1...2 { try await fixture.send(.delete, Self.queue).expecting(.noContent) }
      #expect(try await fixture.look(waiting)["status"] == "closed")
      try await fixture.holdAs("ann", "A-1").expecting(.created)
      try await fixture.openRoom()
      try await fixture.holdAs("ann", "A-2").expectProblem(403, "admission-required")
      let back = try await fixture.join("ann")
      _ = try await fixture.eventuallyAdmitted(back)
    }
  }

  @Test("a room is opened for a show that is there, with terms that make sense")
  func terms() async throws {
    try await RESTFixture.with(roles: [], roomPatience: .zero) { fixture in
      let nowhere = try await fixture.send(.put, Self.queue, body: .init(string: #"{"shoppers":1}"#))
      nowhere.expectProblem(404, "show-not-found")
      try await fixture.schedule()
      let opened = try await fixture.send(.put, Self.queue, body: .init(string: #"{"shoppers":1}"#))
        .expecting(.ok)
      #expect(
        opened.json == [
          "show_id": "hamlet", "shoppers": 1, "admission_seconds": 600, "absence_seconds": 60,
          "capacity": 100_000,
          "waiting": 0, "admitted": 0,
        ])
      for (body, place) in [
        ("{}", "/shoppers"), (#"{"shoppers":0}"#, "/shoppers"),
        (#"{"shoppers":1,"capacity":0}"#, "/capacity"),
        (#"{"shoppers":1,"opens_at":"soon"}"#, "/opens_at"),
        (#"{"shoppers":1,"admission_seconds":9}"#, "/admission_seconds"),
        (#"{"shoppers":1,"absence_seconds":3601}"#, "/absence_seconds"),
      ] {
        try await fixture.send(.put, Self.queue, body: .init(string: body))
          .expectProblem(400, "invalid-request", at: place)
      }
    }
  }

  @Test("before a room opens a place tells when that is, and nobody is let in")
  func opening() async throws {
    try await withRoom { fixture in
      let terms = #"{"shoppers":5,"opens_at":"2090-01-01T00:00:00Z"}"#
      let room = try await fixture.send(.put, Self.queue, body: .init(string: terms)).expecting(.ok).json
      #expect(room["opens_at"] == "2090-01-01T00:00:00Z")
      let place = try await fixture.join("ann").expecting(.created)
      #expect(place.json["status"] == "waiting" && place.json["opens_at"] == room["opens_at"])
      #expect(place.json["position"] == .null && place.json["ask_again_after_seconds"] == 15)
      #expect(place.headers[.retryAfter] == "15")
      try await fixture.openRoom()
      _ = try await fixture.eventuallyAdmitted(place)
    }
  }

  @Test("metrics show who waits and who is in, and what was refused")
  func metrics() async throws {
    try await withRoom { fixture in
      for buyer in ["ann", "bob", "cid"] { _ = try await fixture.join(buyer) }
      try await fixture.holdAs("dan", "A-1").expectProblem(403, "admission-required")
      let text = try await fixture.get("/actuator/prometheus").text
      for line in [
        "aisle_waiting_room_waiting{show=\"hamlet\"} 2", "aisle_waiting_room_admitted{show=\"hamlet\"} 1",
        "aisle_waiting_room_admissions_total{show=\"hamlet\"} 1", "aisle_waiting_room_joined_total 3",
        "aisle_waiting_room_refused_total 1",
      ] {
        #expect(text.contains("\n\(line)\n"), "\(line)")
      }
    }
  }
}

extension RESTFixture {
  func openRoom(_ show: String = "hamlet", shoppers: Int = 1, capacity: Int = 100) async throws {
    let terms: JSON = ["shoppers": .integer(Int64(shoppers)), "capacity": .integer(Int64(capacity))]
    try await send(.put, "/v1/shows/\(show)/queue", body: .init(string: terms.text)).expecting(.ok)
  }

  fileprivate func join(_ buyer: String, key: String = UUID().uuidString) async throws -> Answer {
    try await post("/v1/shows/hamlet/queue", ["buyer": .string(buyer)], key: key)
  }

  fileprivate func look(_ place: Answer) async throws -> JSON {
    try await get("/v1/queue/\(place.json["place_id"].string ?? "")").expecting(.ok).json
  }

  fileprivate func leave(_ place: Answer) async throws -> Answer {
    try await send(.delete, "/v1/queue/\(place.json["place_id"].string ?? "")")
  }

  /// Asks until the place is admitted, and gives the admission.
  fileprivate func eventuallyAdmitted(_ place: Answer) async throws -> String {
    let seen = try await eventually("the place is admitted") {
      try await look(place)
    } until: {
      $0["status"] != "waiting"
    }
    return try #require(seen["admission"].string, "\(seen)")
  }

  fileprivate func holdAs(
    _ buyer: String, _ seat: String, of show: String = "hamlet", admission: String? = nil,
    key: String = UUID().uuidString
  ) async throws -> Answer {
    var headers = HTTPFields()
    if let admission { headers[.admission] = admission }
    return try await post(
      "/v1/shows/\(show)/holds", ["buyer": .string(buyer), "seats": [.string(seat)]], key: key,
      headers: headers)
  }
}

extension HTTPField.Name {
  fileprivate static let admission = HTTPField.Name("X-Aisle-Admission")!
}

import Booking
import Foundation
import Testing
import Vocabulary

@Suite("The facts of a show in JSON")
struct BookingPayloadTests {
  @Test("show-scheduled")
  func showScheduled() throws {
    try expectPayload(
      Lear.scheduled, isNamed: "show-scheduled",
      andReads: """
        {"currency":"EUR","hold_ttl_seconds":600,"scheduled_at":"2026-11-01T09:00:00Z","sections":[\
        {"id":"stalls","price":4500,"rows":[{"id":"A","seats":4},{"id":"B","seats":4}]},\
        {"id":"circle","price":2500,"rows":[{"id":"AA","seats":4}]}],\
        "show_id":"lear","starts_at":"2026-12-01T19:30:00Z","tax_rate_bp":1000,"title":"King Lear"}
        """)
  }

  @Test("show-scheduled with categories, special seats, places to stand and rules of its own")
  func scheduledInFull() throws {
    let plan = try SeatPlan(
      .init(
        sections: [
          .init(
            id: "stalls", category: "gold",
            rows: [
              .init(
                id: "A", seats: 2, labels: ["1", "3"], places: [1, 3], x: -50, y: 0,
                special: [.init(seats: ["3"], category: "blue", kind: .wheelchair, blocked: true)])
            ]), .init(id: "floor", price: 900, capacity: 40),
        ],
        categories: [
          .init(id: "gold", name: "Gold", price: 4500), .init(id: "blue", name: "Blue", price: 2500),
        ],
        focalPoint: .init(x: 0, y: -100)))
    try expectPayload(
      Booking.Event.showScheduled(
        .init(
          showID: "lear", title: "King Lear", startsAt: "2026-12-01T19:30:00Z", currency: .eur,
          taxRateBasisPoints: 1000, holdTTLSeconds: 600, plan: plan,
          policy: .init(orphans: .forbidden, seatsPerBuyer: 6, holdLifetimeSeconds: 1200),
          scheduledAt: "2026-11-01T09:00:00Z")), isNamed: "show-scheduled",
      andReads: """
        {"categories":[{"id":"gold","name":"Gold","price":4500},{"id":"blue","name":"Blue","price":2500}],\
        "currency":"EUR","focal_point":{"x":0,"y":-100},"hold_ttl_seconds":600,"policy":\
        {"hold_lifetime_seconds":1200,"orphans":"forbidden","seats_per_buyer":6},\
        "scheduled_at":"2026-11-01T09:00:00Z","sections":[{"category":"gold","id":"stalls","rows":[{"id":"A",\
        "labels":["1","3"],"places":[1,3],"seats":2,"special":[{"blocked":true,"category":"blue",\
        "kind":"wheelchair","seats":["3"]}],"x":-50,"y":0}]},{"capacity":40,"id":"floor","price":900,"rows":[]}],\
        "show_id":"lear","starts_at":"2026-12-01T19:30:00Z","tax_rate_bp":1000,"title":"King Lear"}
        """)
  }

  @Test("hold-extended and show-cancelled")
  func extendedAndCancelled() throws {
    try expectPayload(
      Booking.Event.holdExtended(.init(holdID: "h1", expiresAt: Lear.whenItEnds, extendedAt: Lear.noon)),
      isNamed: "hold-extended",
      andReads: #"{"expires_at":"2026-11-24T12:10:00Z","extended_at":"2026-11-24T12:00:00Z","hold_id":"h1"}"#)
    try expectPayload(
      Booking.Event.showCancelled(.init(reason: "fire", cancelledAt: Lear.noon)), isNamed: "show-cancelled",
      andReads: #"{"cancelled_at":"2026-11-24T12:00:00Z","reason":"fire"}"#)
  }

  @Test("seats-held")
  func seatsHeld() throws {
    try expectPayload(
      Lear.held("h1", "A-1", "A-2"), isNamed: "seats-held",
      andReads: """
        {"buyer":"cordelia","expires_at":"2026-11-24T12:10:00Z","held_at":"2026-11-24T12:00:00Z",\
        "hold_id":"h1","seats":["A-1","A-2"],"total":{"amount":9000,"currency":"EUR"}}
        """)
  }

  @Test("hold-confirmed")
  func holdConfirmed() throws {
    try expectPayload(
      Lear.confirmed("h1", "o1", "A-1"), isNamed: "hold-confirmed",
      andReads: """
        {"confirmed_at":"2026-11-24T12:09:59.999999Z","hold_id":"h1","order_id":"o1","seats":["A-1"]}
        """)
  }

  @Test("hold-released")
  func holdReleased() throws {
    try expectPayload(
      Lear.released("h1", "A-1"), isNamed: "hold-released",
      andReads: """
        {"hold_id":"h1","reason":"changed my mind","released_at":"2026-11-24T12:09:59.999999Z","seats":["A-1"]}
        """)
  }

  @Test("hold-expired")
  func holdExpired() throws {
    try expectPayload(
      Lear.expired("h1", "A-1"), isNamed: "hold-expired",
      andReads: #"{"expired_at":"2026-11-24T12:10:00Z","hold_id":"h1","seats":["A-1"]}"#)
  }

  @Test("booking-cancelled")
  func bookingCancelled() throws {
    try expectPayload(
      Lear.cancelled("h1", "o1", "A-1", at: Lear.noon), isNamed: "booking-cancelled",
      andReads: """
        {"cancelled_at":"2026-11-24T12:00:00Z","hold_id":"h1","order_id":"o1","seats":["A-1"]}
        """)
  }

  @Test("of an unknown type is refused by name")
  func unknown() {
    #expect(Booking.Event.category == "show")
    #expect(throws: UnknownEventType(type: "seat-painted", category: "show")) {
      try decode(Booking.Event.self, type: "seat-painted", from: "{}")
    }
  }

  @Test("cannot be read before the decoder is told their type")
  func untold() {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(EventPayload<Booking.Event>.self, from: Data("{}".utf8))
    }
  }
}

@Suite("A refusal")
struct BookingRejectionTests {
  static let all: [Booking.Rejection] = [
    .showNotScheduled, .showAlreadyScheduled, .invalidPlan(["The plan has no seats"]), .unknownSeats(["X-1"]),
    .unknownSection("boxes"), .seatsUnavailable([.init(seat: "A-1", state: .held)]), .noSeatsRequested,
    .duplicateSeats(["A-1"]), .tooManySeats(maximum: 100), .noAdjacentSeats(count: 4), .holdNotFound("h1"),
    .holdExpired("h1"), .holdReleased("h1"), .holdAlreadyConfirmed("o1"),
    .holdNotYetExpired("h1", until: Lear.noon), .notConfirmed("h1"), .idReused("h1"),
    .notEnoughSeats(count: 4), .unknownCategory("gold"), .tooManyAccessible(count: 2),
    .seatsLeftAlone(["A-1"]),
    .buyerLimit(maximum: 4, has: 3), .showCancelled, .invalidReason,
  ]

  @Test("has a code of its own in kebab case")
  func codes() {
    #expect(Set(Self.all.map(\.code)).count == Self.all.count)
    for rejection in Self.all {
      #expect(rejection.code.allSatisfy { $0 == "-" || ("a"..."z").contains($0) }, "\(rejection.code)")
    }
  }

  @Test("says what happened, to what, and what to do")
  func messages() {
    #expect(
      Booking.Rejection.seatsUnavailable([
        .init(seat: "A-1", state: .held), .init(seat: "A-2", state: .booked),
      ])
      .message == "Somebody else has A-1 (held), A-2 (booked); choose other seats")
    let many = (1...12).map { SeatID(unchecked: "X-\($0)") }
    #expect(Booking.Rejection.unknownSeats(many).message.contains("X-10 and 2 more; ask"))
  }
}

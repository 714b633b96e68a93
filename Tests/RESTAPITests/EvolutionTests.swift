import Booking
import EventStore
import Foundation
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("An event of an older release")
struct EvolutionTests {
  /// As it might have been: another name, and the buyer under `customer`.
  private struct SeatsReserved: Decodable {
    let holdID: String
    let customer: String
    let seats: [String]
    let price: Int64
    let from: String
    let until: String

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case customer, seats, price, from, until
    }
  }

  private struct SeatsHeld: Encodable {
    struct Total: Encodable {
      let amount: Int64
      let currency: String
    }
    let holdID: String
    let buyer: String
    let seats: [String]
    let total: Total
    let heldAt: String
    let expiresAt: String

    private enum CodingKeys: String, CodingKey {
      case holdID = "hold_id"
      case buyer, seats, total
      case heldAt = "held_at"
      case expiresAt = "expires_at"
    }
  }

  private static let upcasters = try? Upcasters([
    Upcaster(from: EventSchema("seats-reserved", 1), to: EventSchema("seats-held", 1)) {
      (old: SeatsReserved) in
      SeatsHeld(
        holdID: old.holdID, buyer: old.customer, seats: old.seats,
        total: .init(amount: old.price, currency: "EUR"), heldAt: old.from, expiresAt: old.until)
    }
  ])

  private static let stored = NewEvent(
    type: "seats-reserved",
    data: Array(
      """
      {"hold_id": "hamlet:old", "customer": "ann", "seats": ["A-1"], "price": 4500, "from": "2026-11-24T19:00:00Z",
       "until": "2026-11-24T19:10:00Z"}
      """.utf8))

  @Test("is folded, projected, exported and served in the present shape")
  func everywhere() async throws {
    let upcasters = try #require(Self.upcasters)
    try await RESTFixture.with(upcasters: upcasters) { fixture in
      try await fixture.schedule()
      let outcome = try await fixture.aisle.store.append(
        to: StreamName(category: "show", id: "hamlet"), expecting: .version(1), [Self.stored])
      #expect(outcome.receipt != nil)
      try await fixture.settle()

      // Projected.
      let seats = try await fixture.get("/v1/shows/hamlet/seats").expecting(.ok)
      #expect(seats.text.contains("A-1"))
      // Folded: its seat is taken, and its hold can be ordered.
      let refused = try await fixture.post("/v1/shows/hamlet/holds", ["buyer": "bob", "seats": ["A-1"]])
      try refused.expecting(.conflict)
      let order = try await fixture.post("/v1/orders", RESTFixture.order("hamlet:old")).expecting(.created)
      #expect(order.json["buyer"] == "ann")
      try await fixture.settle()
      // Served, also to a reader that asks by the present name only.
      let events = try await fixture.get("/v1/events?type=seats-held").expecting(.ok).json.array
      #expect(events.map { $0["type"] } == ["seats-held"])
      #expect(events.first?["data"]["buyer"] == "ann")
      #expect(events.first?["data"]["total"] == ["amount": 4500, "currency": "EUR"])
      // Exported.
      let exported = Shared<[String]>([])
      try await fixture.aisle.store.export(after: .start, through: Position(2)) { batch in
        exported.update { $0 += batch.map(\.type) }
      }
      #expect(exported.value == ["show-scheduled", "seats-held"])
    }
  }

  @Test("of a version that this program does not know is an error that says so, not a guess")
  func newer() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.schedule()
      let future = NewEvent(
        type: "hold-expired", schemaVersion: 2,
        data: Array(
          #"{"hold_id": "hamlet:x", "seats": ["A-1"], "expired_at": "2026-11-24T19:00:00Z"}"#.utf8))
      try await fixture.aisle.store.append(
        to: StreamName(category: "show", id: "hamlet"), expecting: .version(1), [future])
      let error = await #expect(throws: ServiceError.self) {
        try await fixture.aisle.booking.hold(
          HoldID(unchecked: "hamlet:y"), show: ShowID(unchecked: "hamlet"), buyer: BuyerID(unchecked: "bob"),
          seats: .named([SeatID(unchecked: "A-1")]))
      }
      guard case .unreadable(let reason) = error else {
        Issue.record("not unreadable: \(String(describing: error))")
        return
      }
      #expect(reason.contains("hold-expired has schema version 2"))
    }
  }
}

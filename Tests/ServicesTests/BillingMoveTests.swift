import Billing
import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@testable import Services

@Suite("An account that moves into another time zone")
struct BillingMoveTests {
  /// Ends of months in several zones, leap days, and the hours that daylight saving repeats or leaves out.
  private static let instants = [
    // March begins in New York.
    "2026-03-01T04:59:59.999999Z", "2026-03-01T05:00:00Z",
    // Rome's clocks go forward; then April begins there, by summer time.
    "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-31T21:59:59.999999Z", "2026-03-31T22:00:00Z",
    // Twice half past two in Rome; then November begins there, by winter time.
    "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-31T22:59:59.999999Z", "2026-10-31T23:00:00Z",
    // And in New York, by summer time, hours before the clocks go back.
    "2026-11-01T03:59:59.999999Z", "2026-11-01T04:00:00Z", "2026-11-01T06:00:00Z",
    // The leap day ends in Kiritimati first, and in Pago Pago last of all.
    "2028-02-29T09:59:59.999999Z", "2028-02-29T10:00:00Z", "2028-02-29T23:30:00Z",
    "2028-03-01T10:59:59.999999Z", "2028-03-01T11:00:00Z",
  ]

  @Test(
    "has every order in the month that its clock showed then, whatever the position at which it moved",
    arguments: [
      ("America/New_York", "Europe/Rome"), ("Europe/Rome", "America/New_York"),
      ("Pacific/Kiritimati", "Pacific/Pago_Pago"), ("UTC", "Pacific/Kiritimati"),
    ])
  func everyPosition(old: String, new: String) async throws {
    let zones = (try #require(TimeZone(identifier: old)), try #require(TimeZone(identifier: new)))
    try await withBilling { fixture in
      var expected: [String: String] = [:]
      // Account n moves after n orders.
      for moved in 0...Self.instants.count {
        let account = AccountID(unchecked: "acc-\(moved)")
        try await fixture.open(account.rawValue, in: old)
        for (index, text) in Self.instants.enumerated() {
          if index == moved { try await fixture.billing.changeZone(of: account, to: new, RequestContext()) }
          let instant = try Timestamp.at(text)
          let order = BilledOrder(
            id: "o-\(moved)-\(index)", account: account.rawValue, at: instant,
            seats: [(amount: 100, rate: 700)])
          try await fixture.confirm(order)
          expected[order.id] = Self.month(of: instant, in: index < moved ? zones.0 : zones.1)
        }
        if moved == Self.instants.count {
          try await fixture.billing.changeZone(of: account, to: new, RequestContext())
        }
        // In batches of any size, before and after the account has moved.
        if moved.isMultiple(of: 3) { try await fixture.catchUp() }
      }
      try await fixture.catchUp()
      for table in [
        "aisle.billing_lines l where l.tenant = 1",
        "aisle.bill_lines(1, null, '0001-01', '9999-12', 1000000000) l",
      ] {
        let rows = try await fixture.pool.query(SQL("select l.order_id, l.month from \(table)", []))
        let months = Dictionary(
          uniqueKeysWithValues: try rows.map { try $0.decode(String.self, String.self) })
        #expect(months == expected, "\(table)")
      }
      #expect(Set(expected.values).count > 4)
      for month in Set(expected.values) {
        let result = try await fixture.billing.reconcile(.named(month))
        #expect(result.isEqual, "\(result.differences)")
      }
    }
  }

  /// By Foundation's calendar, which billing does not use.
  private static func month(of instant: Timestamp, in zone: TimeZone) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let date = Date(timeIntervalSince1970: Double(instant.wholeSeconds))
    let parts = calendar.dateComponents([.year, .month], from: date)
    let (year, month) = (parts.year ?? 0, parts.month ?? 0)
    return "\(year)-\(month < 10 ? "0" : "")\(month)"
  }

  @Test("keeps what was closed, moves once for the same call twice, and has to be opened first")
  func rules() async throws {
    try await withBilling(at: .at("2026-11-02T12:00:00Z")) { fixture in
      let ann = AccountID(unchecked: "ann")
      await #expect {
        try await fixture.billing.changeZone(of: ann, to: "Europe/Rome", RequestContext())
      } throws: { error in
        guard case ServiceError.billingRejected(.notOpened(ann)) = error else { return false }
        return true
      }
      try await fixture.open("ann", in: "America/New_York")
      let order = BilledOrder(
        id: "o-1", account: "ann", at: try .at("2026-10-31T23:30:00Z"), seats: [(amount: 100, rate: 0)])
      try await fixture.confirm(order)
      let october = try Month.named("2026-10")
      _ = try await fixture.billing.close(october)
      try await fixture.catchUp()
      let closed = try await fixture.bill("ann", "2026-10")
      for _ in 1...2 {
        try await fixture.billing.changeZone(of: ann, to: "Europe/Rome", RequestContext())
        // As a client repeats what it has sent once.
        try await fixture.open("ann", in: "America/New_York")
      }
      let moves = try await fixture.store.readAll(after: .start, types: ["account-zone-changed"])
      #expect(moves.count == 1)
      await #expect(throws: ServiceError.self) {
        try await fixture.billing.changeZone(of: ann, to: "Mars/Base", RequestContext())
      }
      // In Rome it is November already.
      var late = order
      late.id = "o-2"
      try await fixture.confirm(late)
      try await fixture.catchUp()
      for source in [BillSource.batch, .preAggregated] {
        let october = try await fixture.bill("ann", "2026-10", source: source)
        let november = try await fixture.bill("ann", "2026-11", source: source)
        #expect(october.map(\.figures) == closed.map(\.figures))
        #expect(october.map(\.timeZone) == ["America/New_York"])
        #expect(november.map(\.lines) == [1] && november.map(\.timeZone) == ["Europe/Rome"])
      }
    }
  }

  @Test("a move while the month is being closed is seen: the bill is read anew")
  func moveWhileClosing() async throws {
    // In New York October is over, in Pago Pago it is not.
    try await withBilling(at: .at("2026-11-01T05:00:00Z")) { fixture in
      let ann = AccountID(unchecked: "ann")
      try await fixture.open("ann", in: "America/New_York")
      try await fixture.confirm(
        BilledOrder(
          id: "o-1", account: "ann", at: try .at("2026-10-20T00:00:00Z"), seats: [(amount: 100, rate: 0)]))
      var closer = fixture.billing.closer
      closer.reached = { step, _ in
        if step == .deciding {
          try await fixture.billing.changeZone(of: ann, to: "Pacific/Pago_Pago", RequestContext())
        }
      }
      let closing = try await fixture.billing.close(
        .named("2026-10"), account: nil, RequestContext(), by: closer)
      #expect(closing.closedCount == 0 && closing.failures.map(\.code) == ["month-not-over"])
    }
  }
}

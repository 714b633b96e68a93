import Billing
import EventStore
import Ordering
import Testing
import Vocabulary

@testable import Services

/// Accounts and their streams.
@Suite struct BillingAccountTests {
  private func openings(_ fixture: BillingFixture) async throws -> [RecordedEvent] {
    try await fixture.store.readAll(after: .start, categories: ["account"], types: ["account-opened"])
  }

  @Test("opening an account again is the same account; with other content it is refused")
  func openTwice() async throws {
    try await withBilling { fixture in
      try await fixture.open("a", in: "Europe/Rome")
      try await fixture.open("a", in: "Europe/Rome")
      await #expect {
        try await fixture.open("a", in: "Asia/Kolkata")
      } throws: { error in
        guard case ServiceError.billingRejected(.alreadyOpened) = error else { return false }
        return true
      }
      #expect(try await openings(fixture).count == 1)
    }
  }

  @Test("of openings at the same time one is stored, and those with other content are told so")
  func openAtOnce() async throws {
    try await withBilling { fixture in
      let refused = await withTaskGroup(of: Bool.self) { group in
        for index in 0..<8 {
          group.addTask {
            do {
              try await fixture.open("a", in: index < 4 ? "Europe/Rome" : "Asia/Kolkata")
              return false
            } catch {
              return true
            }
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(refused == 4)
      let openings = try await openings(fixture)
      #expect(openings.count == 1)
    }
  }

  @Test(
    "a zone that is not an IANA name, or that Foundation and PostgreSQL do not share, is refused",
    arguments: ["Mars/Olympus", "EST5EDT4", "", "GMT+3", "US/Pacific-New", "SystemV/PST8PDT"])
  func unknownZone(name: String) async throws {
    try await withBilling { fixture in
      await #expect {
        try await fixture.open("a", in: name)
      } throws: { error in
        guard case ServiceError.billingRejected(.unknownTimeZone) = error else { return false }
        return true
      }
      let head = try await fixture.store.head()
      #expect(head == .start)
    }
  }

  @Test("a charge names its cause, keeps the correlation, and its postings balance")
  func charged() async throws {
    try await withBilling { fixture in
      try await fixture.confirm(
        BilledOrder(
          id: "o", account: "a", at: .at("2026-06-10T00:00:00Z"), seats: [(amount: 1190, rate: 1900)]))
      try await fixture.catchUp()
      let cause = try #require(try await fixture.orderEvents().first)
      let event = try #require(try await fixture.accountEvents().first)
      #expect(event.stream.description == "account-a" && event.metadata.causationID == cause.id)
      #expect(event.metadata.correlationID == cause.metadata.correlationID)
      guard case .charged(let entry) = try event.decode(as: Billing.Event.self) else {
        Issue.record("\(event.type) is not a charge")
        return
      }
      #expect(entry.sourcePosition == cause.position.rawValue && entry.month.description == "2026-06")
      #expect(entry.gross == 1190 && entry.tax == 190)
      #expect(entry.postings.reduce(0) { $0 + $1.amount } == 0)
    }
  }

  @Test("an order that was never confirmed is not billed")
  func abandoned() async throws {
    try await withBilling { fixture in
      try await fixture.append([
        BilledOrder(id: "o", account: "a", at: .at("2026-06-10T00:00:00Z"), seats: []).abandoned()
      ])
      try await fixture.catchUp()
      #expect(try await fixture.accountEvents().isEmpty)
      #expect(try await fixture.tables().isEmpty)
    }
  }
}

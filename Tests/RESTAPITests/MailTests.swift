import EventStore
import Foundation
import Hummingbird
import HummingbirdTesting
import SMTP
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("Mail to buyers", .timeLimit(.minutes(2)))
struct MailTests {
  /// Nothing runs by itself: the test moves subscriptions and deliveries.
  private func with(_ body: @escaping @Sendable (RESTFixture, MailServer) async throws -> Void) async throws {
    try await MailServer.with { server in
      let sender = try #require(SMTPServer("smtp://127.0.0.1:\(server.port)"))
      let from = try #require(EmailAddress("tickets@example.org"))
      try await RESTFixture.with(roles: [], mailing: .init(server: sender, from: from)) { fixture in
        try await fixture.schedule()
        try await body(fixture, server)
      }
    }
  }

  /// Orders seats, and says where the buyer can be written to.
  @discardableResult
  private func buy(
    _ seats: [String], for email: String?, _ fixture: RESTFixture
  ) async throws -> String {
    let hold = try await fixture.hold(seats)
    var body: JSON = RESTFixture.order(hold)
    if let email { body["email"] = .string(email) }
    let order = try await fixture.post("/v1/orders", body).expecting(.created).json
    return try #require(order["order_id"].string)
  }

  private func deliver(_ fixture: RESTFixture) async throws {
    try await fixture.aisle.catchUp()
    try await fixture.aisle.notifications.deliverMail()
  }

  @Test("a buyer who gave an address is written to once about each thing that becomes of the order")
  func told() async throws {
    try await with { fixture, server in
      let order = try await buy(["A-1", "A-2"], for: "ann@example.org", fixture)
      try await deliver(fixture)
      try await fixture.post("/v1/orders/\(order)/cancel", key: nil).expecting(.ok)
      try await deliver(fixture)
      try await deliver(fixture)
      let messages = try server.messages
      #expect(messages.map(\.to) == [["ann@example.org"], ["ann@example.org"]])
      #expect(
        messages.map { $0.headers["subject"] } == ["Your tickets for Hamlet", "Your cancellation for Hamlet"])
      #expect(
        messages.first?.text == """
          You have booked:

            A-1    45.00 EUR
            A-2    45.00 EUR
            total  90.00 EUR

          Hamlet begins on 2026-12-24 at 19:30 UTC.

          Order \(order) on account acc-1.

          """)
      #expect(messages.last?.text.contains("given back  90.00 EUR") == true)
      let all = try await fixture.aisle.notifications.list(onlyDead: false)
      #expect(all.map(\.channel) == ["email", "email"])
      #expect(all.allSatisfy { $0.sentAt != nil })
      let ids = all.map { "<\($0.id.uuidString.lowercased())@example.org>" }
      #expect(Set(messages.map { $0.headers["message-id"] }) == Set(ids))
    }
  }

  @Test("whoever gave no address is not written to, and nothing is left of it")
  func noAddress() async throws {
    try await with { fixture, server in
      try await buy(["A-1"], for: nil, fixture)
      try await deliver(fixture)
      #expect(try server.messages.isEmpty)
      #expect(try await fixture.aisle.notifications.list(onlyDead: false).isEmpty)
    }
  }

  @Test("who is given a ticket is written to about it; without an address of theirs the buyer is")
  func transferred() async throws {
    try await with { fixture, server in
      let order = try await buy(["A-1", "A-2"], for: "ann@example.org", fixture)
      let transfer = "/v1/orders/\(order)/tickets"
      try await fixture.post(transfer + "/A-1/transfer", ["to": "bob", "email": "bob@example.org"], key: nil)
        .expecting(.ok)
      try await fixture.post(transfer + "/A-2/transfer", ["to": "cid"], key: nil).expecting(.ok)
      try await deliver(fixture)
      let messages = try server.messages
      #expect(messages.map(\.to) == [["ann@example.org"], ["bob@example.org"], ["ann@example.org"]])
      #expect(
        messages.dropFirst().first?.text.hasPrefix("ann has given you, bob, the ticket for seat A-1.") == true
      )
      #expect(messages.last?.text.hasPrefix("The ticket for seat A-2 is cid's now.") == true)
    }
  }

  @Test("a mail that is refused for good is given up at once; one that is not taken now is tried again")
  func failures() async throws {
    try await with { fixture, server in
      try await buy(["A-1"], for: "nobody@example.org", fixture)
      try await buy(["A-2"], for: "full@example.org", fixture)
      try await deliver(fixture)
      let notifications = fixture.aisle.notifications
      let dead = try await notifications.list(onlyDead: true)
      #expect(dead.map(\.attempts) == [1])
      #expect(dead.first?.lastError?.contains("550") == true)
      // Not before its pause is over.
      #expect(try await notifications.deliverMail() == 0)
      fixture.clock.advance(by: .seconds(1))
      #expect(try await notifications.deliverMail() == 1)
      #expect(try await notifications.list(onlyDead: false).map(\.attempts).sorted() == [1, 2])
      #expect(try server.messages.isEmpty)
    }
  }

  @Test("what one process is sending no other sends, until it has died and its lease is over")
  func lease() async throws {
    // A web server waits for the client to speak first, and so does a mail client for the server.
    let silence = Application(
      router: Router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: .silent)
    try await silence.test(.live) { nobody in
      let port = try #require(nobody.port)
      try await with { fixture, server in
        let from = try #require(fixture.aisle.notifications.mailing?.from)
        let hanging = Aisle(
          pool: fixture.pool, time: fixture.clock.source,
          mailing: .init(server: try #require(SMTPServer("smtp://127.0.0.1:\(port)")), from: from))
        try await buy(["A-1"], for: "ann@example.org", fixture)
        try await fixture.aisle.catchUp()
        let sending = Task { try await hanging.notifications.deliverMail() }
        _ = try await eventually("it is claimed") {
          try await fixture.aisle.notifications.list(onlyDead: false).map(\.attempts)
        } until: {
          $0 == [1]
        }
        fixture.clock.advance(by: .seconds(299))
        #expect(try await fixture.aisle.notifications.deliverMail() == 0)
        sending.cancel()
        await #expect(throws: (any Error).self) { try await sending.value }
        fixture.clock.advance(by: .seconds(1))
        #expect(try await fixture.aisle.notifications.deliverMail() == 1)
        #expect(try server.messages.map(\.to) == [["ann@example.org"]])
      }
    }
  }

  @Test("somebody who was forgotten is not written to any more, and the address is in no event")
  func forgotten() async throws {
    try await with { fixture, server in
      try await buy(["A-1"], for: "ann@example.org", fixture)
      let stored = try await fixture.stored(text: "ann@example.org")
      #expect(stored == 0)
      try await fixture.aisle.catchUp()
      _ = try await fixture.aisle.privacy.forget(DataSubject(kind: "buyer", name: "ann"))
      try await fixture.aisle.notifications.deliverMail()
      #expect(try server.messages.isEmpty)
    }
  }

  @Test("an address that is none is a fault that names its place")
  func badAddress() async throws {
    try await with { fixture, _ in
      let hold = try await fixture.hold(["A-1"])
      var body: JSON = RESTFixture.order(hold)
      body["email"] = "ann at example"
      let problem = try await fixture.post("/v1/orders", body).expecting(.badRequest).json
      #expect(problem["errors"][0]["pointer"] == "/email")
    }
  }
}

extension RESTFixture {
  /// How many events have a text in their payload.
  fileprivate func stored(text: String) async throws -> Int64 {
    try await pool.query(
      "select count(*) from aisle.events where tenant = 1 and data::text like '%' || \(text)::text || '%'"
    ).first?.column(0) ?? -1
  }
}

import Foundation
import HTTPTypes
import Hummingbird
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

/// Orders that are paid through the sandbox, which is reached over a socket and answers over a socket.
@Suite("Payments over REST")
struct PaymentsTests {
  private static func order(_ hold: String, card: String) -> JSON {
    ["hold_id": .string(hold), "account_id": "acc-1", "payment_method": .string("sandbox:\(card)")]
  }

  private func eventually(
    _ status: String, of path: String?, in fixture: RESTFixture
  ) async throws -> JSON {
    let path = try #require(path)
    return try await TestSupport.eventually("\(path) is \(status)") {
      try await fixture.get(path).json
    } until: {
      $0["status"] == .string(status)
    }
  }

  private func webhooks(_ fixture: RESTFixture) async throws -> [(delivered: Bool, attempts: Int)] {
    try await fixture.pool.query(
      "select delivered_at is not null, attempts from aisle.sandbox_webhooks where tenant = 1"
    ).map { row in
      let (delivered, attempts) = try row.decode(Bool.self, Int32.self)
      return (delivered, Int(attempts))
    }
  }

  @Test("a card that is approved at once gives a confirmed order with the first answer")
  func approved() async throws {
    try await RESTFixture.with(.live, sandbox: SandboxLink()) { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answer = try await fixture.post("/v1/orders", Self.order(hold, card: "approve")).expecting(.created)
      #expect(answer.json["status"] == "confirmed")
    }
  }

  @Test(
    "a card that is approved later gives 202, and the order is confirmed when the webhook has come",
    arguments: ["approve-later", "duplicate", "out-of-order"])
  func approvedLater(card: String) async throws {
    try await RESTFixture.with(.live, sandbox: SandboxLink()) { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answer = try await fixture.post("/v1/orders", Self.order(hold, card: card)).expecting(.accepted)
      #expect(answer.json["status"] == "payment-pending")
      let path = answer.headers[.location]
      let order = try await eventually("confirmed", of: path, in: fixture)
      let expected = card == "duplicate" ? 4 : 2
      _ = try await TestSupport.eventually("every webhook is acknowledged, once") {
        try await webhooks(fixture).filter { $0.delivered && $0.attempts == 1 }.count
      } until: {
        $0 == expected
      }
      // Nothing that came twice, or late, was taken for something new.
      let id = try #require(order["order_id"].string)
      let types = try await fixture.aisle.store.read(.order(OrderID(unchecked: id))).map(\.type)
      #expect(types == ["order-placed", "payment-requested", "payment-received", "order-confirmed"])
      try await fixture.settle()
      let bill = try await fixture.get("/v1/accounts/acc-1/bills/2026-11").expecting(.ok)
      #expect(bill.json["gross"] == ["amount": 4500, "currency": "EUR"])
    }
  }

  @Test(
    "a card that is declined fails the order", arguments: ["decline", "insufficient-funds", "no-such-card"])
  func declined(card: String) async throws {
    try await RESTFixture.with(.live, sandbox: SandboxLink()) { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answer = try await fixture.post("/v1/orders", Self.order(hold, card: card))
      let problem = answer.expectProblem(409, "order-failed")
      let reasons = ["decline": "card-declined", "no-such-card": "unknown-card"]
      #expect(problem["reason"] == .string(reasons[card] ?? card))
      // The hold is still there for another card.
      let second = try await fixture.post("/v1/orders", Self.order(hold, card: "approve"))
      try second.expecting(.created)
    }
  }

  @Test("a card that is declined later fails the order when the webhook has come")
  func declinedLater() async throws {
    try await RESTFixture.with(.live, sandbox: SandboxLink()) { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answer = try await fixture.post("/v1/orders", Self.order(hold, card: "decline-later"))
        .expecting(.accepted)
      let order = try await eventually("failed", of: answer.headers[.location], in: fixture)
      #expect(order["reason"] == "card-declined")
    }
  }

  @Test("an order whose charge got no answer is confirmed all the same, and charged once")
  func timeout() async throws {
    try await RESTFixture.with(.live, sandbox: SandboxLink(timeout: .milliseconds(300))) { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answer = try await fixture.post("/v1/orders", Self.order(hold, card: "timeout")).expecting(
        .accepted)
      _ = try await eventually("confirmed", of: answer.headers[.location], in: fixture)
      let charges = try await fixture.pool.query("select 1 from aisle.sandbox_charges where tenant = 1")
      #expect(charges.count == 1)
    }
  }

  @Test("a payment that comes when the hold is over is given back in full")
  func late() async throws {
    try await RESTFixture.with(.live, sandbox: SandboxLink()) { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answer = try await fixture.post("/v1/orders", Self.order(hold, card: "late")).expecting(.accepted)
      fixture.clock.advance(by: .seconds(901))
      let order = try await eventually("failed", of: answer.headers[.location], in: fixture)
      #expect(order["reason"] == "hold-expired")
      let refunded = try await TestSupport.eventually("the sandbox has given it back") {
        try await fixture.pool.query("select amount from aisle.sandbox_refunds where tenant = 1").map {
          try $0.decode(Int64.self)
        }
      } until: {
        !$0.isEmpty
      }
      #expect(refunded == [4500])
      // The list does not take the late money for a new beginning.
      try await fixture.settle()
      let listed = try await fixture.get("/v1/orders").json["data"].array
      #expect(listed.map(\.["status"]) == ["failed"] && listed.map(\.["reason"]) == ["hold-expired"])
    }
  }

  @Test("a payment that comes when the order was cancelled is given back, and the order stays cancelled")
  func cancelled() async throws {
    try await RESTFixture.with(.live, sandbox: SandboxLink()) { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answer = try await fixture.post("/v1/orders", Self.order(hold, card: "late")).expecting(.accepted)
      let path = try #require(answer.headers[.location])
      try await fixture.post("\(path)/cancel", key: nil).expecting(.ok)
      // In a batch of its own, as the order's end is long past.
      try await fixture.settle()
      fixture.clock.advance(by: .seconds(901))
      let id = OrderID(unchecked: answer.json["order_id"].string ?? "")
      _ = try await TestSupport.eventually("the money came and went back") {
        try await fixture.aisle.store.read(.order(id)).map(\.type)
      } until: {
        $0.suffix(3) == ["payment-received", "refund-requested", "refund-settled"]
      }
      try await fixture.settle()
      let listed = try await fixture.get("/v1/orders").json["data"].array
      #expect(listed.map(\.["status"]) == ["cancelled"])
    }
  }

  @Test("a provider that is not set up is not taken for the account")
  func unknownProvider() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"])
      let answer = try await fixture.post("/v1/orders", Self.order(hold, card: "approve"))
      answer.expectProblem(422, "not-acceptable")
    }
  }
}

@Suite("The webhooks of a payment provider")
struct WebhookTests {
  private static let path = "/v1/payments/webhooks/sandbox"

  private static func notice(order: String, id: String = "n-1", amount: Int64 = 4500) -> [UInt8] {
    let payment = UUID.derived(from: "payment", order).uuidString.lowercased()
    return Array(
      """
      {"id":"\(id)","type":"charge.succeeded","created":"2026-11-24T19:00:00Z","data":{"order_id":"\(order)",\
      "payment_id":"\(payment)","amount":{"amount":\(amount),"currency":"EUR"}}}
      """.utf8)
  }

  private func post(_ body: [UInt8], signed signature: String?, in fixture: RESTFixture) async throws
    -> Answer
  {
    try await fixture.post(
      Self.path, text: String(decoding: body, as: UTF8.self), key: nil,
      headers: signature.map { [.signature: $0] } ?? [:])
  }

  /// An unpaid order, by a card that nothing is told of.
  private func unpaid(_ fixture: RESTFixture) async throws -> String {
    try await fixture.schedule()
    let hold = try await fixture.hold(["A-1"])
    let body: JSON = [
      "hold_id": .string(hold), "account_id": "acc-1", "payment_method": "sandbox:late",
    ]
    return try #require(
      try await fixture.post("/v1/orders", body).expecting(.accepted).json["order_id"].string)
  }

  @Test("only what is signed with the secret, over these bytes, a moment ago, is believed")
  func signatures() async throws {
    let link = SandboxLink()
    try await RESTFixture.with(.live, roles: [], sandbox: link) { fixture in
      let order = try await unpaid(fixture)
      let body = Self.notice(order: order)
      let now = RESTFixture.start
      let stranger = WebhookSecret.random()
      func problem(_ signature: String?) async throws {
        let answer = try await post(body, signed: signature, in: fixture)
        answer.expectProblem(401, "webhook-signature-invalid", at: "Aisle-Signature")
      }
      try await problem(nil)
      try await problem("v1=00")
      try await problem(WebhookSignature.sign(body, at: now, with: stranger))
      try await problem(
        WebhookSignature.sign(Self.notice(order: order, amount: 1), at: now, with: link.secret))
      try await problem(WebhookSignature.sign(body, at: now - .seconds(301), with: link.secret))
      try await problem(WebhookSignature.sign(body, at: now + .seconds(301), with: link.secret))
      #expect(try await fixture.get("/v1/orders/\(order)").json["status"] == "payment-pending")
      let right = WebhookSignature.sign(body, at: now - .seconds(299), with: link.secret)
      let answer = try await post(body, signed: right, in: fixture).expecting(.ok)
      #expect(answer.json == ["outcome": "applied"])
      #expect(try await fixture.get("/v1/orders/\(order)").json["status"] == "confirmed")
    }
  }

  @Test("a notice that comes again is acknowledged and changes nothing")
  func duplicates() async throws {
    let link = SandboxLink()
    try await RESTFixture.with(.live, roles: [], sandbox: link) { fixture in
      let order = try await unpaid(fixture)
      let body = Self.notice(order: order)
      let signature = WebhookSignature.sign(body, at: RESTFixture.start, with: link.secret)
      try await post(body, signed: signature, in: fixture).expecting(.ok)
      let version = try await fixture.get("/v1/orders/\(order)").json["version"]
      let again = try await post(body, signed: signature, in: fixture).expecting(.ok)
      #expect(again.json == ["outcome": "duplicate"])
      #expect(try await fixture.get("/v1/orders/\(order)").json["version"] == version)
    }
  }

  @Test("a notice about an order or an amount that nobody asked for is refused, so that it comes again")
  func strangers() async throws {
    let link = SandboxLink()
    try await RESTFixture.with(.live, roles: [], sandbox: link) { fixture in
      let order = try await unpaid(fixture)
      for (body, status, code) in [
        (Self.notice(order: "nobody"), 404, "order-not-found"),
        (Self.notice(order: order, amount: 4499), 422, "wrong-payment-amount"),
        (Array("{}".utf8), 400, "invalid-request"),
      ] {
        let signature = WebhookSignature.sign(body, at: RESTFixture.start, with: link.secret)
        try await post(body, signed: signature, in: fixture).expectProblem(status, code)
      }
      let unknown = try await fixture.post("/v1/payments/webhooks/bank", text: "{}", key: nil)
      unknown.expectProblem(404, "payment-provider-not-found")
    }
  }

  @Test("the sandbox takes nothing from somebody without its key")
  func apiKey() async throws {
    try await RESTFixture.with(.live, roles: [], sandbox: SandboxLink()) { fixture in
      let charge: JSON = [
        "order_id": "o-1", "card": "approve", "amount": ["amount": 1, "currency": "EUR"],
      ]
      try await fixture.post("/sandbox/charges", charge).expectProblem(401, "api-key-invalid")
    }
  }
}

extension HTTPField.Name {
  fileprivate static let signature = HTTPField.Name("Aisle-Signature")!
}

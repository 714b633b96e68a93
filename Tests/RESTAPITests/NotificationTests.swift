import EventStore
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Services
import TestSupport
import Testing
import Vocabulary

/// Somebody who is told, and answers as the test says.
private final class Receiver: Sendable {
  struct Message: Sendable {
    let signature: String
    let body: [UInt8]
    var json: JSON { (try? JSON(body)) ?? .null }
  }

  let secret = WebhookSecret.random()
  let status: Shared<HTTPResponse.Status> = Shared(.ok)
  let messages: Shared<[Message]> = Shared([])

  /// Runs `body` while it listens.
  func listening(_ body: @escaping @Sendable (NotificationService.Target) async throws -> Void) async throws {
    let router = Router()
    router.post("told") { request, _ in
      let bytes = try await request.body.collect(upTo: 1 << 20)
      let header = request.headers[HTTPField.Name("Aisle-Signature")!] ?? ""
      self.messages.update { $0.append(Message(signature: header, body: Array(bytes.readableBytesView))) }
      return self.status.value
    }
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: .silent)
    try await application.test(.live) { client in
      let port = try #require(client.port)
      let url = try #require(URL(string: "http://127.0.0.1:\(port)/told"))
      try await body(NotificationService.Target(url: url, secret: self.secret))
    }
  }
}

@Suite("Notifications")
struct NotificationTests {
  /// Nothing runs by itself: the test moves subscriptions and deliveries.
  private func with(
    _ receiver: Receiver, _ body: @escaping @Sendable (RESTFixture) async throws -> Void
  ) async throws {
    try await receiver.listening { target in
      try await RESTFixture.with(roles: [], notifying: target, body)
    }
  }

  @Test("what becomes of an order is told once, signed, with the buyer's name")
  func told() async throws {
    let receiver = Receiver()
    try await with(receiver) { fixture in
      try await fixture.schedule()
      let order = try await fixture.buy(["A-1", "A-2"])
      try await fixture.post("/v1/orders/\(order)/cancel", key: nil).expecting(.ok)
      try await fixture.aisle.catchUp()
      try await fixture.aisle.notifications.deliver()
      try await fixture.aisle.notifications.deliver()
      let messages = receiver.messages.value
      #expect(messages.map(\.json["type"]) == ["order-confirmed", "order-cancelled"])
      #expect(messages.map(\.json["buyer"]) == ["ann", "ann"])
      #expect(messages.map(\.json["order_id"]) == [.string(order), .string(order)])
      #expect(messages.last?.json["refund"] == ["amount": 9000, "currency": "EUR"])
      for message in messages {
        try WebhookSignature.verify(
          message.signature, of: message.body, at: RESTFixture.start, with: receiver.secret)
      }
    }
  }

  @Test(
    "what is not acknowledged is told again with growing pauses, then given up, and retried by an operator")
  func retried() async throws {
    let receiver = Receiver()
    receiver.status.update { $0 = .internalServerError }
    try await with(receiver) { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      try await fixture.aisle.catchUp()
      let notifications = fixture.aisle.notifications
      try await notifications.deliver()
      // Not before its pause is over.
      #expect(try await notifications.deliver() == 0)
      fixture.clock.advance(by: .seconds(1))
      #expect(try await notifications.deliver() == 1)
      fixture.clock.advance(by: .seconds(1))
      #expect(try await notifications.deliver() == 0)
      for _ in 3...NotificationService.maximumAttempts {
        fixture.clock.advance(by: .seconds(1800))
        #expect(try await notifications.deliver() == 1)
      }
      fixture.clock.advance(by: .seconds(86_400))
      #expect(try await notifications.deliver() == 0)
      let dead = try await notifications.list(onlyDead: true)
      #expect(dead.map(\.attempts) == [NotificationService.maximumAttempts])
      #expect(dead.first?.lastError?.hasPrefix("500") == true)

      receiver.status.update { $0 = .ok }
      #expect(try await notifications.retry() == 1)
      #expect(try await notifications.deliver() == 1)
      #expect(try await notifications.list(onlyDead: true).isEmpty)
      // The receiver knows all of them as one message.
      #expect(Set(receiver.messages.value.map(\.json["id"])).count == 1)
    }
  }

  @Test("no message is sent twice when the subscription starts anew or tables are rebuilt")
  func rebuilt() async throws {
    let receiver = Receiver()
    try await with(receiver) { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      try await fixture.aisle.catchUp()
      try await fixture.aisle.notifications.deliver()
      // When everything is read again from the beginning
      _ = try await fixture.pool.execute(
        "update aisle.checkpoints set position = 0 where tenant = 1 and subscription = 'notifications'")
      try await fixture.aisle.catchUp()
      let subscription = try #require(
        fixture.aisle.subscriptions(of: [.notifications]).first { $0.name == "notifications" })
      #expect(throws: SubscriptionProblem.declaresNoTables("notifications")) {
        _ = try ProjectionRebuild(subscription, of: fixture.aisle.store)
      }
      // Then
      try await fixture.aisle.notifications.deliver()
      #expect(receiver.messages.value.count == 1)
    }
  }

  @Test("nobody is told of what happened long before notifications were set up")
  func oldLog() async throws {
    let receiver = Receiver()
    try await with(receiver) { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      try await fixture.asOwner("update aisle.events set recorded_at = recorded_at - interval '2 days'")
      try await fixture.aisle.catchUp()
      #expect(try await fixture.aisle.notifications.list(onlyDead: false).isEmpty)
    }
  }

  @Test("somebody who was forgotten is not named any more")
  func forgotten() async throws {
    let receiver = Receiver()
    try await with(receiver) { fixture in
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      try await fixture.aisle.catchUp()
      _ = try await fixture.aisle.privacy.forget(DataSubject(kind: "buyer", name: "ann"))
      try await fixture.aisle.notifications.deliver()
      #expect(receiver.messages.value.map(\.json["buyer"]) == ["[forgotten]"])
    }
  }
}

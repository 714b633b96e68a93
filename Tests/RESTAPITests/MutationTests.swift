import Foundation
import Hummingbird
import TestSupport
import Testing

@Suite("Random requests")
struct MutationTests {
  /// Where a valid body may be posted; `hold` is the id of one.
  private static let bodies: [(path: String, body: @Sendable (_ hold: String) -> JSON)] = [
    ("/v1/shows", { _ in RESTFixture.show(nil) }),
    ("/v1/shows/hamlet/holds", { _ in ["buyer": "ann", "seats": ["A-1", "A-2"]] }),
    ("/v1/shows/hamlet/holds", { _ in ["buyer": "ann", "best": ["count": 2, "section": "stalls"]] }),
    (
      "/v1/shows/hamlet/holds",
      { _ in
        [
          "buyer": "ann",
          "best": ["count": 3, "section": "stalls", "category": "gold", "together": false, "accessible": 1],
        ]
      }
    ), ("/v1/shows", { _ in ChartTests.house.without("show_id") }),
    ("/v1/plans/check", { _ in ChartTests.house }),
    ("/v1/shows/hamlet/waiting-list", { _ in ["buyer": "ann", "count": 2, "section": "stalls"] }),
    ("/v1/orders", { hold in RESTFixture.order(hold) }),
    ("/v1/accounts", { _ in ["account_id": "acc-1", "name": "Ann", "time_zone": "Europe/London"] }),
  ]

  @Test(
    "a changed body is never a server's error, and each refusal is a well-formed problem",
    arguments: bodies.indices)
  func changedBodies(number: Int) async throws {
    try await RESTFixture.with { fixture in
      let (path, body) = Self.bodies[number]
      var mutation = Mutation(random: SeededRandom(for: "changed bodies of \(path)"))
      try await fixture.schedule(seats: 400)
      let valid = body(try await fixture.hold(["A-400"]))
      var refused = 0
      for number in 1...120 {
        let bytes = mutation.body(from: valid)
        let answer = try await fixture.send(
          .post, path, headers: [.idempotencyKey: "k-\(number)"], body: ByteBuffer(bytes: bytes))
        let sent: Comment = "\(String(decoding: bytes.prefix(2000), as: UTF8.self)) gave \(answer)"
        #expect(answer.status.code < 500, sent)
        if answer.status.kind != .successful {
          refused += 1
          #expect(answer.flaws == [], sent)
          if answer.status == .badRequest { #expect(!answer.json["errors"].array.isEmpty, sent) }
        }
      }
      // Most changes are of fields that may be left out or have many right values.
      #expect(refused > 30)
      // Whatever was accepted can be projected and billed.
      try await fixture.settle()
    }
  }

  @Test("a changed path or query is never a server's error, and each refusal is a well-formed problem")
  func changedPaths() async throws {
    try await RESTFixture.with { fixture in
      var random = SeededRandom(for: "changed paths")
      try await fixture.schedule()
      let order = try await fixture.buy(["A-1"])
      try await fixture.settle()
      let paths: [(HTTPRequest.Method, String)] = [
        (.get, "/v1/shows?limit=5&cursor=c2hvd3MgMQ"), (.get, "/v1/shows/hamlet/seats"),
        (.get, "/v1/shows/hamlet/chart"), (.get, "/v1/shows/hamlet/availability"),
        (.get, "/v1/shows/hamlet/plan.svg"), (.get, "/v1/waiting-list/hamlet:1"),
        (.delete, "/v1/waiting-list/hamlet:1"), (.post, "/v1/holds/hamlet:1/extend"),
        (.get, "/v1/holds/hamlet:1"), (.delete, "/v1/holds/hamlet:1"),
        (.get, "/v1/orders?limit=3&cursor=b3JkZXJzIDE"),
        (.post, "/v1/orders/\(order)/cancel"), (.post, "/v1/billing/months/2026-11/reconcile"),
        (.post, "/v1/billing/months/2026-10/close?account=acc-1"),
        (.get, "/v1/billing/months/2026-10/parked"),
        (.get, "/v1/accounts/acc-1/invoices?limit=2"), (.get, "/v1/accounts/acc-1/invoices/INV-2026-000001"),
        (.get, "/v1/accounts/acc-1/bills?from=2026-01&to=2026-12&source=batch"),
        (.get, "/v1/accounts/acc-1/bills/2026-11?source=batch&currency=EUR"),
        (.get, "/v1/accounts/acc-1/bills/2026-11/lines?limit=2&source=batch"),
        (.get, "/v1/billing/months/2026-11?source=batch&limit=2"),
        (.get, "/v1/events?after=1&limit=2&category=order,show&type=order-placed"),
      ]
      for _ in 1...300 {
        guard let (method, valid) = paths.randomElement(using: &random) else { return }
        var bytes = Array(valid.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          // The first character stays: a request's target begins with a slash.
          let index = Int.random(in: 1..<bytes.count, using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: bytes[index] = UInt8.random(in: 0x21...0x7E, using: &random)
          case 1: bytes.remove(at: index)
          default:
            bytes.insert(
              contentsOf: Array("%0a%ff%?&=/9:".utf8).shuffled(using: &random).prefix(3), at: index)
          }
        }
        let path = String(decoding: bytes, as: UTF8.self)
        let answer = try await fixture.send(method, path)
        #expect(answer.status.code < 500, "\(method) \(path) gave \(answer)")
        if answer.status.kind == .clientError {
          #expect(answer.flaws == [], "\(method) \(path) gave \(answer)")
        }
      }
    }
  }

  @Test("a forged cursor is a page or a 400, never a server's error")
  func forgedCursors() async throws {
    try await RESTFixture.with { fixture in
      var random = SeededRandom(for: "forged cursors")
      try await fixture.schedule()
      try await fixture.buy(["A-1"])
      try await fixture.settle()
      let lists = [
        ("shows", "/v1/shows?"), ("orders", "/v1/orders?"),
        ("lines", "/v1/accounts/acc-1/bills/2026-11/lines?source=batch&"),
        ("lines", "/v1/accounts/acc-1/bills/2026-11/lines?source=pre-aggregated&"),
        ("month", "/v1/billing/months/2026-11?source=batch&"),
      ]
      for (list, path) in lists {
        for _ in 1...40 {
          let (a, b) = (random.anyInt64(), random.anyInt64())
          let place = ["\(a)", "\(a):\(b)", "\(a)/EUR", "", "é:1"].randomElement(using: &random) ?? ""
          let cursor = Data("\(list) \(place)".utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
          let answer = try await fixture.get("\(path)cursor=\(cursor)")
          if answer.status != .ok {
            answer.expectProblem(400, "invalid-request", at: "cursor")
          }
        }
      }
    }
  }
}

import EventStore
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Ordering
import PostgreSQL
import RESTAPI
import Services
import TestSupport
import Testing
import Vocabulary

/// Aisle over HTTP, on a log of its own. Its subscriptions run as they do in production; the clock is the test's.
struct RESTFixture: Sendable {
  static let start = Timestamp(rfc3339: "2026-11-24T19:00:00Z") ?? Timestamp(microseconds: 0)

  let client: any TestClientProtocol
  let aisle: Aisle
  /// As the services' role.
  let pool: PostgresPool
  /// Of the owner.
  let conninfo: String
  let clock: SteeredClock

  /// Runs `body` and puts everything away.
  ///
  /// - Parameters:
  ///   - sandbox: lets orders be paid by test cards, over HTTP; needs `.live`.
  ///   - setup: `.live` where bytes have to come through a socket.
  ///   - roles: whose subscriptions run.
  ///   - connections: in all; with `reportConnections` those of reports come on top, otherwise they are shared.
  ///   - waitingForOneShow: most commands in the queue of a show.
  static func with(
    _ setup: TestingSetup = .router, roles: Set<Aisle.Role> = Set(Aisle.Role.allCases),
    options: RESTAPI.Options = patient, upcasters: Upcasters = EventHistory.upcasters,
    sandbox: SandboxLink? = nil, cancellations: CancellationPolicy = .free,
    notifying target: NotificationService.Target? = nil, mailing: NotificationService.Mailing? = nil,
    connections: Int = 6, reportConnections: Int? = nil,
    acquireTimeout: Duration = .seconds(15), waitingForOneShow: Int = 10_000,
    roomPatience: Duration = .seconds(1),
    logger: Logger = .silent, _ body: @escaping @Sendable (RESTFixture) async throws -> Void
  ) async throws {
    try await turnstile.pass {
      try await withTestDatabase(from: .migrated) { conninfo in
        try await withPool(
          servicesConfiguration(conninfo), size: connections, acquireTimeout: acquireTimeout
        ) { pool in
          let arrangement = Arrangement(
            owner: conninfo, roles: roles, options: options, upcasters: upcasters, sandbox: sandbox,
            cancellations: cancellations, target: target, mailing: mailing,
            waitingForOneShow: waitingForOneShow,
            roomPatience: roomPatience,
            logger: logger)
          guard let reportConnections else { return try await serve(from: pool, setup, arrangement, body) }
          try await withPool(servicesConfiguration(conninfo), size: reportConnections) { reportPool in
            try await serve(from: pool, reportsFrom: reportPool, setup, arrangement, body)
          }
        }
      }
    }
  }

  /// What is served, but for where its connections come from.
  private struct Arrangement: Sendable {
    var owner = ""
    var roles: Set<Aisle.Role> = []
    var options = RESTFixture.patient
    var upcasters = EventHistory.upcasters
    var sandbox: SandboxLink?
    var cancellations = CancellationPolicy.free
    var target: NotificationService.Target?
    var mailing: NotificationService.Mailing?
    var waitingForOneShow = 10_000
    var roomPatience = Duration.seconds(1)
    var logger = Logger.silent
  }

  /// A machine that is busy with other tests is no reason to answer otherwise.
  static let patient: RESTAPI.Options = {
    var options = RESTAPI.Options()
    options.readPatience = .seconds(120)
    return options
  }()

  /// Each of these has up to eight connections, and the test server takes 300 from all tests together.
  private static let turnstile = Turnstile(places: 8)

  /// The same with a database that nobody answers for.
  static func withoutDatabase(_ body: @escaping @Sendable (RESTFixture) async throws -> Void) async throws {
    try await withPool("host=/nonexistent dbname=aisle", size: 2, acquireTimeout: .seconds(1)) { pool in
      try await serve(from: pool, .router, Arrangement(), body)
    }
  }

  private static func serve(
    from pool: PostgresPool, reportsFrom reportPool: PostgresPool? = nil, _ setup: TestingSetup,
    _ arrangement: Arrangement, _ body: @escaping @Sendable (RESTFixture) async throws -> Void
  ) async throws {
    let clock = SteeredClock(start)
    var options = arrangement.options
    let bank = SandboxBank(pool: pool, time: clock.source)
    let sandbox = arrangement.sandbox
    if let sandbox { options.sandbox = .init(bank, secret: sandbox.secret) }
    let logger = arrangement.logger
    let aisle = Aisle(
      pool: pool, reportPool: reportPool, time: clock.source,
      waitingForOneShow: arrangement.waitingForOneShow,
      roomPatience: arrangement.roomPatience, upcasters: arrangement.upcasters,
      payments: sandbox?.payments ?? .none,
      cancellations: arrangement.cancellations, notifying: arrangement.target,
      mailing: arrangement.mailing, logger: logger)
    let application = RESTAPI(aisle: aisle, logger: logger, options: options).application(port: 0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await aisle.run(arrangement.roles) }
      defer { group.cancelAll() }
      try await application.test(setup) { client in
        let fixture = RESTFixture(
          client: client, aisle: aisle, pool: pool, conninfo: arrangement.owner, clock: clock)
        guard let sandbox else { return try await body(fixture) }
        let webhooks = try sandbox.connect(to: #require(client.port), of: bank)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { await webhooks.run() }
          defer { group.cancelAll() }
          try await body(fixture)
        }
      }
    }
  }

  /// Waits until everything in the log has had all of its effects.
  @discardableResult
  func settle() async throws -> Position {
    let names = Set(aisle.subscriptions(of: Set(Aisle.Role.allCases)).map(\.name))
    return try await eventually("every subscription is at the end of the log") {
      // The end last: what a subscription appends is in the log before its checkpoint moves.
      let subscriptions = try await aisle.store.subscriptions()
      return (subscriptions: subscriptions, head: try await aisle.store.head())
    } until: { seen in
      Set(seen.subscriptions.map(\.name)) == names
        && seen.subscriptions.allSatisfy { $0.position == seen.head }
    }.head
  }
}

extension RESTFixture {
  /// Does what only the owner may do.
  func asOwner(_ script: String) async throws {
    try await withPool(conninfo, size: 1) { pool in
      try await pool.withConnection { try await $0.executeScript(script) }
    }
  }
}

// Requests.
extension RESTFixture {
  func send(
    _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], body: ByteBuffer? = nil
  ) async throws -> Answer {
    Answer(try await client.execute(uri: path, method: method, headers: headers, body: body))
  }

  func get(_ path: String, headers: HTTPFields = [:]) async throws -> Answer {
    try await send(.get, path, headers: headers)
  }

  /// - Parameter key: nil sends no Idempotency-Key.
  func post(
    _ path: String, _ body: JSON? = nil, key: String? = UUID().uuidString, headers: HTTPFields = [:]
  ) async throws -> Answer {
    try await post(path, text: body?.text, key: key, headers: headers)
  }

  func post(
    _ path: String, text: String?, key: String? = UUID().uuidString, headers: HTTPFields = [:]
  ) async throws -> Answer {
    var headers = headers
    if let key { headers[.idempotencyKey] = key }
    return try await send(.post, path, headers: headers, body: text.map(ByteBuffer.init(string:)))
  }
}

// What many tests begin with.
extension RESTFixture {
  static func show(
    _ id: String? = "hamlet", seats: Int = 10, price: Int64 = 4500, currency: String = "EUR"
  ) -> JSON {
    [
      "show_id": id.map(JSON.string) ?? .null, "title": "Hamlet", "starts_at": "2026-12-24T19:30:00Z",
      "currency": .string(currency), "tax_rate_bp": 700, "hold_ttl_seconds": 600,
      "sections": [
        ["id": "stalls", "price": .integer(price), "rows": [["id": "A", "seats": .integer(Int64(seats))]]]
      ],
    ]
  }

  @discardableResult
  func schedule(
    _ id: String = "hamlet", seats: Int = 10, price: Int64 = 4500, currency: String = "EUR"
  ) async throws -> Answer {
    try await post("/v1/shows", Self.show(id, seats: seats, price: price, currency: currency))
      .expecting(.created)
  }

  /// Holds seats and gives the hold's id.
  func hold(_ seats: [String], of show: String = "hamlet", buyer: String = "ann") async throws -> String {
    let body: JSON = ["buyer": .string(buyer), "seats": .array(seats.map(JSON.string))]
    let answer = try await post("/v1/shows/\(show)/holds", body).expecting(.created)
    return try #require(answer.json["hold_id"].string)
  }

  static func order(_ hold: String, account: String = "acc-1") -> JSON {
    ["hold_id": .string(hold), "account_id": .string(account), "payment_method": "invoice"]
  }

  /// Buys seats and gives the order's id.
  @discardableResult
  func buy(
    _ seats: [String], of show: String = "hamlet", for account: String = "acc-1"
  ) async throws -> String {
    let hold = try await hold(seats, of: show)
    let answer = try await post("/v1/orders", Self.order(hold, account: account)).expecting(.created)
    return try #require(answer.json["order_id"].string)
  }
}

extension HTTPField.Name {
  static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
  static let idempotentReplayed = HTTPField.Name("Idempotent-Replayed")!
  static let requestID = HTTPField.Name("X-Request-ID")!
  static let traceparent = HTTPField.Name("traceparent")!
  static let position = HTTPField.Name("X-Aisle-Position")!
  static let minPosition = HTTPField.Name("X-Aisle-Min-Position")!
  static let lastEventID = HTTPField.Name("Last-Event-ID")!
  static let link = HTTPField.Name("Link")!
}

import EventStore
import Foundation
import Hummingbird
import Logging
import PostgreSQL
import RESTAPI
import ServiceLifecycle
import Services
import Synchronization
import Vocabulary

/// What a scenario needs around the services, on real sockets: their REST interface for who looks and for the bank's
/// webhooks, the sandbox bank, and somebody who is told what becomes of orders. Only what the plan asks for is there.
final class Outside: Sendable {
  let plan: ScenarioPlan
  private let logger: Logger
  private let time: TimeSource
  let receiver: Receiver?
  private let bank: SandboxBank?
  private let secret = WebhookSecret.random()
  /// Of the interleavings, which decide themselves when money comes.
  let ledger: HandBank?
  private let till = Mutex<NaiveTill?>(nil)
  private let state = Mutex(State())

  private struct State {
    var url: String?
    var webhooks: SandboxWebhooks?
    var connections: [Int: RESTOffice] = [:]
    var views: [SeatView] = []
    var stays: [DoorStay] = []
    var turnedAway = 0
  }

  init(_ plan: ScenarioPlan, pool: PostgresPool, time: TimeSource, logger: Logger) {
    self.plan = plan
    self.time = time
    self.logger = logger
    receiver = plan.scenario.notificationsFailEvery.map {
      Receiver(time: time, failsEvery: $0, alwaysAcknowledges: plan.strategy == .toldOnce)
    }
    bank = plan.buyers.contains { $0.card != nil } ? SandboxBank(pool: pool, time: time) : nil
    ledger = plan.hasInterleavings ? HandBank() : nil
  }

  /// Whether anybody speaks HTTP to the services.
  private var isServing: Bool {
    bank != nil || plan.steps.contains { !$0.pollers.isEmpty }
      || plan.scenario.actors.contains { $0.kind == .terminals || $0.kind == .shoppers }
  }

  var payments: Payments {
    if let ledger { return ledger.connection }
    return bank.map { Payments([.init($0, secret: secret)]) } ?? .none
  }

  /// Runs `body` while the one who is told, if there is one, listens.
  func told<T: Sendable>(
    _ body: @escaping @Sendable (NotificationService.Target?) async throws -> T
  ) async throws -> T {
    guard receiver != nil || plan.strategy == .refundsForgotten else { return try await body(nil) }
    let router = Router(context: BasicRequestContext.self)
    receiver?.addRoutes(to: router)
    router.post("till") { request, _ in
      let bytes = Array(try await request.body.collect(upTo: 1 << 20).readableBytesView)
      try await self.till.withLock(\.self)?.take(bytes)
      return HTTPResponse.Status.ok
    }
    return try await LocalServer.run(
      logger: logger,
      { onListening in
        Application(
          router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
          onServerRunning: { onListening($0.localAddress?.port) }, logger: self.logger)
      },
      { port in
        self.state.withLock { $0.url = "http://127.0.0.1:\(port)/till" }
        guard let receiver = self.receiver, let url = URL(string: "http://127.0.0.1:\(port)/told") else {
          return try await body(nil)
        }
        return try await body(NotificationService.Target(url: url, secret: receiver.secret))
      })
  }

  /// Runs `body` while the services' REST interface listens, if anybody needs it.
  func serving<T: Sendable>(_ aisle: Aisle, _ body: @escaping @Sendable () async throws -> T) async throws
    -> T
  {
    guard isServing else { return try await body() }
    return try await LocalServer.run(
      logger: logger,
      { RESTAPI(aisle: aisle, logger: self.logger).application(port: 0, onListening: $0) },
      { port in
        try self.connect(to: port, aisle)
        defer { self.state.withLock { $0.webhooks = nil } }
        do {
          let value = try await body()
          await self.hangUp()
          return value
        } catch {
          await self.hangUp()
          throw error
        }
      })
  }

  private func connect(to port: Int, _ aisle: Aisle) throws {
    let base = "http://127.0.0.1:\(port)"
    if plan.strategy == .refundsForgotten { till.withLock { $0 = NaiveTill(aisle: aisle) } }
    try state.withLock { state in
      let told = plan.strategy == .refundsForgotten ? state.url : base + "/v1/payments/webhooks/sandbox"
      guard let url = told.flatMap(URL.init(string:)) else { throw ScenarioRunError("\(base) is not a URL") }
      state.url = base
      state.webhooks = bank.map { SandboxWebhooks($0, to: url, secret: secret, logger: logger) }
    }
  }

  private func hangUp() async {
    let connections = state.withLock { state in
      defer { state.connections = [:] }
      return state.connections
    }
    for connection in connections.values { await connection.close() }
  }

  // MARK: Webhooks and notifications

  /// Delivers what the bank and the services have to tell by now.
  ///
  /// - Returns: whether there was anything.
  @discardableResult
  func deliver(for aisle: Aisle) async throws -> Bool {
    var any = false
    if let webhooks = state.withLock({ $0.webhooks }) {
      while try await webhooks.deliver() > 0 { any = true }
    }
    if receiver != nil {
      while try await aisle.notifications.deliver() > 0 { any = true }
    }
    return any
  }

  /// Whether something waits for its next try.
  func isOwing(_ aisle: Aisle) async throws -> Bool {
    let rows = try await aisle.store.pool.query(
      """
      select exists (
        select from aisle.sandbox_webhooks where tenant = 1 and delivered_at is null and attempts < 30
      ) or exists (
        select from aisle.notifications where tenant = 1 and sent_at is null and dead_at is null
          and \(receiver != nil)::boolean
      )
      """)
    return try rows.first?.decode(Bool.self) ?? false
  }

  // MARK: Looking

  var views: [SeatView] { state.withLock { $0.views } }
  var turnedAway: Int { state.withLock { $0.turnedAway } }

  /// What everybody was told who came by a waiting room.
  var stays: [DoorStay] { state.withLock { $0.stays } }

  func note(_ stay: DoorStay) { state.withLock { $0.stays.append(stay) } }
  func note(_ view: SeatView) { state.withLock { $0.views.append(view) } }
  func noteTurnedAway() { state.withLock { $0.turnedAway += 1 } }

  /// A connection of one's own, by any number that is.
  func connection(_ lane: Int) async throws -> RESTOffice {
    let (known, url) = state.withLock { ($0.connections[lane], $0.url) }
    if let known { return known }
    guard let url else { throw ScenarioRunError("nobody serves HTTP in this run") }
    let connection = try await RESTOffice.open(url: url)
    return state.withLock { state in
      // Only one asks for a lane at a time.
      state.connections[lane] = connection
      return connection
    }
  }

  func drop(_ lane: Int) async { await state.withLock { $0.connections.removeValue(forKey: lane) }?.close() }
}

extension ScenarioPlan {
  var hasInterleavings: Bool { !interleavedShows.isEmpty }
}

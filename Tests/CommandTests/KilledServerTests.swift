import AsyncHTTPClient
import Booking
import EventStore
import Foundation
import NIOCore
import Ordering
import PostgreSQL
import Subprocess
import SystemPackage
import TestSupport
import Testing
import Vocabulary

/// `aisle up` with its sandbox bank, killed by SIGKILL in the middle of orders, again and again.
@Suite("Orders and a server that is killed", .timeLimit(.minutes(5)))
struct KilledServerTests {
  private static let price: Int64 = 4500
  /// Each of them has told what it has to tell within seconds.
  private static let cards = [
    "sandbox:approve", "sandbox:approve-later", "sandbox:decline", "sandbox:decline-later",
    "sandbox:duplicate", "sandbox:out-of-order", "invoice",
  ]
  private static let buyers = 120

  @Test("every order comes to an end with its seat and its price, or without both")
  func killed() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      let port = try freePort()
      let url = "http://127.0.0.1:\(port)"
      let through = Counter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          // Each is killed when so many buyers are through; the last one lives until every order has ended.
          for goal in stride(from: 10, through: Self.buyers, by: 10) {
            try await life(on: conninfo, port: port) {
              _ = try await eventually("\(goal) buyers are through", within: .seconds(90)) {
                await through.count
              } until: {
                $0 >= goal
              }
              guard goal == Self.buyers else { return }
              _ = try await eventually("every order has ended", within: .seconds(60)) {
                try await unfinished(conninfo)
              } until: {
                $0.isEmpty
              }
            }
          }
        }
        group.addTask {
          let show = #"""
            {"show_id": "hamlet", "title": "Hamlet", "starts_at": "2099-12-24T19:30:00Z", "currency": "EUR",
             "tax_rate_bp": 700, "hold_ttl_seconds": 600,
             "sections": [{"id": "stalls", "price": 4500, "rows": [{"id": "A", "seats": \#(Self.buyers)}]}]}
            """#
          _ = try await post("\(url)/v1/shows", show, key: "show")
          try await withThrowingTaskGroup(of: Void.self) { buyers in
            for number in 1...Self.buyers {
              // Not all at once, so that each server dies in the middle of something.
              if number > 8 { try await buyers.next() }
              buyers.addTask {
                try await buy(number, at: url)
                await through.increment()
              }
            }
            try await buyers.waitForAll()
          }
        }
        try await group.waitForAll()
      }
      let ends = try await ends(conninfo)
      // The others' orders were never stored.
      #expect(ends.count >= Self.buyers / 2)
      for end in ends { #expect(end.isRight(price: Self.price), "\(end)") }
      #expect(Set(ends.map(\.isConfirmed)) == [true, false])
    }
  }

  private func buy(_ number: Int, at url: String) async throws {
    let hold = try await post(
      "\(url)/v1/shows/hamlet/holds", #"{"buyer": "buyer-\#(number)", "seats": ["A-\#(number)"]}"#,
      key: "hold-\(number)")
    let id = try #require(
      (try JSONSerialization.jsonObject(with: hold) as? [String: Any])?["hold_id"] as? String)
    // Every other buyer does not come back when there is no answer, and nobody but the server finishes that order.
    _ = try await post(
      "\(url)/v1/orders",
      #"{"hold_id": "\#(id)", "account_id": "acc-1", "payment_method": "\#(Self.cards[number % Self.cards.count])"}"#,
      key: "order-\(number)", comesBack: number.isMultiple(of: 2))
  }

  /// Asks with the same key until there is an answer that is one, or only once.
  private func post(_ url: String, _ body: String, key: String, comesBack: Bool = true) async throws -> Data {
    let deadline = ContinuousClock.now + .seconds(120)
    while true {
      var request = HTTPClientRequest(url: url)
      request.method = .POST
      request.headers.add(name: "Content-Type", value: "application/json")
      request.headers.add(name: "Idempotency-Key", value: key)
      request.body = .bytes(Array(body.utf8))
      if let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(20)),
        let answer = try? await response.body.collect(upTo: 1 << 20), response.status.code < 500
      {
        return Data(answer.readableBytesView)
      }
      if !comesBack { return Data() }
      try #require(ContinuousClock.now < deadline, "no answer to \(key)")
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// One `aisle up`, from its start until `body` is through, and then SIGKILL.
  private func life(on conninfo: String, port: Int, _ body: @escaping @Sendable () async throws -> Void)
    async throws
  {
    let program = AisleProgram(environment: ["AISLE_DATABASE_URL": conninfo, "AISLE_POOL_SIZE": "6"])
    _ = try await Subprocess.run(
      .path(try AisleProgram.path()), arguments: ["up", "--port", "\(port)"], environment: program.variables,
      input: .none, output: .discarded, error: .discarded
    ) { execution in
      defer { kill(execution.processIdentifier.value, SIGKILL) }
      try await body()
    }
  }

  // MARK: What became of them

  private struct End: CustomStringConvertible {
    let order: OrderID
    let isConfirmed: Bool
    let hasSeat: Bool
    /// What the bank has kept; nil if the order is on the account.
    let kept: Int64?

    func isRight(price: Int64) -> Bool {
      hasSeat == isConfirmed && (kept.map { $0 == (isConfirmed ? price : 0) } ?? true)
    }

    var description: String { "\(order): confirmed \(isConfirmed), seat \(hasSeat), kept \(kept ?? -1)" }
  }

  private func orders(_ store: EventStore) async throws -> [Ordering.State] {
    var states: [String: Ordering.State] = [:]
    for event in try await store.readAll(after: .start, categories: [Ordering.Event.category], limit: 5000) {
      Ordering.evolve(&states[event.stream.id, default: .none], try event.decode())
    }
    return Array(states.values)
  }

  /// Orders that something is still to be done for, or that wait for money.
  private func unfinished(_ conninfo: String) async throws -> [OrderID] {
    try await withPool(conninfo) { pool in
      try await orders(EventStore(pool: pool)).filter { state in
        if case .placed = state.standing { return true }
        return !state.unsettledRefunds.isEmpty
      }.compactMap(\.order?.orderID)
    }
  }

  private func ends(_ conninfo: String) async throws -> [End] {
    try await withPool(conninfo) { pool in
      let store = EventStore(pool: pool)
      var owners: Set<OrderID> = []
      for event in try await store.read(.init(category: Booking.Event.category, id: "hamlet"), limit: 5000) {
        switch try event.decode(as: Booking.Event.self) {
        case .holdConfirmed(let fact): owners.insert(fact.orderID)
        case .bookingCancelled(let fact): owners.remove(fact.orderID)
        default: break
        }
      }
      // Its own books: a charge of a card that pays, without what was given back.
      let books = try await pool.query(
        """
        select c.order_id,
               case when c.card like 'decline%' then 0 else c.amount end
                 - (select coalesce(sum(r.amount), 0)::bigint
                    from aisle.sandbox_refunds r
                    where r.tenant = c.tenant and r.charge_id = c.charge_id)
        from aisle.sandbox_charges c
        where c.tenant = 1
        """
      ).map { try $0.decode(String.self, Int64.self) }
      let kept = Dictionary(books, uniquingKeysWith: +)
      return try await orders(store).compactMap { state in
        guard let order = state.order else { return nil }
        var isConfirmed = false
        if case .confirmed = state.standing { isConfirmed = true }
        return End(
          order: order.orderID, isConfirmed: isConfirmed, hasSeat: owners.contains(order.orderID),
          kept: state.payment == nil ? nil : kept[order.orderID.rawValue] ?? 0)
      }
    }
  }
}

private actor Counter {
  private(set) var count = 0
  func increment() { count += 1 }
}

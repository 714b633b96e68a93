import EventStore
import Foundation
import Migrations
import Ordering
import PostgreSQL
import TestSupport
import Vocabulary

@testable import Services

/// Billing on a log of its own, into which tests write order events.
struct BillingFixture: Sendable {
  /// Of the owner.
  let conninfo: String
  /// As the services' role.
  let pool: PostgresPool
  let store: EventStore
  let billing: BillingService

  static let opened = Timestamp(rfc3339: "2025-12-01T00:00:00Z") ?? Timestamp(microseconds: 0)

  /// Everything that is in the log now takes effect.
  @discardableResult
  func catchUp() async throws -> Position { try await catchUp(billing.subscription) }

  /// On a machine that is busy with other tests, the server ends a transaction that pauses for too long. A worker then tries
  /// again, and so does this; the transaction has left nothing.
  @discardableResult
  func catchUp(_ subscription: Subscription) async throws -> Position {
    for _ in 1..<20 {
      do {
        return try await SubscriptionRunner(subscription, of: store).catchUp()
      } catch let error as PostgresError where error.isConnectionLost {
        continue
      }
    }
    return try await SubscriptionRunner(subscription, of: store).catchUp()
  }

  func open(_ account: String, in timeZone: String) async throws {
    try await billing.openAccount(
      AccountID(unchecked: account), name: "Account \(account)", timeZone: timeZone, RequestContext())
  }

  func confirm(_ order: BilledOrder) async throws { try await append([order.confirmed()]) }

  func cancel(_ order: BilledOrder, at instant: Timestamp) async throws {
    try await append([order.cancelled(at: instant)])
  }

  func append(_ appends: [StreamAppend]) async throws {
    for append in appends {
      guard case .committed = try await store.append([append]) else { throw Refused(stream: append.stream) }
    }
  }

  struct Refused: Error { let stream: StreamName }

  func bill(_ account: String, _ month: String, source: BillSource = .preAggregated) async throws -> [Bill] {
    try await billing.bill(AccountID(unchecked: account), .named(month), source: source)
  }

  func orderEvents() async throws -> [RecordedEvent] {
    let subscription = billing.subscription
    return try await store.readAll(
      after: .start, categories: subscription.categories, types: subscription.types, limit: 100_000)
  }

  func accountEvents() async throws -> [RecordedEvent] {
    try await store.readAll(
      after: .start, categories: ["account"], types: ["charged", "refunded"], limit: 100_000)
  }

  /// Both tables as text, row by row.
  func tables() async throws -> [String] {
    let rows = try await pool.query(
      """
      select m::text from aisle.billing_months m
      union all
      select l::text from aisle.billing_lines l
      order by 1
      """)
    return try rows.map { try $0.decode(String.self) }
  }
}

extension BillingFixture {
  /// Does what services cannot.
  func asOwner(_ statement: SQL) async throws {
    try await withPool(conninfo, size: 1) { pool in _ = try await pool.execute(statement) }
  }
}

/// Runs `body` with billing on a database of its own.
func withBilling(
  at now: Timestamp = BillingFixture.opened, _ body: (BillingFixture) async throws -> Void
) async throws {
  try await withTestDatabase(from: .migrated) { conninfo in
    let pool = try PostgresPool(servicesConfiguration(conninfo), size: 4)
    let store = EventStore(pool: pool)
    let billing = BillingService(store: store, time: TimeSource { now })
    do {
      try await body(BillingFixture(conninfo: conninfo, pool: pool, store: store, billing: billing))
    } catch {
      await pool.close()
      throw error
    }
    await pool.close()
  }
}

/// An order as billing sees it.
struct BilledOrder: Sendable {
  var id: String
  var account: String
  var at: Timestamp
  var currency = Currency.eur
  /// Amount and tax rate of each seat.
  var seats: [(amount: Int64, rate: Int)]
  /// How many of the first seats were given back.
  var givenBack = 0

  private var lines: [Ordering.Line] {
    seats.enumerated().dropFirst(givenBack).map { index, seat in
      Ordering.Line(
        seat: SeatID(unchecked: "A-\(index + 1)"), amount: seat.amount, taxRateBasisPoints: seat.rate)
    }
  }

  private var total: Money { Money(lines.reduce(0) { $0 &+ $1.amount }, currency) }

  func confirmed() throws -> StreamAppend {
    try append(
      .orderConfirmed(
        .init(
          orderID: OrderID(unchecked: id), showID: ShowID(unchecked: "show-1"),
          accountID: AccountID(unchecked: account), lines: lines,
          total: total, occurredAt: at)))
  }

  func cancelled(at instant: Timestamp) throws -> StreamAppend {
    try append(
      .orderCancelled(
        .init(
          orderID: OrderID(unchecked: id), showID: ShowID(unchecked: "show-1"),
          accountID: AccountID(unchecked: account), lines: lines,
          refund: total, occurredAt: instant)))
  }

  /// The first seat that is left is given back, and of its price this part is kept.
  mutating func givesOneBack(keeping fee: Int64, at instant: Timestamp) throws -> StreamAppend {
    let line = lines[0]
    givenBack += 1
    return try append(
      .orderSeatsCancelled(
        .init(
          orderID: OrderID(unchecked: id), showID: ShowID(unchecked: "show-1"),
          accountID: AccountID(unchecked: account), quoteID: QuoteID(unchecked: "q\(givenBack)"),
          lines: [
            .init(
              seat: line.seat, amount: line.amount - fee, taxRateBasisPoints: line.taxRateBasisPoints)
          ], refund: Money(line.amount - fee, currency), fee: Money(fee, currency), occurredAt: instant)))
  }

  var seatsLeft: Int { seats.count - givenBack }
  /// What the next seat to be given back has cost.
  var nextPrice: Int64 { seats[givenBack].amount }

  /// Cancelled before it was confirmed: nothing was charged.
  func abandoned() throws -> StreamAppend {
    try append(
      .orderCancelled(
        .init(
          orderID: OrderID(unchecked: id), showID: ShowID(unchecked: "show-1"),
          accountID: AccountID(unchecked: account), lines: [],
          refund: .zero(currency), occurredAt: at)))
  }

  private func append(_ event: Ordering.Event) throws -> StreamAppend {
    StreamAppend(.order(OrderID(unchecked: id)), expecting: .any, [try NewEvent(event)])
  }
}

extension Month {
  static func named(_ text: String) throws -> Month {
    struct NotAMonth: Error { let text: String }
    guard let month = Month(text) else { throw NotAMonth(text: text) }
    return month
  }
}

extension Timestamp {
  static func at(_ text: String) throws -> Timestamp {
    struct NotAnInstant: Error { let text: String }
    guard let instant = Timestamp(rfc3339: text) else { throw NotAnInstant(text: text) }
    return instant
  }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

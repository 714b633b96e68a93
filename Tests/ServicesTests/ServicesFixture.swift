import Booking
import EventStore
import Foundation
import Migrations
import Ordering
import PostgreSQL
import Services
import TestSupport
import Vocabulary

/// All services on a log of their own, with a clock that the test moves.
struct ServicesFixture: Sendable {
  static let start = Timestamp(rfc3339: "2026-11-24T19:00:00Z") ?? Timestamp(microseconds: 0)

  let conninfo: String
  let pool: PostgresPool
  let clock: SteeredClock
  let aisle: Aisle

  /// Runs `body` and puts everything away.
  static func with(_ body: (ServicesFixture) async throws -> Void) async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      let fixture = try ServicesFixture(conninfo: conninfo, clock: SteeredClock(start))
      do {
        try await body(fixture)
      } catch {
        await fixture.pool.close()
        throw error
      }
      await fixture.pool.close()
    }
  }

  init(conninfo: String, clock: SteeredClock) throws {
    self.conninfo = conninfo
    self.clock = clock
    pool = try PostgresPool(servicesConfiguration(conninfo), size: 8)
    aisle = Aisle(pool: pool, time: clock.source)
  }

  /// A process of its own on a pool that the caller has.
  init(sharing pool: PostgresPool, clock: SteeredClock, payments: Payments = .none) {
    conninfo = ""
    self.pool = pool
    self.clock = clock
    aisle = Aisle(pool: pool, time: clock.source, payments: payments)
  }

  /// The same log used by a second process, as far as the first one can tell: nothing in memory is shared.
  func secondProcess() throws -> ServicesFixture { try ServicesFixture(conninfo: conninfo, clock: clock) }

  /// Puts a show with one row of `seats` seats at 45.00 EUR on sale; holds last ten minutes.
  @discardableResult
  func schedule(_ id: String = "hamlet", seats: Int) async throws -> ShowID {
    let show = ShowID(unchecked: id)
    try await aisle.booking.schedule(
      Booking.Schedule(
        showID: show, title: "Hamlet", startsAt: Self.start + .seconds(86_400), currency: .eur,
        taxRateBasisPoints: 700, holdTTLSeconds: 600,
        sections: [
          .init(
            id: SectionID(unchecked: "stalls"), price: 4500,
            rows: [.init(id: RowID(unchecked: "A"), seats: seats)])
        ]))
    return show
  }

  func hold(_ seats: [String], of show: ShowID, by buyer: String, id: String? = nil) async throws -> HoldID {
    let hold = HoldID(unchecked: "\(show):\(id ?? buyer)")
    _ = try await aisle.booking.hold(
      hold, show: show, buyer: BuyerID(unchecked: buyer), seats: .named(seats.map { SeatID(unchecked: $0) }))
    return hold
  }

  func place(_ order: String, for hold: HoldID, account: String = "acc-1") async throws
    -> OrderingService.Receipt
  {
    try await aisle.ordering.place(
      OrderID(unchecked: order), hold: hold, account: AccountID(unchecked: account), paymentMethod: "invoice")
  }

  /// Stores what follows from a command, and does nothing more: as a process that dies then.
  func store(_ command: Ordering.Command, of order: OrderID) async throws {
    let past = try await aisle.store.read(.order(order))
    var state = Ordering.State.none
    for event in past { Ordering.evolve(&state, try event.decode()) }
    let events = try Ordering.decide(command, state, at: clock.source.now)
    guard !events.isEmpty else { return }
    _ = try await aisle.store.append(
      to: .order(order), expecting: .version(past.last?.version ?? 0), events.map { try NewEvent($0) })
  }

  /// The types in a stream, in order.
  func types(of stream: StreamName) async throws -> [String] {
    try await aisle.store.read(stream).map(\.type)
  }
}

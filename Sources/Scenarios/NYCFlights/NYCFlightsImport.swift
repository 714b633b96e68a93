import Booking
import EventStore
import Foundation
import Services
import Synchronization
import Vocabulary

/// Plays flights through the real services: a flight goes on sale, its seats are held and ordered, and a cancelled
/// flight's orders are refunded.
///
/// Each flight has services of its own, whose clock stands at its scheduled departure; they share the log. Every id
/// follows from the data, so importing a flight again changes nothing.
public struct NYCFlightsImport: Sendable {
  public struct Summary: Sendable, Hashable, Codable {
    public var flights = 0
    public var cancelledFlights = 0
    public var orders = 0
    public var seats = 0
  }

  public enum Failure: Error, Sendable, CustomStringConvertible {
    case orderFailed(OrderID, reason: String)

    public var description: String {
      switch self {
      case .orderFailed(let order, let reason):
        "order \(order) failed: \(reason). The clock of the flights stands in 2013; a server that runs beside the "
          + "import on the same database ends their holds by today's. Stop it, and import into a database that has no "
          + "flights yet"
      }
    }
  }

  let data: NYCFlightsData
  let aisle: Aisle
  let concurrency: Int

  public init(_ data: NYCFlightsData, into aisle: Aisle, concurrency: Int = 64) {
    self.data = data
    self.aisle = aisle
    self.concurrency = max(1, concurrency)
  }

  /// - Parameter progress: called after each flight with how many are done, of how many.
  public func run(
    days: [String], progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
  ) async throws -> Summary {
    let flights = try data.flights(on: days)
    try await openAccounts(of: flights)
    return try await withThrowingTaskGroup(of: Summary.self) { group in
      var waiting = flights.makeIterator()
      var summary = Summary()
      for _ in 0..<concurrency {
        guard let flight = waiting.next() else { break }
        group.addTask { try await play(flight) }
      }
      while let one = try await group.next() {
        summary.flights += one.flights
        summary.cancelledFlights += one.cancelledFlights
        summary.orders += one.orders
        summary.seats += one.seats
        progress(summary.flights, flights.count)
        if let flight = waiting.next() { group.addTask { try await play(flight) } }
      }
      return summary
    }
  }

  private func openAccounts(of flights: [NYCFlight]) async throws {
    for carrier in Set(flights.map(\.carrier)).sorted() {
      try await aisle.billing.openAccount(
        AccountID(unchecked: carrier), name: data.airlines[carrier] ?? carrier, timeZone: NYCFlight.zone,
        RequestContext(actor: "nyc-flights"))
    }
  }

  private func play(_ flight: NYCFlight) async throws -> Summary {
    let time = TimeSource { flight.departsAt }
    let booking = BookingService(store: aisle.store, time: time)
    let ordering = OrderingService(store: aisle.store, booking: booking, time: time)
    let context = RequestContext(actor: "nyc-flights")
    try await booking.schedule(flight.schedule, context)
    var summary = Summary(flights: 1, cancelledFlights: flight.isCancelled ? 1 : 0)
    for (index, count) in flight.groups.enumerated() {
      let hold = HoldID(unchecked: "\(flight.show):\(index + 1)")
      let order = OrderID(unchecked: "\(flight.show)-\(index + 1)")
      _ = try await booking.hold(
        hold, show: flight.show, buyer: BuyerID(unchecked: "\(flight.carrier)-desk-\(index + 1)"),
        seats: .best(count: count), context)
      let receipt = try await ordering.place(
        order, hold: hold, account: flight.account, paymentMethod: "invoice", context)
      if case .failed(_, let reason) = receipt.state { throw Failure.orderFailed(order, reason: reason) }
      if flight.isCancelled { _ = try await ordering.cancel(order, context) }
      summary.orders += 1
      summary.seats += count
    }
    return summary
  }
}

import EventStore
import Logging
import Vocabulary

/// The durable timers: finishes orders that a crash left in the middle and records the end of overdue holds.
///
/// It asks the read models what is due, once a second, and lets the streams decide; so it does no harm when it is
/// late, runs twice, or runs in several processes.
public struct OrderProcess: Sendable {
  private let readModels: ReadModels
  private let booking: BookingService
  private let ordering: OrderingService
  private let time: TimeSource
  private let logger: Logger
  /// An order that is still `placed` after this long has been abandoned by whoever placed it.
  private let patience: Duration

  public init(
    readModels: ReadModels, booking: BookingService, ordering: OrderingService, time: TimeSource,
    patience: Duration = .seconds(5), logger: Logger = Logger(label: "aisle.order-process")
  ) {
    self.readModels = readModels
    self.booking = booking
    self.ordering = ordering
    self.time = time
    self.patience = patience
    self.logger = logger
  }

  /// Frees the seats of cancelled orders, at least once for each: the service that cancelled may have died in
  /// between.
  public var subscription: Subscription {
    .effect(
      "cancellations", categories: ["order"], types: ["order-cancelled"], batchSize: 100,
      onPoison: .park(after: 5)
    ) { events in
      let context = RequestContext(actor: "order-process")
      for event in events { try await ordering.resume(OrderID(unchecked: event.stream.id), context) }
    }
  }

  /// Runs until the task is cancelled.
  public func run() async {
    while !Task.isCancelled {
      do {
        try await tick()
      } catch {
        if Task.isCancelled { return }
        logger.warning("the order process will try again", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// Does what is due now.
  public func tick() async throws {
    let context = RequestContext(actor: "order-process")
    for order in try await readModels.unfinishedOrders(before: time.now - patience, limit: 500) {
      logger.info("finishing an order that was left in the middle", metadata: ["order": "\(order)"])
      try await goOn(despiteTroubleWith: "order \(order)") { () async throws(ServiceError) in
        try await ordering.resume(order, context)
      }
    }
    for hold in try await readModels.overdueHolds(at: time.now, limit: 500) {
      try await goOn(despiteTroubleWith: "hold \(hold)") { () async throws(ServiceError) in
        do throws(ServiceError) {
          _ = try await booking.expire(hold, context)
        } catch .bookingRejected {
          // Confirmed or ended otherwise meanwhile; the read model will show it.
        }
      }
    }
  }

  /// One order or hold that cannot be dealt with does not keep the others waiting; a database that cannot be
  /// reached is the trouble of all.
  private func goOn(
    despiteTroubleWith what: String, _ body: () async throws(ServiceError) -> Void
  ) async throws(ServiceError) {
    do throws(ServiceError) {
      try await body()
    } catch {
      if case .unavailable = error { throw error }
      logger.error("\(what) will be tried again", metadata: ["error": "\(error)"])
    }
  }
}

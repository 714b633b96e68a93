import Booking
import EventStore
import Logging
import Ordering
import Synchronization
import Vocabulary

/// The process manager of orders: subscriptions that take up what a service has begun, and the durable timers,
/// which finish orders that a crash left in the middle, ask for payments that nobody tells of, and record the end of
/// overdue holds.
///
/// Whoever places or cancels an order sees it through at once and does not wait for any of this. Every step is decided by
/// a stream and may be repeated; so it does no harm when this is late, runs twice, or runs in several processes.
public struct OrderProcess: Sendable {
  private let readModels: ReadModels
  private let booking: BookingService
  private let ordering: OrderingService
  private let time: TimeSource
  private let logger: Logger
  /// An order that is still `placed` after this long has been abandoned by whoever placed it.
  private let patience: Duration
  private let inquiries = PaymentInquiries()

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

  /// At least once for each event: the service that stored it may have died before the next step.
  public var subscriptions: [Subscription] {
    [
      // Frees the seats of cancelled orders.
      subscription("cancellations", [.orderCancelled, .orderSeatsCancelled]),
      cancelledShows,
      // Takes payments and refunds on. An order that is put on the account has none of these, and costs nothing here.
      subscription("payments", [.paymentRequested, .paymentReceived, .paymentDeclined, .refundRequested]),
    ]
  }

  /// Refunds everybody who has seats in a show that will not take place. An order that is still being paid fails by
  /// itself: the show takes no more bookings.
  private var cancelledShows: Subscription {
    .effect(
      "cancelled-shows", categories: [Booking.Event.category],
      types: [Booking.Event.Kind.showCancelled.rawValue],
      batchSize: 1, onPoison: .park(after: 5)
    ) { events in
      for event in events { try await refundEverybody(of: event.stream) }
    }
  }

  /// Most orders that are refunded at the same time.
  private static let refundsAtOnce = 16

  private func refundEverybody(of show: StreamName) async throws {
    let orders = try await bookedOrders(of: show)
    logger.info("refunding a cancelled show", metadata: ["show": "\(show.id)", "orders": "\(orders.count)"])
    let context = RequestContext(actor: "order-process")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, order) in orders.enumerated() {
        if index >= Self.refundsAtOnce { try await group.next() }
        group.addTask { try await ordering.refundCancelledShow(order, context) }
      }
      try await group.waitForAll()
    }
  }

  /// The orders that have seats now: who was refunded by an earlier try has none.
  private func bookedOrders(of show: StreamName) async throws -> [OrderID] {
    var orders: [HoldID: OrderID] = [:]
    var version: Int64 = 0
    while true {
      let events = try await readModels.store.read(show, from: version + 1, limit: 5000)
      for event in events {
        version = event.version
        switch event.type {
        case Booking.Event.Kind.holdConfirmed.rawValue, Booking.Event.Kind.bookingCancelled.rawValue: break
        default: continue
        }
        switch try event.decode(as: Booking.Event.self) {
        case .holdConfirmed(let fact): orders[fact.holdID] = fact.orderID
        case .bookingCancelled(let fact): orders[fact.holdID] = nil
        default: break
        }
      }
      if events.count < 5000 { return orders.values.sorted() }
    }
  }

  private func subscription(_ name: String, _ kinds: [Ordering.Event.Kind]) -> Subscription {
    .effect(
      name, categories: [Ordering.Event.category], types: kinds.map(\.rawValue), batchSize: 100,
      onPoison: .park(after: 5)
    ) { events in
      let context = RequestContext(actor: "order-process")
      for order in events.map(\.stream.id).uniqued() {
        try await ordering.resume(OrderID(unchecked: order), context)
      }
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
    let unpaid = try await readModels.unpaidOrders(before: time.now - patience, limit: 500)
    for order in inquiries.due(among: unpaid, at: time.now) {
      try await goOn(despiteTroubleWith: "the payment of order \(order)") { () async throws(ServiceError) in
        try await ordering.pursuePayment(of: order, at: time.now, context)
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

/// When to ask a provider again: after five seconds, then after twice as long each time, at most after a minute.
///
/// Only in memory: a process that starts anew asks once more. It knows no more orders than are unpaid.
private final class PaymentInquiries: Sendable {
  private struct Next {
    var at: Timestamp
    var pause: Duration
  }

  private static let firstPause = Duration.seconds(5)
  private static let longestPause = Duration.seconds(60)

  private let next = Mutex<[OrderID: Next]>([:])

  func due(among unpaid: [OrderID], at now: Timestamp) -> [OrderID] {
    next.withLock { next in
      let known = next
      next = [:]
      return unpaid.filter { order in
        let entry = known[order] ?? Next(at: now, pause: Self.firstPause)
        let isDue = entry.at <= now
        next[order] =
          isDue ? Next(at: now + entry.pause, pause: min(entry.pause * 2, Self.longestPause)) : entry
        return isDue
      }
    }
  }
}

extension [String] {
  /// Each of them once, in the order of their first appearance.
  fileprivate func uniqued() -> [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}

import Booking
import EventStore
import Synchronization
import Vocabulary

/// Shows and their seats: schedule, hold, confirm, release, expire, cancel.
///
/// Every command goes to its show's mailbox in this process; across processes the show's stream decides.
public final class BookingService: Sendable {
  private let store: EventStore
  private let time: TimeSource
  private let folder: StreamFolder<Booking>
  private let mailboxes = Mutex<[ShowID: ShowMailbox]>([:])
  public let metrics = BookingMetrics()

  /// Shows whose state is kept in memory; more are dropped when idle and folded again when needed.
  private static let maximumMailboxes = 2_000

  private let maximumWaiting: Int

  /// - Parameters:
  ///   - eventsPerSnapshot: a show that sells so much more gets a snapshot. Reading 10,000 events takes a third of a
  ///     second.
  ///   - maximumWaiting: commands that may wait for one show; more are refused as overloaded.
  public init(
    store: EventStore, time: TimeSource = .system, eventsPerSnapshot: Int64 = 10_000,
    maximumWaiting: Int = 10_000
  ) {
    self.store = store
    self.time = time
    self.maximumWaiting = maximumWaiting
    folder = StreamFolder(
      store: store, snapshots: .every(eventsPerSnapshot, schema: Booking.State.snapshotSchema))
  }

  /// Where a command's events stand.
  public struct Receipt: Sendable {
    /// False if the command was a repeat and had its effect before.
    public let changed: Bool
    /// Version of the show's stream.
    public let version: Int64
    /// Position of the show's last event.
    public let position: Position
  }

  /// A hold as it stands.
  public struct HoldReceipt: Sendable {
    public let hold: Booking.HoldRecord
    public let receipt: Receipt
  }

  @discardableResult
  public func schedule(
    _ schedule: Booking.Schedule, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> Receipt {
    try await send(.schedule(schedule), to: schedule.showID, context).receipt
  }

  /// Holds all the seats or none. Repeating it with the same id gives the same hold.
  public func hold(
    _ id: HoldID, show: ShowID, buyer: BuyerID, seats: Booking.SeatChoice,
    _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> HoldReceipt {
    guard id.show == show else { throw .invalid("hold id \(id) does not belong to show \(show)") }
    let decision = try await send(
      .hold(Booking.Hold(holdID: id, buyer: buyer, seats: seats)), to: show, context)
    return try decision.holdReceipt(id)
  }

  /// Turns a hold into a booking for an order.
  public func confirm(
    _ id: HoldID, for order: OrderID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> HoldReceipt {
    try await send(.confirm(id, order: order), of: id, context).holdReceipt(id)
  }

  /// Turns a hold into a booking for an order that begins with these events, in one append.
  ///
  /// - Returns: the position of the order's last event; nil if nothing was done, because the hold is confirmed for the
  ///   order already or the order has begun.
  func confirm(
    _ id: HoldID, for order: OrderID, beginning events: [NewEvent], _ context: RequestContext
  ) async throws(ServiceError) -> Position? {
    guard let show = id.show else { throw .notFound(kind: "hold", id: id.rawValue) }
    let order = (id: order, events: StreamAppend(.order(order), expecting: .noStream, events))
    let decision = try await mailbox(of: show).send(
      .confirm(id, order: order.id), with: order.events, context)
    return decision.events.isEmpty ? nil : decision.companion
  }

  public func release(
    _ id: HoldID, reason: String, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> HoldReceipt {
    try await send(.release(id, reason: reason), of: id, context).holdReceipt(id)
  }

  public func expire(
    _ id: HoldID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> HoldReceipt {
    try await send(.expire(id), of: id, context).holdReceipt(id)
  }

  public func cancelBooking(
    _ id: HoldID, for order: OrderID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> HoldReceipt {
    try await send(.cancelBooking(id, for: order), of: id, context).holdReceipt(id)
  }

  /// Gives some seats of a booking back; it keeps the others.
  public func cancelSeats(
    _ seats: [SeatID], of id: HoldID, for order: OrderID, _ context: RequestContext = RequestContext()
  ) async throws(ServiceError) -> HoldReceipt {
    try await send(.cancelSeats(id, for: order, seats: seats), of: id, context).holdReceipt(id)
  }

  /// A hold with the show that it is for, for an order, which needs its seats and prices. Whether it can still be
  /// confirmed, only confirming tells.
  func lookUp(
    _ id: HoldID, _ context: RequestContext
  ) async throws(ServiceError) -> (hold: Booking.HoldRecord, show: Booking.ShowScheduled) {
    guard let show = id.show else { throw .notFound(kind: "hold", id: id.rawValue) }
    let decision = try await mailbox(of: show).lookUp(id, context)
    guard let hold = decision.hold, let show = decision.show else {
      throw .notFound(kind: "hold", id: id.rawValue)
    }
    return (hold, show)
  }

  /// How much waits for a show here; nil if nobody has wanted anything of it lately.
  public func pressure(on show: ShowID) async -> ShowPressure? {
    await mailboxes.withLock { $0[show] }?.pressure
  }

  // MARK: Mailboxes

  func send(
    _ command: Booking.Command, of hold: HoldID, _ context: RequestContext
  ) async throws(ServiceError) -> ShowMailbox.Decision {
    guard let show = hold.show else { throw .notFound(kind: "hold", id: hold.rawValue) }
    return try await send(command, to: show, context)
  }

  func send(
    _ command: Booking.Command, to show: ShowID, _ context: RequestContext
  ) async throws(ServiceError) -> ShowMailbox.Decision {
    try await mailbox(of: show).send(command, context)
  }

  func mailbox(of show: ShowID) async -> ShowMailbox {
    await dropIdleMailboxes()
    return mailboxes.withLock { mailboxes in
      if let mailbox = mailboxes[show] { return mailbox }
      let mailbox = ShowMailbox(
        show: show, store: store, folder: folder, time: time, metrics: metrics,
        maximumWaiting: maximumWaiting)
      mailboxes[show] = mailbox
      return mailbox
    }
  }

  /// Keeps memory bounded. A mailbox that somebody still holds on to works on; two mailboxes of one show in one
  /// process are as right as two processes.
  private func dropIdleMailboxes() async {
    let all = mailboxes.withLock { $0.count > Self.maximumMailboxes ? $0 : [:] }
    guard !all.isEmpty else { return }
    var idle: [(show: ShowID, since: ContinuousClock.Instant)] = []
    for (show, mailbox) in all where await mailbox.isIdle { idle.append((show, await mailbox.lastUsed)) }
    idle.sort { $0.since < $1.since }
    let dropped = idle.prefix(all.count - Self.maximumMailboxes / 2).map(\.show)
    mailboxes.withLock { mailboxes in
      for show in dropped { mailboxes[show] = nil }
    }
  }
}

extension StreamName {
  public static func show(_ id: ShowID) -> StreamName {
    StreamName(category: Booking.Event.category, id: id.rawValue)
  }
}

extension ShowMailbox.Decision {
  var receipt: BookingService.Receipt {
    BookingService.Receipt(changed: !events.isEmpty, version: version, position: position)
  }

  func holdReceipt(_ id: HoldID) throws(ServiceError) -> BookingService.HoldReceipt {
    guard let hold else { throw .notFound(kind: "hold", id: id.rawValue) }
    return BookingService.HoldReceipt(hold: hold, receipt: receipt)
  }
}

import EventStore
import Logging
import Ordering
import PostgreSQL
import ServiceLifecycle
import Vocabulary

/// Everything that runs on one tenant's log, put together: the services that decide and the subscriptions that
/// derive.
public final class Aisle: Sendable {
  /// What this process runs besides answering calls.
  public enum Role: String, Sendable, CaseIterable {
    /// Answers REST requests.
    case api
    /// Fills the read models of shows and orders, and runs the timers of holds.
    case booking
    /// Takes orders on after a payment or a crash.
    case ordering
    /// Fills the monthly totals.
    case billing
    /// Tells the outside what becomes of orders, if somebody is to be told.
    case notifications
  }

  public let store: EventStore
  public let time: TimeSource
  public let booking: BookingService
  public let rooms: WaitingRooms
  public let ordering: OrderingService
  public let billing: BillingService
  public let readModels: ReadModels
  public let privacy: PrivacyService
  public let process: OrderProcess
  public let webhooks: PaymentWebhooks
  public let notifications: NotificationService
  /// For reports, which must not take the connections of sales.
  public let reports: Reports
  private let logger: Logger
  private let partitions: [String: Int]
  private let comparesBills: Duration?

  /// Subscriptions that write nothing for one stream that depends on another one, so that streams can be handled side
  /// by side. Billing cannot: one bill is made of many orders.
  public static let partitionable: Set<String> = [
    "shows", "orders", "cancellations", "payments", "cancelled-shows",
  ]

  /// - Parameters:
  ///   - reportPool: connections for reports; without it they share those of everything else.
  ///   - waitingForOneShow: commands that may wait for one show in this process.
  ///   - roomPatience: how old this process' knowledge of waiting rooms may be, and how often it lets others in.
  ///   - partitions: of subscriptions that several workers shall run at the same time; one if not named here.
  ///     Those of ``partitionable`` can have several.
  ///   - cancellations: what is kept of the price when a buyer cancels.
  ///   - target: who is told by webhook what becomes of orders.
  ///   - mailing: how buyers who gave an address are told by mail; they are not without it.
  ///   - billingLag: how many positions the tables of bills may be behind before bills come from the log.
  ///   - comparesBills: how often the tables of bills are compared with the log where the role `billing` runs; nil: never.
  ///   - payments: the providers that orders can be paid through, besides being put on the account.
  public init(
    pool: PostgresPool, reportPool: PostgresPool? = nil, tenant: TenantID = .main, time: TimeSource = .system,
    waitingForOneShow: Int = 10_000, roomPatience: Duration = .seconds(1), partitions: [String: Int] = [:],
    upcasters: Upcasters = EventHistory.upcasters, payments: Payments = .none,
    cancellations: CancellationPolicy = .free, notifying target: NotificationService.Target? = nil,
    mailing: NotificationService.Mailing? = nil, billingLag: Int64 = BillingService.defaultLagLimit,
    comparesBills: Duration? = nil, logger: Logger = Logger(label: "aisle")
  ) {
    self.logger = logger
    self.partitions = partitions
    self.comparesBills = comparesBills
    self.time = time
    store = EventStore(pool: pool, tenant: tenant, upcasters: upcasters, logger: logger)
    booking = BookingService(store: store, time: time, maximumWaiting: waitingForOneShow)
    rooms = WaitingRooms(store: store, patience: roomPatience, admissionInterval: roomPatience)
    ordering = OrderingService(
      store: store, booking: booking, rooms: rooms, payments: payments, cancellations: cancellations,
      time: time)
    billing = BillingService(store: store, time: time, lagLimit: billingLag)
    readModels = ReadModels(store: store)
    reports = Reports(
      store: reportPool.map(store.reading(through:)) ?? store, isSeparate: reportPool != nil, time: time,
      billingLag: billingLag)
    privacy = PrivacyService(store: store, time: time)
    process = OrderProcess(
      readModels: readModels, booking: booking, ordering: ordering, time: time, logger: logger)
    notifications = NotificationService(
      target: target, mailing: mailing, store: store, ordering: ordering, time: time, logger: logger)
    webhooks = PaymentWebhooks(store: store, ordering: ordering, payments: payments, time: time)
  }

  /// The subscriptions of some roles.
  public func subscriptions(of roles: Set<Role>) -> [Subscription] {
    var subscriptions: [Subscription] = []
    if roles.contains(.booking) { subscriptions += readModels.subscriptions }
    if roles.contains(.ordering) { subscriptions += process.subscriptions }
    if roles.contains(.billing) { subscriptions.append(billing.subscription) }
    if roles.contains(.notifications) { subscriptions += notifications.subscriptions }
    return subscriptions.map { subscription in
      guard let count = partitions[subscription.name], Self.partitionable.contains(subscription.name) else {
        return subscription
      }
      return subscription.partitioned(into: count)
    }
  }

  /// Runs the background work of some roles until the task is cancelled or a graceful shutdown begins.
  public func run(_ roles: Set<Role> = Set(Role.allCases)) async {
    let watcher = LogWatcher(of: store)
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { await watcher.run() }
        group.addTask {
          await SubscriptionWorker(self.subscriptions(of: roles), of: self.store).run(waking: watcher)
        }
        if roles.contains(.ordering) { group.addTask { await self.process.run() } }
        if roles.contains(.billing), let interval = self.comparesBills {
          group.addTask {
            await BillingWatch(billing: self.billing, interval: interval, logger: self.logger).run()
          }
        }
        if roles.contains(.notifications) { group.addTask { await self.notifications.run() } }
        group.addTask { await self.makeRoom() }
      }
    }
  }

  /// Adds partitions ahead of the log, so that no append has to.
  private func makeRoom() async {
    while !Task.isCancelled {
      do {
        let added = try await store.addPartitions()
        if added > 0 { logger.info("the log has \(added) more partitions") }
      } catch {
        if Task.isCancelled { return }
        logger.warning("no partitions could be added to the log", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: .seconds(60))
    }
  }

  /// Brings every derived table up to the present end of the log, in this process, and returns that end. What others
  /// append meanwhile need not be in them.
  @discardableResult
  public func catchUp() async throws -> Position {
    var head = try await store.head()
    // Billing and the freeing of cancelled seats append events of their own, and nothing follows from those. A third
    // time is for what was under way; a fourth would find only what others append.
    for _ in 1...3 {
      for subscription in subscriptions(of: Set(Role.allCases)) {
        try await SubscriptionRunner(subscription, of: store).catchUp()
      }
      let now = try await store.head()
      if now == head { break }
      head = now
    }
    return head
  }
}

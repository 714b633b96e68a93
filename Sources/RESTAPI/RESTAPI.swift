import EventStore
import Hummingbird
import Logging
import ServiceLifecycle
import Services

/// Aisle over HTTP: JSON in and out under `/v1`, the event feed, and `/actuator` for operators.
///
/// What every path takes and answers is in `docs/rest.md`.
public struct RESTAPI: Sendable {
  public struct Options: Sendable {
    /// Told by `/actuator/info`.
    public var version = "development"
    /// How often an idle event stream shows that it is alive.
    public var heartbeat = Duration.seconds(15)
    /// How long a read waits for its read model.
    public var readPatience = Duration.seconds(5)
    /// Event streams that may be open at once; more are refused.
    public var maximumStreams = 5_000
    /// What one client may ask for; anything by default.
    public var limits = RateLimits()
    /// Requests of sales that may be under way at once in this process; more are refused.
    public var salesAtOnce = 10_000
    /// Reports that may run at once; nil for ``Reports/atOnce``. Four times as many wait, and not for long.
    public var reportsAtOnce: Int?
    /// How long a report waits for its turn.
    public var reportPatience = Duration.seconds(5)
    /// Serves the sandbox payment provider under `/sandbox`, for whoever has its secret.
    public var sandbox: Sandbox?

    public struct Sandbox: Sendable {
      public let bank: SandboxBank
      public let secret: WebhookSecret

      public init(_ bank: SandboxBank, secret: WebhookSecret) {
        self.bank = bank
        self.secret = secret
      }
    }

    public init() {}
  }

  private let aisle: Aisle
  private let logger: Logger
  private let options: Options
  private let metrics = RequestMetrics()
  private let watcher: LogWatcher
  private let streams: EventStreams
  private let limiter: RateLimiter
  private let sales: Lane
  private let reports: Lane

  public init(aisle: Aisle, logger: Logger = Logger(label: "aisle.rest"), options: Options = Options()) {
    self.aisle = aisle
    self.logger = logger
    self.options = options
    watcher = LogWatcher(of: aisle.store)
    streams = EventStreams(
      tail: EventTail(of: aisle.reports.store), watcher: watcher, heartbeat: options.heartbeat,
      maximum: options.maximumStreams)
    limiter = RateLimiter(options.limits)
    sales = Lane("sales", .init(atOnce: options.salesAtOnce, waiting: 0, patience: .zero))
    let atOnce = options.reportsAtOnce ?? aisle.reports.atOnce
    reports = Lane("reports", .init(atOnce: atOnce, waiting: atOnce * 4, patience: options.reportPatience))
  }

  /// A service that listens until the graceful shutdown, which open requests may finish and event streams may not.
  ///
  /// - Parameter onListening: is told the port once it takes requests; for port 0, which leaves the choice to the system.
  public func application(
    host: String = "127.0.0.1", port: Int = 8080, onListening: @escaping @Sendable (Int?) -> Void = { _ in }
  ) -> some ApplicationProtocol {
    Application(
      responder: Edge(router: router(), metrics: metrics, limiter: limiter, logger: logger),
      // Connections that send nothing, or a request without end, are closed.
      server: .http1(configuration: .init(idleTimeout: .seconds(60))),
      // A sale that opens has thousands at the door at once.
      configuration: ApplicationConfiguration(address: .hostname(host, port: port), backlog: 4_096),
      services: [Watching(watcher: watcher)],
      onServerRunning: { onListening($0.localAddress?.port) }, logger: logger)
  }

  /// The routes alone, without what ``Edge`` does around them.
  func router() -> Router<APIContext> {
    let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
    addSales(to: router)
    addReports(to: router)
    if let sandbox = options.sandbox { SandboxResource(sandbox).addRoutes(to: router.group("sandbox")) }
    HealthResource(
      aisle: aisle, metrics: metrics, streams: streams, limiter: limiter, lanes: [sales, reports],
      version: options.version
    ).addRoutes(to: router.group("actuator"))
    return router
  }

  /// What buyers need to buy, and what payments and operators change.
  private func addSales(to router: Router<APIContext>) {
    let v1 = router.group("v1").add(middleware: LaneMiddleware(lane: sales))
      .add(middleware: ShowQueueMiddleware(booking: aisle.booking))
    let gate = ReadGate(store: aisle.store, patience: options.readPatience)
    ShowsResource(booking: aisle.booking, readModels: aisle.readModels, gate: gate).addRoutes(to: v1)
    SeatsResource(readModels: aisle.readModels, time: aisle.time, gate: gate, streams: streams).addRoutes(
      to: v1)
    ChartResource(readModels: aisle.readModels, time: aisle.time, gate: gate).addRoutes(to: v1)
    HoldsResource(
      booking: aisle.booking, rooms: aisle.rooms, readModels: aisle.readModels, time: aisle.time, gate: gate
    ).addRoutes(to: v1)
    WaitingRoomResource(rooms: aisle.rooms).addRoutes(to: v1)
    WaitingListResource(booking: aisle.booking, time: aisle.time).addRoutes(to: v1)
    TicketsResource(ordering: aisle.ordering).addRoutes(to: v1)
    OrdersResource(ordering: aisle.ordering, booking: aisle.booking, store: aisle.store).addRoutes(to: v1)
    WebhooksResource(webhooks: aisle.webhooks).addRoutes(to: v1)
    AccountsResource(billing: aisle.billing, store: aisle.store).addRoutes(to: v1)
  }

  /// What reads much or long, and must never be in a sale's way: it has a lane and connections of its own.
  private func addReports(to router: Router<APIContext>) {
    let v1 = router.group("v1").add(middleware: LaneMiddleware(lane: reports))
    let source = aisle.reports
    let gate = ReadGate(store: source.store, patience: options.readPatience)
    ListsResource(readModels: source.readModels, gate: gate).addRoutes(to: v1)
    BillsResource(billing: source.billing, time: aisle.time, gate: gate).addRoutes(to: v1)
    InvoicesResource(billing: source.billing).addRoutes(to: v1)
    MonthsResource(billing: source.billing, gate: gate).addRoutes(to: v1)
    LedgerResource(billing: source.billing).addRoutes(to: v1)
    EventsResource(store: source.store, gate: gate, streams: streams).addRoutes(to: v1)
  }
}

private struct Watching: Service {
  let watcher: LogWatcher

  func run() async {
    await cancelWhenGracefulShutdown { await watcher.run() }
  }
}

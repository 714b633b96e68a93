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

  public init(aisle: Aisle, logger: Logger = Logger(label: "aisle.rest"), options: Options = Options()) {
    self.aisle = aisle
    self.logger = logger
    self.options = options
    watcher = LogWatcher(of: aisle.store)
    streams = EventStreams(
      tail: EventTail(of: aisle.store), watcher: watcher, heartbeat: options.heartbeat,
      maximum: options.maximumStreams)
  }

  /// A service that listens until the graceful shutdown, which open requests may finish and event streams may not.
  ///
  /// - Parameter onListening: is told the port once it takes requests; for port 0, which leaves the choice to the system.
  public func application(
    host: String = "127.0.0.1", port: Int = 8080, onListening: @escaping @Sendable (Int?) -> Void = { _ in }
  ) -> some ApplicationProtocol {
    Application(
      responder: Edge(router: router(), metrics: metrics, logger: logger),
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
    let gate = ReadGate(store: aisle.store, patience: options.readPatience)
    let v1 = router.group("v1")
    ShowsResource(booking: aisle.booking, readModels: aisle.readModels, gate: gate).addRoutes(to: v1)
    SeatsResource(readModels: aisle.readModels, time: aisle.time, gate: gate, streams: streams).addRoutes(
      to: v1)
    ChartResource(readModels: aisle.readModels, time: aisle.time, gate: gate).addRoutes(to: v1)
    HoldsResource(booking: aisle.booking, readModels: aisle.readModels, time: aisle.time, gate: gate)
      .addRoutes(to: v1)
    WaitingListResource(booking: aisle.booking, time: aisle.time).addRoutes(to: v1)
    TicketsResource(ordering: aisle.ordering).addRoutes(to: v1)
    OrdersResource(ordering: aisle.ordering, readModels: aisle.readModels, gate: gate).addRoutes(to: v1)
    WebhooksResource(webhooks: aisle.webhooks).addRoutes(to: v1)
    AccountsResource(billing: aisle.billing, store: aisle.store).addRoutes(to: v1)
    BillsResource(billing: aisle.billing, time: aisle.time, gate: gate).addRoutes(to: v1)
    MonthsResource(billing: aisle.billing, gate: gate).addRoutes(to: v1)
    EventsResource(store: aisle.store, gate: gate, streams: streams).addRoutes(to: v1)
    if let sandbox = options.sandbox { SandboxResource(sandbox).addRoutes(to: router.group("sandbox")) }
    HealthResource(aisle: aisle, metrics: metrics, streams: streams, version: options.version)
      .addRoutes(to: router.group("actuator"))
    return router
  }
}

private struct Watching: Service {
  let watcher: LogWatcher

  func run() async {
    await cancelWhenGracefulShutdown { await watcher.run() }
  }
}

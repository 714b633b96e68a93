import EventStore
import Hummingbird
import Services
import Vocabulary

/// `/actuator`: what operators, load balancers and Prometheus ask.
struct HealthResource: Sendable {
  let aisle: Aisle
  let metrics: RequestMetrics
  let streams: EventStreams
  let limiter: RateLimiter
  let lanes: [Lane]
  let version: String
  private let startedAt: Timestamp

  init(
    aisle: Aisle, metrics: RequestMetrics, streams: EventStreams, limiter: RateLimiter, lanes: [Lane],
    version: String
  ) {
    self.aisle = aisle
    self.metrics = metrics
    self.streams = streams
    self.limiter = limiter
    self.lanes = lanes
    self.version = version
    startedAt = TimeSource.system.now
  }

  func addRoutes(to group: RouterGroup<APIContext>) {
    group.get("health", use: health)
    group.get("health/readiness", use: health)
    group.get("health/liveness", use: liveness)
    group.get("info", use: info)
    group.get("prometheus", use: prometheus)
  }

  /// This process answers; nothing else is asked of it.
  @Sendable
  private func liveness(_ request: Request, _ context: APIContext) async throws -> Response {
    try .json(["status": HealthBody.Status.up])
  }

  /// Up if the database can be reached. A read model that lags or fails is shown, but takes no traffic away:
  /// decisions do not need it.
  @Sendable
  private func health(_ request: Request, _ context: APIContext) async throws -> Response {
    do {
      let body = HealthBody(try await status())
      return try .json(body)
    } catch {
      context.logger.warning("not ready", metadata: ["error": "\(error)"])
      return try .json(HealthBody(nil), status: .serviceUnavailable)
    }
  }

  @Sendable
  private func info(_ request: Request, _ context: APIContext) async throws -> Response {
    let head = try await aisle.store.head()
    let log = try await aisle.store.logID().uuidString.lowercased()
    return try .json(
      InfoBody(
        version: version, startedAt: startedAt, tenant: aisle.store.tenant.rawValue, logID: log,
        position: head))
  }

  @Sendable
  private func prometheus(_ request: Request, _ context: APIContext) async throws -> Response {
    var text = PrometheusText()
    text.requests(metrics.snapshot)
    text.gauge("aisle_event_streams_open", "Server-sent event streams that are open.", streams.open)
    let booking = aisle.booking.metrics.counts
    text.counter("aisle_booking_appends_total", "Appends to shows by this process.", booking.appends)
    text.counter("aisle_booking_events_total", "Events appended to shows by this process.", booking.events)
    text.counter(
      "aisle_booking_conflicts_total", "Appends that another process was faster than; decided again.",
      booking.conflicts)
    text.gauge("aisle_show_queue_depth", "Requests that wait for shows in this process.", booking.waiting)
    text.counter(
      "aisle_show_queue_refused_total", "Requests that were refused because too many waited for their show.",
      booking.refused)
    let rooms = aisle.rooms.metrics.counts
    text.counter(
      "aisle_waiting_room_joined_total", "Places in waiting rooms that were given by this process.",
      rooms.joined)
    text.counter(
      "aisle_waiting_room_refused_total", "Holds that were refused for want of an admission.", rooms.refused)
    text.bills(aisle.reports.billing.metrics.counts)
    text.lanes(lanes)
    text.rateLimits(limiter)
    // A scrape must say that the database is away, not fail because of it.
    let status = try? await status()
    text.gauge("aisle_database_up", "Whether the database answers.", status == nil ? 0 : 1)
    if let status {
      text.log(status)
      if let checks = try? await aisle.billing.checks() {
        text.gauge(
          "aisle_billing_differences",
          "Differences between the tables of bills and the log, by the last comparisons.",
          checks.differences)
        text.gauge(
          "aisle_billing_oldest_check_seconds",
          "How long ago the month was compared that was compared first.",
          checks.oldestSeconds)
      }
      if let rooms = try? await aisle.rooms.statuses() { text.waitingRooms(rooms) }
    }
    return Response(bytes: Array(text.text.utf8), type: .prometheus)
  }

  struct LogStatus: Sendable {
    let head: Position
    let subscriptions: [SubscriptionStatus]
  }

  /// The state of the database, if it answers soon.
  private func status() async throws -> LogStatus {
    try await withThrowingTaskGroup(of: LogStatus.self) { group in
      group.addTask { [store = aisle.store] in
        LogStatus(head: try await store.head(), subscriptions: try await store.subscriptions())
      }
      group.addTask {
        try await Task.sleep(for: .seconds(3))
        throw Problem(.serviceUnavailable, "timed-out", "The database did not answer within 3 seconds")
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }
}

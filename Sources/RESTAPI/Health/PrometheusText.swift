import EventStore
import Services

/// Metrics in the text exposition format of Prometheus, version 0.0.4.
struct PrometheusText {
  private(set) var text = ""

  mutating func counter(_ name: String, _ help: String, _ value: Int) {
    family(name, "counter", help)
    text += "\(name) \(value)\n"
  }

  mutating func gauge(_ name: String, _ help: String, _ value: Int) {
    family(name, "gauge", help)
    text += "\(name) \(value)\n"
  }

  mutating func requests(_ all: [(key: RequestMetrics.Key, series: RequestMetrics.Series)]) {
    let name = "http_server_request_duration_seconds"
    family(name, "histogram", "Time to the beginning of the answer, by route and status.")
    for (key, series) in all {
      let labels = "method=\"\(key.method)\",route=\"\(key.route)\",status=\"\(key.status)\""
      var total = 0
      for (bound, count) in zip(RequestMetrics.bounds, series.buckets) {
        total += count
        text += "\(name)_bucket{\(labels),le=\"\(bound)\"} \(total)\n"
      }
      text += "\(name)_bucket{\(labels),le=\"+Inf\"} \(series.count)\n"
      text += "\(name)_sum{\(labels)} \(series.seconds)\n"
      text += "\(name)_count{\(labels)} \(series.count)\n"
    }
  }

  mutating func lanes(_ lanes: [Lane]) {
    let all = lanes.map { (label: "lane=\"\($0.name)\"", source: $0.occupancy) }
    series("aisle_lane_active", "gauge", "Requests that a lane is working on.", all) { $0.active }
    series("aisle_lane_waiting", "gauge", "Requests that wait for their turn in a lane.", all) { $0.waiting }
    series("aisle_lane_refused_total", "counter", "Requests that a full lane has refused.", all) {
      $0.refused
    }
  }

  mutating func waitingRooms(_ rooms: [WaitingRoom.Status]) {
    let all = rooms.map { (label: "show=\"\($0.show)\"", source: $0) }
    series("aisle_waiting_room_waiting", "gauge", "How many wait for a show.", all) { $0.waiting }
    series(
      "aisle_waiting_room_admissions_total", "counter",
      "How many have been let in to a show, by all processes.", all
    ) { $0.admissions }
    series("aisle_waiting_room_admitted", "gauge", "How many have been let in to a show.", all) {
      $0.admitted
    }
  }

  mutating func bills(_ counts: BillingMetrics.Counts) {
    series(
      "aisle_bill_answers_total", "counter", "Answers about bills by where they come from.",
      [Bill.Source.preAggregated, .batch].map { (label: "source=\"\($0.rawValue)\"", source: $0) }
    ) { counts.answers[$0] ?? 0 }
    series(
      "aisle_bill_fallbacks_total", "counter",
      "Answers that came from the log because the tables could not be used.",
      BillingMetrics.Fallback.allCases.map { (label: "reason=\"\($0.rawValue)\"", source: $0) }
    ) { counts.fallbacks[$0] ?? 0 }
  }

  mutating func rateLimits(_ limiter: RateLimiter) {
    series(
      "aisle_rate_limited_total", "counter", "Requests beyond their client's quota, refused.",
      limiter.refused.map { (label: "policy=\"\($0.kind.rawValue)\"", source: $0.count) }
    ) { $0 }
  }

  /// One family with a sample for each label.
  mutating func series<Source>(
    _ name: String, _ type: String, _ help: String, _ all: [(label: String, source: Source)],
    _ value: (Source) -> Int
  ) {
    family(name, type, help)
    for (label, source) in all { text += "\(name){\(label)} \(value(source))\n" }
  }

  mutating func log(_ status: HealthResource.LogStatus) {
    gauge("aisle_log_position", "Position of the log's last event.", Int(status.head.rawValue))
    let all = status.subscriptions
    subscriptions("lag_events", "How many positions a subscription is behind.", all) { Int($0.lag) }
    subscriptions("lag_seconds", "Age of the oldest event that a subscription has not handled.", all) {
      Int($0.lagSeconds)
    }
    subscriptions("failing", "Whether the last batch of a subscription failed.", all) {
      $0.lastError == nil ? 0 : 1
    }
    subscriptions("parked_events", "Events that wait in the queues of parked streams.", all) {
      $0.parkedEvents
    }
    // One that only commands ever ran has no owner, and misses none.
    subscriptions("owned", "Whether a worker that is alive has every partition.", all.filter(\.isFollowed)) {
      $0.isOwned ? 1 : 0
    }
  }

  private mutating func subscriptions(
    _ name: String, _ help: String, _ all: [SubscriptionStatus], _ value: (SubscriptionStatus) -> Int
  ) {
    family("aisle_subscription_\(name)", "gauge", help)
    for subscription in all {
      text += "aisle_subscription_\(name){subscription=\"\(subscription.name)\"} \(value(subscription))\n"
    }
  }

  private mutating func family(_ name: String, _ type: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }
}

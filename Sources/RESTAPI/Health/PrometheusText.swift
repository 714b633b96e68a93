import EventStore

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

  mutating func log(_ status: HealthResource.LogStatus) {
    gauge("aisle_log_position", "Position of the log's last event.", Int(status.head.rawValue))
    family("aisle_subscription_lag_events", "gauge", "How many positions a subscription is behind.")
    for subscription in status.subscriptions {
      text += "aisle_subscription_lag_events{subscription=\"\(subscription.name)\"} \(subscription.lag)\n"
    }
    family("aisle_subscription_failing", "gauge", "Whether the last batch of a subscription failed.")
    for subscription in status.subscriptions {
      let isFailing = subscription.lastError == nil ? 0 : 1
      text += "aisle_subscription_failing{subscription=\"\(subscription.name)\"} \(isFailing)\n"
    }
  }

  private mutating func family(_ name: String, _ type: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }
}

import HTTPTypes
import Synchronization

/// Counts requests by route and status, and how long they took.
final class RequestMetrics: Sendable {
  struct Key: Hashable, Sendable {
    let method: String
    let route: String
    let status: Int
  }

  struct Series: Sendable {
    /// Requests that took at most as long as the bucket of the same index, and longer than the one before.
    var buckets = [Int](repeating: 0, count: RequestMetrics.bounds.count)
    var count = 0
    var seconds = 0.0
  }

  /// Upper bounds in seconds.
  static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

  private let series = Mutex<[Key: Series]>([:])

  /// - Parameter route: a path template; there are a few dozen, so the table stays small.
  func record(method: HTTPRequest.Method, route: String, status: Int, _ duration: Duration) {
    // Clients may invent methods; their names must not fill the table.
    let known: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .delete, .patch, .options]
    let key = Key(method: known.contains(method) ? method.rawValue : "OTHER", route: route, status: status)
    let seconds = duration / .seconds(1)
    series.withLock { series in
      var one = series[key] ?? Series()
      one.count += 1
      one.seconds += seconds
      if let bucket = Self.bounds.firstIndex(where: { seconds <= $0 }) { one.buckets[bucket] += 1 }
      series[key] = one
    }
  }

  var snapshot: [(key: Key, series: Series)] {
    series.withLock { $0.map { (key: $0.key, series: $0.value) } }
      .sorted { ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status) }
  }
}

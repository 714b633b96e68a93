import Histogram

/// How long one kind of operation took, in microseconds: percentiles and the shape of the distribution.
///
/// Taken from an HdrHistogram with three significant digits: a percentile is at most 0.1 % above the true value;
/// the least and the greatest are exact.
public struct LatencySummary: Hashable, Sendable, Codable {
  public var operation: RunRecorder.Operation
  public var count: Int
  public var min: Int64
  public var mean: Int64
  public var p50: Int64
  public var p90: Int64
  public var p99: Int64
  public var p999: Int64
  public var max: Int64
  /// Twenty to a decade, without gaps from the first that has a value to the last.
  public var buckets: [Bucket]

  public struct Bucket: Hashable, Sendable, Codable {
    /// Inclusive.
    public var from: Int64
    /// Exclusive.
    public var to: Int64
    public var count: Int

    public init(from: Int64, to: Int64, count: Int) {
      self.from = from
      self.to = to
      self.count = count
    }

    enum CodingKeys: String, CodingKey {
      case count
      case from = "from_us"
      case to = "to_us"
    }
  }

  /// Nil if nothing was recorded.
  public init?(_ operation: RunRecorder.Operation, _ histogram: RunRecorder.LatencyHistogram) {
    guard histogram.totalCount > 0 else { return nil }
    self.operation = operation
    count = Int(histogram.totalCount)
    min = Int64(histogram.min)
    mean = Int64(histogram.mean.rounded())
    p50 = Int64(histogram.valueAtPercentile(50))
    p90 = Int64(histogram.valueAtPercentile(90))
    p99 = Int64(histogram.valueAtPercentile(99))
    p999 = Int64(histogram.valueAtPercentile(99.9))
    max = Int64(histogram.maxRecorded)
    buckets = Self.buckets(of: histogram)
  }

  /// A histogram from 1 µs that grows as needed.
  static func emptyHistogram() -> RunRecorder.LatencyHistogram {
    var histogram = RunRecorder.LatencyHistogram(
      highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: .three)
    histogram.autoResize = true
    return histogram
  }

  /// Lower edges of the buckets, in whole microseconds: 0 to 9, then the preferred numbers R20 (1.0, 1.12, 1.25,
  /// …) times each power of ten, which look even on a logarithmic axis.
  static let edges: [Int64] = {
    let steps: [Int64] = [
      100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900,
    ]
    var edges = [Int64](0...9)
    var scale: Int64 = 1
    while scale <= 10_000_000_000 {
      edges += steps.map { $0 * scale / 10 }
      scale *= 10
    }
    return edges
  }()

  private static func buckets(of histogram: RunRecorder.LatencyHistogram) -> [Bucket] {
    var counts = [Int](repeating: 0, count: edges.count)
    for entry in histogram.recordedValues() {
      // The middle of what the histogram cannot tell apart.
      let value = Int64(histogram.medianEquivalentForValue(entry.value))
      let index = (edges.firstIndex { $0 > value } ?? edges.count) - 1
      counts[Swift.max(index, 0)] += Int(entry.count)
    }
    guard let first = counts.firstIndex(where: { $0 > 0 }), let last = counts.lastIndex(where: { $0 > 0 })
    else {
      return []
    }
    return (first...last).map { index in
      Bucket(from: edges[index], to: index + 1 < edges.count ? edges[index + 1] : .max, count: counts[index])
    }
  }

  enum CodingKeys: String, CodingKey {
    case operation, count, buckets
    case min = "min_us"
    case mean = "mean_us"
    case p50 = "p50_us"
    case p90 = "p90_us"
    case p99 = "p99_us"
    case p999 = "p99_9_us"
    case max = "max_us"
  }
}

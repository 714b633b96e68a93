import Testing
import Vocabulary

@testable import Scenarios

@Suite("A run's recorder")
struct RunRecorderTests {
  @Test("loses nothing of a hundred thousand attempts from many tasks at once")
  func concurrent() async {
    let recorder = RunRecorder(expectedAttempts: 100_000)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<50 {
        group.addTask {
          for number in 0..<2_000 {
            recorder.record(attempt(task * 2_000 + number, took: 10, .refused), lane: task)
            recorder.measure(.hold, .microseconds(5), lane: task)
          }
        }
      }
    }
    let recording = recorder.recording()
    #expect(recording.attempts.count == 100_000)
    #expect(Set(recording.attempts.map(\.buyer)).count == 100_000)
    #expect(recording.latencies[.attempt]?.totalCount == 100_000)
    #expect(recording.latencies[.hold]?.totalCount == 100_000)
    #expect(recorder.progress.done == 100_000)
    #expect(recorder.progress.refused == 100_000)
  }

  @Test("gives the attempts in the order in which they began")
  func order() {
    let recorder = RunRecorder(expectedAttempts: 3)
    for start in [30, 10, 20] { recorder.record(attempt(start, took: 1, .won), lane: start) }
    #expect(recorder.recording().attempts.map(\.startMicroseconds) == [30, 10, 20].sorted())
  }

  @Test("has percentiles within a thousandth of the true ones, and the extremes exactly")
  func percentiles() throws {
    let recorder = RunRecorder(expectedAttempts: 0)
    // 1 µs to 100,000 µs once each, in no particular order.
    for number in 0..<100_000 {
      recorder.measure(.hold, .microseconds(Int64((number * 7_919) % 100_000 + 1)), lane: number)
    }
    let summary = try #require(
      recorder.recording().latencies[.hold].flatMap { LatencySummary(.hold, $0) })
    #expect(summary.count == 100_000)
    #expect(summary.min == 1)
    #expect(summary.max == 100_000)
    for (found, exact) in [
      (summary.p50, 50_000.0), (summary.p90, 90_000), (summary.p99, 99_000), (summary.p999, 99_900),
    ] {
      #expect(abs(Double(found) - exact) / exact <= 0.001, "\(found) for \(exact)")
    }
    #expect(abs(Double(summary.mean) - 50_000.5) / 50_000.5 < 0.001)
  }

  @Test("has percentiles of a single value that are that value")
  func singleValue() throws {
    let recorder = RunRecorder(expectedAttempts: 1)
    recorder.measure(.cancel, .microseconds(1_234), lane: 0)
    let summary = try #require(
      recorder.recording().latencies[.cancel].flatMap { LatencySummary(.cancel, $0) })
    #expect(
      [summary.min, summary.p50, summary.p90, summary.p99, summary.p999, summary.max]
        == Array(repeating: 1_234, count: 6))
  }

  @Test("puts every value into the bucket that holds it")
  func buckets() throws {
    let recorder = RunRecorder(expectedAttempts: 0)
    for value in [0, 1, 9, 10, 99, 100, 124, 125, 9_999, 90_000_000] as [Int64] {
      recorder.measure(.order, .microseconds(value), lane: 0)
    }
    let summary = try #require(recorder.recording().latencies[.order].flatMap { LatencySummary(.order, $0) })
    #expect(summary.buckets.reduce(0) { $0 + $1.count } == 10)
    #expect(summary.buckets.first { $0.from == 100 }?.count == 1)
    #expect(summary.buckets.first { $0.from == 112 }?.count == 1)
    #expect(summary.buckets.first { $0.from == 125 }?.count == 1)
    for (bucket, next) in zip(summary.buckets, summary.buckets.dropFirst()) {
      #expect(bucket.to == next.from)
    }
    #expect(LatencySummary.edges == LatencySummary.edges.sorted())
    #expect(Set(LatencySummary.edges).count == LatencySummary.edges.count)
  }

  @Test("has no summary of what was never measured")
  func nothing() {
    #expect(RunRecorder(expectedAttempts: 0).recording().latencies.isEmpty)
    #expect(LatencySummary(.hold, LatencySummary.emptyHistogram()) == nil)
  }
}

private func attempt(_ start: Int, took: Int, _ outcome: Attempt.Outcome) -> Attempt {
  Attempt(
    buyer: "buyer-\(start)", group: "buyers", show: "hamlet", action: .buy, startMicroseconds: Int64(start),
    endMicroseconds: Int64(start + took), outcome: outcome)
}

import EventStore
import Foundation
import PostgreSQL

/// Appends in a closed loop: so many are in flight, and each that is answered is followed by the next.
struct AppendLoad: Sendable {
  /// Where the events go.
  enum Streams: String, Sendable, CaseIterable, Codable {
    /// A new stream each.
    case unique
    /// 10,000 streams, of which the n-th is met 1/n as often as the first.
    case zipf
    /// All to one stream.
    case hot
  }

  struct Result: Sendable, Codable {
    let appendsPerSecond: Double
    let p50Microseconds: Int
    let p99Microseconds: Int
    let p999Microseconds: Int
  }

  /// Of about 200 bytes, as JSON.
  static let payload =
    #"{"account_id":"acc-77","amount":4500,"currency":"EUR","hold_id":"h-1234567890","note":"a typical payload of about two hundred bytes","occurred_at":"2026-11-24T19:30:00Z","order_id":"o-1234567890"}"#

  let streams: Streams
  let inFlight: Int
  var eventsPerAppend = 1
  let seconds: Int

  func run(on store: EventStore) async throws -> Result {
    let start = ContinuousClock.now
    let end = start + .seconds(seconds)
    let samples = try await withThrowingTaskGroup(of: [Int].self) { group in
      for _ in 0..<inFlight {
        group.addTask {
          var samples: [Int] = []
          while true {
            let begun = ContinuousClock.now
            guard begun < end else { return samples }
            try await append(to: store)
            samples.append(Int(begun.duration(to: .now).secondsAsDouble * 1e6))
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }.sorted()
    let elapsed = start.duration(to: .now).secondsAsDouble
    guard !samples.isEmpty else { throw PostgresError(.client, "no append ended within \(seconds) s") }
    func percentile(_ share: Double) -> Int {
      samples[min(samples.count - 1, Int(Double(samples.count) * share))]
    }
    return Result(
      appendsPerSecond: Double(samples.count) / elapsed, p50Microseconds: percentile(0.5),
      p99Microseconds: percentile(0.99), p999Microseconds: percentile(0.999))
  }

  private func append(to store: EventStore) async throws {
    let data = Array(Self.payload.utf8)
    let events = (0..<eventsPerAppend).map { _ in NewEvent(type: "bench-happened", data: data) }
    let (name, expected): (String, ExpectedVersion) =
      switch streams {
      case .unique: (events[0].id.uuidString, .noStream)
      // The inverse of the distribution's sum, which grows as the logarithm does.
      case .zipf: ("z\(Int(exp(Double.random(in: 0..<log(10_000)))))", .any)
      case .hot: ("hot", .any)
      }
    let outcome = try await store.append(
      to: StreamName(category: "bench", id: name), expecting: expected, events)
    guard case .committed = outcome else {
      throw PostgresError(.client, "a benchmark append ended as \(outcome)")
    }
  }
}

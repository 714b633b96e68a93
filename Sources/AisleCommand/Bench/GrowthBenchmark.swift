import EventStore
import Foundation
import PostgreSQL

/// What appends and stream reads cost as the log grows.
struct GrowthBenchmark: Sendable {
  struct Row: Sendable, Codable {
    let events: Int
    let partitions: Int
    let appends: AppendLoad.Result
    /// Of reading a stream of ten events, one reader.
    let readP50Microseconds: Int
    let readP99Microseconds: Int
  }

  let conninfo: String
  let sizes: [Int]
  let seconds: Int
  let rounds: Int

  func run(progress: @Sendable (String) -> Void) async throws -> [Row] {
    let pool = try PostgresPool(PostgresConfiguration(conninfo), size: 4)
    let store = EventStore(pool: pool)
    var rows: [Row] = []
    var streams = 0
    for size in sizes {
      streams = try await SyntheticLog(pool: pool).grow(to: size, streams: streams, progress: progress)
      guard streams > 0 else {
        throw CommandFailure(
          "the log has \(size) events already; take an empty one: AISLE_HOME=/var/tmp/aisle-bench")
      }
      _ = try await AppendLoad(streams: .unique, inFlight: 16, seconds: 1).run(on: store)
      var appends: [AppendLoad.Result] = []
      var reads: [Int] = []
      for round in 1...rounds {
        progress("\(size) events, round \(round) of \(rounds)")
        appends.append(try await AppendLoad(streams: .unique, inFlight: 16, seconds: seconds).run(on: store))
        reads += try await readTimes(store, streams: streams)
      }
      reads.sort()
      appends.sort { $0.appendsPerSecond < $1.appendsPerSecond }
      let partitions = try await pool.query(
        "select count(*) from pg_inherits where inhparent = 'aisle.events'::regclass")
      rows.append(
        Row(
          events: size, partitions: try partitions.first?.decode(Int.self) ?? 0, appends: appends[rounds / 2],
          readP50Microseconds: reads[reads.count / 2], readP99Microseconds: reads[reads.count * 99 / 100]))
    }
    await pool.close()
    return rows
  }

  /// Of streams met at random, over the whole log.
  private func readTimes(_ store: EventStore, streams: Int) async throws -> [Int] {
    var samples: [Int] = []
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      let name = StreamName(category: "bench", id: "\(Int.random(in: 1...streams))")
      let begun = ContinuousClock.now
      let events = try await store.read(name)
      samples.append(Int(begun.duration(to: .now).secondsAsDouble * 1e6))
      guard events.count == SyntheticLog.eventsPerStream else {
        throw PostgresError(
          .client, "\(name) has \(events.count) events, not \(SyntheticLog.eventsPerStream)")
      }
    }
    return samples
  }
}

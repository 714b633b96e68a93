import EventStore
import Foundation
import PostgreSQL
import Vocabulary

/// What stands in the tables, read without the code under test.
struct StoredEvent: Sendable, Hashable {
  let position: Int64
  let stream: String
  let version: Int64
  let id: UUID
  let recordedAt: Timestamp
}

/// Something that holds of every log does not hold of this one.
struct BrokenLog: Error, CustomStringConvertible {
  let description: String
}

extension EventStore {
  /// The whole log, after checking what holds of every log: positions 1, 2, 3 …; in each stream versions 1, 2, 3 …
  /// in the order of positions; times that never go back; heads that agree with the events.
  func audit() async throws -> [StoredEvent] {
    let events = try await storedEvents()
    var versions: [String: Int64] = [:]
    for (index, event) in events.enumerated() {
      guard event.position == Int64(index) + 1 else {
        throw BrokenLog(description: "position \(index + 1) is missing or doubled: \(event)")
      }
      versions[event.stream, default: 0] += 1
      guard event.version == versions[event.stream] else {
        throw BrokenLog(description: "a version is missing, doubled or out of order: \(event)")
      }
      guard index == 0 || event.recordedAt >= events[index - 1].recordedAt else {
        throw BrokenLog(description: "time went back: \(events[index - 1]), then \(event)")
      }
    }
    let head: Rows = try await pool.query(
      "select position, last_stream from aisle.log_head where tenant = \(tenant.rawValue)")
    guard let head = head.first else { throw BrokenLog(description: "tenant \(tenant) has no log") }
    let (position, lastStream) = try head.decode(Int64.self, Int64.self)
    guard position == Int64(events.count), lastStream == Int64(versions.count) else {
      throw BrokenLog(
        description:
          "\(events.count) events in \(versions.count) streams, the head says \(position), \(lastStream)")
    }
    let heads = try await pool.query(
      "select name, version from aisle.streams where tenant = \(tenant.rawValue)")
    let stored = try heads.reduce(into: [String: Int64]()) { stored, row in
      let (name, version) = try row.decode(String.self, Int64.self)
      stored[name] = stored[name] == nil ? version : -1
    }
    guard stored == versions else {
      throw BrokenLog(description: "aisle.streams says \(stored), the events say \(versions)")
    }
    return events
  }

  private func storedEvents() async throws -> [StoredEvent] {
    let rows = try await pool.query(
      """
      select e.position, s.name, e.version, e.id, e.recorded_at
      from aisle.events e
      left join aisle.streams s on s.tenant = e.tenant and s.id = e.stream_id
      where e.tenant = \(tenant.rawValue)
      order by e.position
      """)
    return try rows.map { row in
      let (position, stream, version, id, time) = try row.decode(
        Int64.self, String.self, Int64.self, UUID.self, Timestamp.self)
      return StoredEvent(position: position, stream: stream, version: version, id: id, recordedAt: time)
    }
  }
}

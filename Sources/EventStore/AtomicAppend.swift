import Foundation

/// What is appended as a whole or not at all: the parts of one or more streams, and the conditions on tags.
struct AtomicAppend: Sendable {
  let parts: [StreamAppend]
  var conditions: [AppendCondition] = []

  /// Bounds of one atomic append.
  static let maximumEvents = 10_000
  static let maximumConditions = 100

  /// Together, so that a batch stays far below the 1 GB of a message to the database.
  static let maximumBytes = 64 << 20

  /// What a retry is recognised by.
  var firstEventID: UUID? { parts.lazy.compactMap(\.events.first).first?.id }
  var eventCount: Int { parts.reduce(0) { $0 + $1.events.count } }

  /// About what it takes in memory and in a message to the database.
  var byteCount: Int {
    parts.reduce(0) { $0 + $1.events.reduce(100) { $0 + $1.byteCount } } + conditions.count * 200
  }

  func validate() throws(AppendError) {
    if parts.isEmpty { throw .invalid("it names no stream") }
    if eventCount == 0 { throw .invalid("it has no events") }
    if eventCount > Self.maximumEvents {
      throw .invalid("\(eventCount) events are more than \(Self.maximumEvents), the most of one append")
    }
    if byteCount > Self.maximumBytes {
      throw .invalid("\(byteCount) bytes are more than \(Self.maximumBytes), the most of one append")
    }
    if conditions.count > Self.maximumConditions {
      throw .invalid("\(conditions.count) conditions are more than \(Self.maximumConditions)")
    }
    for condition in conditions { try condition.validate() }
    for part in parts { try part.validate() }
    if parts.count > 1 {
      var streams: Set<StreamName> = []
      for part in parts where !streams.insert(part.stream).inserted {
        throw .invalid("stream \(part.stream) appears twice")
      }
    }
    if eventCount > 1 {
      var ids: Set<UUID> = []
      for part in parts {
        for event in part.events where !ids.insert(event.id).inserted {
          throw .invalid("event id \(event.id) appears twice")
        }
      }
    }
  }
}

import Foundation

/// One stream's part of an atomic append. Without events it is a condition on a stream that is only read.
public struct StreamAppend: Sendable {
  public let stream: StreamName
  public let expecting: ExpectedVersion
  public let events: [NewEvent]

  public init(_ stream: StreamName, expecting: ExpectedVersion, _ events: [NewEvent] = []) {
    self.stream = stream
    self.expecting = expecting
    self.events = events
  }
}

extension [StreamAppend] {
  /// Bounds of one atomic append.
  static var maximumEvents: Int { 10_000 }
  static var maximumEventBytes: Int { 16 << 20 }

  /// Together, so that a batch stays far below the 1 GB of a message to the database.
  static var maximumBytes: Int { 64 << 20 }

  /// What a retry is recognised by.
  var firstEventID: UUID? { lazy.compactMap(\.events.first).first?.id }
  var eventCount: Int { reduce(0) { $0 + $1.events.count } }
  var byteCount: Int { reduce(0) { $0 + $1.events.reduce(0) { $0 + $1.data.count + 200 } } }

  func validate() throws(AppendError) {
    if isEmpty { throw .invalid("it names no stream") }
    if eventCount == 0 { throw .invalid("it has no events") }
    if eventCount > Self.maximumEvents {
      throw .invalid("\(eventCount) events are more than \(Self.maximumEvents), the most of one append")
    }
    if byteCount > Self.maximumBytes {
      throw .invalid("\(byteCount) bytes are more than \(Self.maximumBytes), the most of one append")
    }
    var streams: Set<StreamName> = []
    for part in self {
      if !streams.insert(part.stream).inserted { throw .invalid("stream \(part.stream) appears twice") }
      let (category, id) = (part.stream.category.unicodeScalars, part.stream.id)
      if category.isEmpty || category.contains("-") || id.isEmpty {
        throw .invalid("\"\(part.stream)\" is not a stream name of the form category-id")
      }
      if part.stream.description.utf8.count > 500 {
        throw .invalid("the stream name is longer than 500 bytes")
      }
      if part.stream.description.contains("\0") { throw .invalid("the stream name contains a NUL character") }
      if case .version(let version) = part.expecting, version < 0 {
        throw .invalid(
          "version \(version) is expected of \(part.stream); versions begin with 1, and 0 is no stream")
      }
      for event in part.events {
        if event.type.isEmpty || event.type.utf8.count > 200 || event.type.contains("\0") {
          throw .invalid("an event type has 1 to 200 bytes and no NUL")
        }
        if event.data.count > Self.maximumEventBytes {
          throw .invalid(
            "event \(event.type) has \(event.data.count) bytes, more than \(Self.maximumEventBytes)")
        }
      }
    }
    var ids: Set<UUID> = []
    for part in self {
      for event in part.events where !ids.insert(event.id).inserted {
        throw .invalid("event id \(event.id) appears twice")
      }
    }
  }
}

import ArgumentParser
import EventStore
import Foundation
import Services
import Vocabulary

struct EventsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Look into the log.",
    subcommands: [Read.self, Tail.self, Show.self, Partitions.self, Snapshots.self])

  struct Read: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print events in order.",
      discussion:
        "Without a stream, of the whole log. One line an event; --json prints one JSON object a line.")

    @Argument(help: "A stream such as show-42.")
    var stream: String?

    @Option(help: "Begin after this position (or, of a stream, after this version).")
    var after: Int64 = 0

    @Option(help: "At most this many.")
    var limit = 100

    @Option(help: "Only this category: show, order or account.")
    var category: String?

    @Option(help: "Only this type, such as seats-held.")
    var type: String?

    @Flag(help: "JSON lines.")
    var json = false

    func validate() throws {
      guard (1...100_000).contains(limit) else { throw ValidationError("--limit is 1 to 100000") }
      guard (0..<Int64.max).contains(after) else { throw ValidationError("--after is 0 or more") }
      if let stream, StreamName(stream) == nil {
        throw ValidationError(
          "\"\(stream)\" is not a stream name; streams are called category-id, such as show-42")
      }
    }

    func run() async throws {
      try await Session.run { [self] session in
        let store = EventStore(pool: session.pool, upcasters: EventHistory.upcasters)
        let events: [RecordedEvent]
        if let name = stream.flatMap({ StreamName($0) }) {
          events = try await store.read(name, from: after + 1, limit: limit)
        } else {
          events = try await store.readAll(
            after: Position(after), categories: category.map { [$0] } ?? [], types: type.map { [$0] } ?? [],
            limit: limit)
        }
        for event in events { print(json ? event.jsonLine : event.line) }
      }
    }
  }

  struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Follow the log until Ctrl-C.", discussion: "Begins at the end unless --after says otherwise."
    )

    @Option(help: "Begin after this position.")
    var after: Int64?

    @Flag(help: "JSON lines.")
    var json = false

    func run() async throws {
      try await Session.run { [self] session in
        let store = EventStore(pool: session.pool, upcasters: EventHistory.upcasters)
        let watcher = LogWatcher(of: store)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { await watcher.run() }
          var position = if let after { Position(after) } else { try await store.head() }
          while !Task.isCancelled {
            let events = try await store.readAll(after: position, limit: 1000)
            for event in events { print(json ? event.jsonLine : event.line) }
            fflush(nil)
            if let last = events.last {
              position = last.position
            } else {
              await watcher.wait(beyond: position)
            }
          }
          group.cancelAll()
        }
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print one event with everything about it.")

    @Argument(help: "Its position.")
    var position: Int64

    func validate() throws {
      guard position > 0 else { throw ValidationError("positions begin with 1") }
    }

    func run() async throws {
      try await Session.run { [self] session in
        let store = EventStore(pool: session.pool, upcasters: EventHistory.upcasters)
        guard let event = try await store.readAll(after: Position(position - 1), limit: 1).first,
          event.position.rawValue == position
        else {
          throw CommandFailure(
            "there is no event at position \(position); the log ends at \(try await store.head())")
        }
        print(event.jsonLine)
      }
    }
  }
}

extension RecordedEvent {
  fileprivate var line: String {
    "\(position)\t\(recordedAt.rfc3339)\t\(stream)@\(version)\t\(type)\t\(String(decoding: data, as: UTF8.self))"
  }

  fileprivate var jsonLine: String {
    var fields: [String: Any] = [
      "position": position.rawValue, "stream": stream.description, "version": version,
      "id": id.uuidString.lowercased(),
      "type": type, "schema_version": schemaVersion, "recorded_at": recordedAt.rfc3339,
    ]
    fields["actor"] = metadata.actor
    fields["correlation_id"] = metadata.correlationID?.uuidString.lowercased()
    fields["causation_id"] = metadata.causationID?.uuidString.lowercased()
    fields["traceparent"] = metadata.traceparent
    fields["data"] = try? JSONSerialization.jsonObject(with: Data(data), options: .fragmentsAllowed)
    return JSONText.line(fields)
  }
}

/// JSON for machines: sorted keys, one line or indented.
enum JSONText {
  static func line(_ object: Any) -> String {
    guard
      let data = try? JSONSerialization.data(
        withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  static func document(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

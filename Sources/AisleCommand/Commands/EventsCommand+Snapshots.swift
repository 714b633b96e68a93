import ArgumentParser
import EventStore

extension EventsCommand {
  struct Snapshots: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The states that are kept beside long streams, so that these are opened fast.",
      discussion: """
        They are taken by themselves, and one that is missing or old costs time only. --drop deletes them: if you \
        doubt one, do that, and it is made again from the events.
        """)

    @Argument(help: "Only of this stream, such as show-42.")
    var stream: String?

    @Flag(help: "Delete them, after listing.")
    var drop = false

    @Flag(help: "JSON.")
    var json = false

    func validate() throws {
      if let stream, StreamName(stream) == nil {
        throw ValidationError(
          "\"\(stream)\" is not a stream name; streams are called category-id, such as show-42")
      }
    }

    private struct Entry: Encodable {
      let stream: String
      let schema: Int16
      let version: Int64
      let streamVersion: Int64
      let bytes: Int64
      let takenAt: String
    }

    func run() async throws {
      try await Session.run { [stream, drop, json] session in
        let store = EventStore(pool: session.pool)
        let name = stream.flatMap { StreamName($0) }
        let entries = try await store.snapshots(of: name).map { snapshot in
          Entry(
            stream: snapshot.stream.description, schema: snapshot.schema, version: snapshot.version,
            streamVersion: snapshot.streamVersion, bytes: snapshot.bytes, takenAt: snapshot.takenAt.rfc3339)
        }
        if drop { try await store.dropSnapshots(of: name) }
        if json { return print(try JSONText.document(entries)) }
        print(
          TextTable(
            ["stream", "version", "behind", "KiB", "taken at"],
            entries.map { entry in
              [
                entry.stream, "\(entry.version)", "\(entry.streamVersion - entry.version)",
                "\(entry.bytes >> 10)", entry.takenAt,
              ]
            }
          ).rendered)
        if drop { print("\(entries.count) deleted.") }
      }
    }
  }
}

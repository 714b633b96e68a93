import ArgumentParser
import EventStore

extension EventsCommand {
  struct Partitions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The tables that hold the log, with their positions and sizes.",
      discussion: """
        Partitions are added by themselves. An old one may be taken off the log when it has been exported and \
        verified: docs/operations.md tells how.
        """)

    @Flag(help: "JSON.")
    var json = false

    private struct Entry: Encodable {
      let name: String
      let firstPosition: Int64
      let lastPosition: Int64
      let events: Int64
      let bytes: Int64
    }

    private struct Log: Encodable {
      let archivedThrough: Int64
      let head: Int64
      let partitions: [Entry]
    }

    func run() async throws {
      try await Session.run { [json] session in
        let store = EventStore(pool: session.pool)
        let head = try await store.head()
        let archived = try await store.archivedThrough()
        let entries = try await store.partitions().map { partition in
          let first = max(partition.first.rawValue, archived.rawValue + 1)
          return Entry(
            name: partition.name, firstPosition: partition.first.rawValue, lastPosition: partition.last.rawValue,
            events: max(0, min(partition.last, head).rawValue - first + 1), bytes: partition.bytes)
        }
        if json {
          return print(
            try JSONText.document(
              Log(archivedThrough: archived.rawValue, head: head.rawValue, partitions: entries)))
        }
        print(
          TextTable(
            ["partition", "from", "to", "events", "MiB"],
            entries.map { entry in
              [
                entry.name, "\(entry.firstPosition)", "\(entry.lastPosition)", "\(entry.events)",
                "\(entry.bytes >> 20)",
              ]
            }
          ).rendered)
        if archived > .start { print("Events up to position \(archived) are in an archive.") }
      }
    }
  }
}

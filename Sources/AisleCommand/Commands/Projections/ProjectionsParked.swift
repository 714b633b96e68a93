import ArgumentParser
import EventStore
import Foundation
import Services

extension ProjectionsCommand {
  struct Parked: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Events that wait because the first of their stream could not be handled.",
      discussion: """
        The first of each stream is the one that failed. What was skipped stays listed, with who had that done. At most \
        1,000 are listed.
        """)

    @Argument(help: "A subscription; all if left out.")
    var name: String?

    @Flag(help: "JSON.")
    var json = false

    private struct Entry: Encodable {
      let subscription: String
      let stream: String
      let position: Int64
      let type: String
      let first: Bool
      let error: String?
      let attempts: Int
      let parkedAt: String
      let ageSeconds: Int64
      let skippedAt: String?
      let skippedBy: String?
    }

    func run() async throws {
      try await Session.run { [name, json] session in
        if let name { _ = try ProjectionsCommand.subscription(name, of: session) }
        let events = try await EventStore(pool: session.pool).parkedEvents(of: name)
        if json {
          let entries = events.map { event in
            Entry(
              subscription: event.subscription, stream: event.stream, position: event.position.rawValue,
              type: event.type, first: event.isFirst, error: event.error, attempts: event.attempts,
              parkedAt: "\(event.parkedAt)", ageSeconds: event.ageSeconds,
              skippedAt: event.skippedAt.map { "\($0)" }, skippedBy: event.skippedBy)
          }
          return print(try JSONText.document(entries))
        }
        guard !events.isEmpty else { return print("nothing is parked") }
        print(
          TextTable(
            ["subscription", "stream", "position", "type", "tries", "age", "why"],
            events.map { event in
              [
                event.subscription, event.stream, "\(event.position)", event.type, "\(event.attempts)",
                ProjectionsCommand.age(event.ageSeconds),
                event.skippedBy.map { "skipped by \($0)" } ?? event.error ?? "waits for the one before it",
              ]
            }
          ).rendered)
      }
    }
  }

  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have parked events tried again, in their order.",
      discussion: """
        Later events of a stream cannot overtake: they come into the queue behind these until it is empty. What fails \
        again stays where it is, and the command exits with status 1 and says why.
        """)

    @Argument(help: "The subscription.")
    var name: String

    @Option(help: "One stream; all that are parked if left out.")
    var stream: String?

    @Flag(help: "JSON.")
    var json = false

    private struct Answer: Encodable {
      struct Failure: Encodable {
        let stream: String
        let position: Int64
        let error: String
      }

      let freed: [String]
      let events: Int
      let failures: [Failure]
    }

    func run() async throws {
      try await Session.run { [name, stream, json] session in
        let subscription = try ProjectionsCommand.subscription(name, of: session)
        let runner = SubscriptionRunner(
          subscription,
          of: EventStore(pool: session.pool, upcasters: EventHistory.upcasters, logger: session.logger))
        let report = try await runner.retryParked(stream: stream)
        if json {
          print(
            try JSONText.document(
              Answer(
                freed: report.freed, events: report.events,
                failures: report.failures.map {
                  .init(stream: $0.stream, position: $0.position.rawValue, error: $0.error)
                })))
        } else {
          print("\(report.events) events took effect; \(report.freed.count) streams go on")
        }
        guard report.failures.isEmpty else {
          throw CommandFailure(
            report.failures.map {
              "\($0.stream) stays parked: position \($0.position) failed with: \($0.error)"
            }
            .joined(separator: "\n"))
        }
      }
    }
  }

  struct Skip: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Never handle the first event in the queue of a parked stream.",
      discussion: """
        It stays in the log, and stays listed as skipped, with when and by whom. Then retry what waited behind it: \
        aisle projections retry NAME --stream STREAM
        """)

    @Argument(help: "The subscription.")
    var name: String

    @Option(help: "The stream, such as show-42.")
    var stream: String

    @Option(help: "Position of the event; only the first in the queue can be skipped.")
    var position: Int64

    @Option(help: "Who is responsible (default: the user of this process).")
    var by: String = NSUserName()

    @Flag(help: "JSON.")
    var json = false

    private struct Answer: Encodable {
      let subscription: String
      let stream: String
      let position: Int64
      let skippedBy: String
    }

    func run() async throws {
      try await Session.run { [name, stream, position, by, json] session in
        _ = try ProjectionsCommand.subscription(name, of: session)
        try await EventStore(pool: session.pool).skipParked(Position(position), of: stream, in: name, by: by)
        print(
          json
            ? try JSONText.document(
              Answer(subscription: name, stream: stream, position: position, skippedBy: by))
            : "position \(position) of \(stream) will never take effect in \(name); retry what waited behind it"
        )
      }
    }
  }
}

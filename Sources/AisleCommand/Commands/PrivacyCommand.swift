import ArgumentParser
import EventStore
import Foundation
import Services
import Vocabulary

struct PrivacyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "privacy", abstract: "What is held about a person, and forgetting it.",
    discussion: """
      Names of buyers and accounts stand in the log encrypted, with a key for each person. A person is named as \
      buyer:NAME, as in a hold, or account:ID, whose name is then meant. docs/operations.md tells what to do about \
      backups and exported files.
      """,
    subcommands: [Forget.self, ExportSubject.self, List.self, SealLog.self])

  struct Forget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete the key of a person's data: nobody can read that data again.",
      discussion: """
        Cannot be undone. Seats, orders and bills stay as they are, with [forgotten] in place of the name. Exits with \
        status 1 if the log holds nothing under the name.
        """)

    @Argument(help: "buyer:NAME or account:ID.")
    var subject: DataSubject

    @Flag(help: "JSON.")
    var json = false

    private struct Outcome: Encodable {
      let keyID: String
      let position: Int64
    }

    func run() async throws {
      try await Session.run { [subject, json] session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        let receipt = try await aisle.privacy.forget(subject)
        let id = receipt.keyID.uuidString.lowercased()
        print(
          json
            ? try JSONText.document(Outcome(keyID: id, position: receipt.position.rawValue))
            : "forgotten: key \(id) is deleted, recorded at position \(receipt.position)")
      }
    }
  }

  struct ExportSubject: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export", abstract: "Print everything that the log holds about a person, for the person.",
      discussion: "One JSON object a line for each event. It reads the whole log.")

    @Argument(help: "buyer:NAME or account:ID.")
    var subject: DataSubject

    func run() async throws {
      try await Session.run { [subject] session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        for event in try await aisle.privacy.export(subject) {
          print(
            #"{"position":\#(event.position),"stream":"\#(event.stream)","type":"\#(event.type)","#
              + #""recorded_at":"\#(event.recordedAt.rfc3339)","data":\#(String(decoding: event.data, as: UTF8.self))}"#
          )
        }
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Whom the log holds data about, by key; names are not kept apart from that data.")

    @Option(help: "At most this many, the latest first.")
    var limit = 100

    @Flag(help: "JSON.")
    var json = false

    private struct Entry: Encodable {
      let keyID: String
      let kind: String
      let since: String
    }

    func validate() throws {
      guard (1...100_000).contains(limit) else { throw ValidationError("--limit is 1 to 100000") }
    }

    func run() async throws {
      try await Session.run { [limit, json] session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        let entries = try await aisle.privacy.list(limit: limit).map {
          Entry(keyID: $0.keyID.uuidString.lowercased(), kind: $0.kind, since: $0.since.rfc3339)
        }
        print(
          json
            ? try JSONText.document(entries)
            : TextTable(["key", "kind", "since"], entries.map { [$0.keyID, $0.kind, $0.since] }).rendered)
      }
    }
  }

  struct SealLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "seal-log",
      abstract: "Seal personal data that an earlier release has stored in the clear.",
      discussion: """
        For the owner of the database. Events keep their positions and everything else, and read as before. Files that \
        were exported before still hold the names: export to a new lake afterwards, and delete the old one.
        """)

    func run() async throws {
      try await Session.run(as: .owner) { session in
        let aisle = Aisle(pool: session.pool, logger: session.logger)
        let count = try await aisle.privacy.sealLog(as: session.pool) {
          Progress.line("sealed up to position \($0)")
        }
        print("\(count) events sealed")
      }
    }
  }
}

extension DataSubject: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

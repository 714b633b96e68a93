import ArgumentParser
import EventStore
import Foundation
import Services

struct NotificationsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notifications",
    abstract: "Messages about orders, by webhook to AISLE_NOTIFY_URL and by mail through AISLE_SMTP_URL.",
    discussion: """
      A message is tried \(NotificationService.maximumAttempts) times with growing pauses, about three hours in all, and is \
      then given up; a mail that the server refuses is given up at once. Mend the receiver, then have it tried again: \
      aisle notifications retry
      """,
    subcommands: [List.self, Retry.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The latest messages; exit status 1 if some were given up.")

    @Flag(help: "Only those that were given up.")
    var dead = false

    @Flag(help: "JSON.")
    var json = false

    private struct Entry: Encodable {
      let id: String
      let channel: String
      let position: Int64
      let type: String
      let order: String
      let attempts: Int
      let sentAt: String?
      let deadAt: String?
      let lastError: String?
    }

    func run() async throws {
      try await Session.run { [dead, json] session in
        let notifications = Aisle(pool: session.pool, logger: session.logger).notifications
        let entries = try await notifications.list(onlyDead: dead)
        if json {
          print(
            try JSONText.document(
              entries.map {
                Entry(
                  id: $0.id.uuidString.lowercased(), channel: $0.channel, position: $0.position.rawValue,
                  type: $0.type,
                  order: $0.order.rawValue, attempts: $0.attempts, sentAt: $0.sentAt.map { "\($0)" },
                  deadAt: $0.deadAt.map { "\($0)" }, lastError: $0.lastError)
              }))
        } else if entries.isEmpty {
          print(dead ? "nothing was given up" : "there are no messages")
        } else {
          print(
            TextTable(
              ["message", "by", "position", "type", "order", "tries", "state"],
              entries.map { entry in
                [
                  entry.id.uuidString.lowercased(), entry.channel, "\(entry.position)", entry.type,
                  entry.order.rawValue,
                  "\(entry.attempts)",
                  entry.sentAt != nil
                    ? "sent"
                    : (entry.deadAt != nil ? "given up: " : "waits: ") + (entry.lastError ?? "not tried yet"),
                ]
              }
            ).rendered)
        }
        if entries.contains(where: { $0.deadAt != nil }) { throw ExitCode(1) }
      }
    }
  }

  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Have messages that were given up tried again, by whatever process has the role notifications.")

    @Argument(help: "A message; all that were given up if left out.")
    var id: String?

    @Flag(help: "JSON.")
    var json = false

    private struct Answer: Encodable { let messages: Int }

    func validate() throws {
      if let id, UUID(uuidString: id) == nil { throw ValidationError("\"\(id)\" is not the id of a message") }
    }

    func run() async throws {
      try await Session.run { [id, json] session in
        let notifications = Aisle(pool: session.pool, logger: session.logger).notifications
        let id = id.flatMap(UUID.init(uuidString:))
        let count = try await notifications.retry(id)
        if let id, count == 0 { throw CommandFailure("message \(id) was not given up, or does not exist") }
        print(json ? try JSONText.document(Answer(messages: count)) : "\(count) messages will be tried again")
      }
    }
  }
}

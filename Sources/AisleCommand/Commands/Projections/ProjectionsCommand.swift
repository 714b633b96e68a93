import ArgumentParser
import EventStore
import Services

struct ProjectionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "projections",
    abstract: "How far the derived tables are, and what to do when one is in trouble.",
    discussion: """
      A subscription is run by one worker at a time, or by several if it has several partitions; a worker is a process \
      of aisle up or aisle serve. An event that no try handles parks its stream: it waits with all later events of that \
      stream, and other streams go on. Look at the queue, mend the cause, then retry; skip only what must never take \
      effect.
      """,
    subcommands: [List.self, Parked.self, Retry.self, Skip.self, Rebuild.self])

  /// The subscription of that name, or an error that lists those there are.
  static func subscription(_ name: String, of session: Session) throws -> Subscription {
    let all = Aisle(
      pool: session.pool, notifying: session.settings.notifying, mailing: session.settings.mailing,
      logger: session.logger
    )
    .subscriptions(of: Set(Aisle.Role.allCases))
    guard let subscription = all.first(where: { $0.name == name }) else {
      throw CommandFailure(
        "there is no subscription \(name); there are \(all.map(\.name).sorted().joined(separator: ", "))")
    }
    return subscription
  }

  /// Seconds as a person reads them.
  static func age(_ seconds: Int64) -> String {
    switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3600: "\(seconds / 60)m \(seconds % 60)s"
    case ..<86_400: "\(seconds / 3600)h \(seconds % 3600 / 60)m"
    default: "\(seconds / 86_400)d \(seconds % 86_400 / 3600)h"
    }
  }
}

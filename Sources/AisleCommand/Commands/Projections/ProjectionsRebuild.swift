import ArgumentParser
import EventStore
import Foundation
import Services
import Synchronization

extension ProjectionsCommand {
  struct Rebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fill a projection's tables again from the first event, beside those that serve.",
      discussion: """
        Copies of the tables are filled while the old ones are read and followed as always. When the copies have \
        everything, the rows that differ are put in place in one transaction. Nothing else happens meanwhile: no \
        appends, no calls. Interrupted, it goes on where it stopped when the command is run again. It is run \
        as the owner of the schema (AISLE_OWNER_DATABASE_URL), because it makes tables.

        A subscription that acts outside of the database is not rebuilt. With --repeat-effects it is set back to the \
        first event, and its workers do everything again.
        """)

    @Argument(help: "The subscription.")
    var name: String

    @Flag(help: "Throw away what an interrupted rebuild has done.")
    var restart = false

    @Flag(help: "Of a subscription that acts outside of the database: do all of it again.")
    var repeatEffects = false

    @Flag(help: "JSON.")
    var json = false

    private struct Answer: Encodable {
      let subscription: String
      let position: Int64
      let added: Int
      let changed: Int
      let removed: Int
      let parkedStreams: Int
      let swapMilliseconds: Int64
    }

    func run() async throws {
      try await Session.run(as: .owner) { [name, restart, repeatEffects, json] session in
        let subscription = try ProjectionsCommand.subscription(name, of: session)
        let store = EventStore(pool: session.pool, upcasters: EventHistory.upcasters, logger: session.logger)
        guard subscription.isProjection else {
          guard repeatEffects else {
            throw CommandFailure(
              "\(name) acts outside of the database; a rebuild would do that again. If that is what you want: "
                + "aisle projections rebuild \(name) --repeat-effects")
          }
          try await SubscriptionRunner(subscription, of: store).repeatEffects()
          return print("\(name) begins again with the first event")
        }
        guard !repeatEffects else {
          throw CommandFailure("\(name) has no effects outside of the database; leave out --repeat-effects")
        }
        let printer = ProgressPrinter()
        let outcome = try await ProjectionRebuild(subscription, of: store).run(restarts: restart) {
          progress in
          printer.show(progress)
        }
        let swap = Int64(outcome.swap / .milliseconds(1))
        print(
          json
            ? try JSONText.document(
              Answer(
                subscription: name, position: outcome.position.rawValue, added: outcome.added,
                changed: outcome.changed, removed: outcome.removed, parkedStreams: outcome.parkedStreams,
                swapMilliseconds: swap))
            : "\(name) is rebuilt up to position \(outcome.position): \(outcome.added) rows added, "
              + "\(outcome.changed) changed, \(outcome.removed) removed; put in place in \(swap) ms")
        guard outcome.parkedStreams == 0 else {
          throw CommandFailure(
            "\(outcome.parkedStreams) streams could not be handled; see: aisle projections parked \(name)")
        }
      }
    }
  }
}

/// A line a second on standard error.
private final class ProgressPrinter: Sendable {
  private let last = Mutex<ContinuousClock.Instant?>(nil)

  func show(_ progress: ProjectionRebuild.Progress) {
    let now = ContinuousClock.now
    let isDue = last.withLock { last in
      if let before = last, before.duration(to: now) < .seconds(1) { return false }
      last = now
      return true
    }
    guard isDue else { return }
    let end = progress.secondsLeft.map { "about \(ProjectionsCommand.age(Int64($0.rounded(.up)))) left" }
    let line =
      "position \(progress.position) of \(progress.target), \(Int(progress.positionsPerSecond)) a second"
      + (end.map { ", \($0)" } ?? "")
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}

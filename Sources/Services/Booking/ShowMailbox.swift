import Booking
import DequeModule
import EventStore
import Logging
import Vocabulary

/// Everybody who wants something of one show queues here, in this process.
///
/// The mailbox folds the show's stream once and keeps the state. It decides all waiting commands in memory, one
/// after the other, and appends their events as one batch at the version that it knows. While that is under way it decides
/// whoever comes on the state that the batch leads to; they are the next batch. If another process was faster, the
/// store answers with a conflict; the mailbox reads what is new and decides again. So a flash sale costs a few appends,
/// and a command is refused only by a state that was the truth at that moment.
actor ShowMailbox {
  /// A command's result.
  struct Decision: Sendable {
    /// None if the command was a repeat, or if the stream that it brings events for was not as it expects.
    let events: [Booking.Event]
    let show: Booking.ShowScheduled?
    /// The hold that the command was about, after it.
    let hold: Booking.HoldRecord?
    /// The entry of the waiting list under the same id, if there is one.
    var waiting: Booking.WaitingRecord?
    /// Version of the show's stream that the decision was made at or committed as.
    let version: Int64
    let position: Position
    /// Position of the last event that the command brought along for another stream.
    var companion: Position?
  }

  typealias Reply = CheckedContinuation<Result<Decision, ServiceError>, Never>

  struct Command: Sendable {
    /// nil: only look at a hold.
    var command: Booking.Command?
    let hold: HoldID?
    /// Appended together with the command's events, or neither.
    var companion: StreamAppend?
    let context: RequestContext
    let reply: Reply
  }

  /// Bound: commands decided together.
  private static let maximumBatch = 500

  private let store: EventStore
  private let stream: StreamName
  private let time: TimeSource
  private let metrics: BookingMetrics
  private let folder: StreamFolder<Booking>
  /// nil: to be read.
  private var show: FoldedStream<Booking>?
  private var waiting: Deque<Command> = []
  /// Decided on what the append under way leads to; nil if none is under way.
  private var ahead: BookingRound?
  private var isWorking = false
  private var load: ShowLoad
  private(set) var lastUsed = ContinuousClock.now

  init(
    show: ShowID, store: EventStore, folder: StreamFolder<Booking>, time: TimeSource, metrics: BookingMetrics,
    maximumWaiting: Int
  ) {
    self.store = store
    load = ShowLoad(limit: maximumWaiting)
    self.folder = folder
    self.time = time
    self.metrics = metrics
    stream = StreamName(category: Booking.Event.category, id: show.rawValue)
  }

  /// - Parameter companion: events of another stream that are appended together with the command's, or not at all.
  func send(
    _ command: Booking.Command, with companion: StreamAppend? = nil, _ context: RequestContext
  ) async throws(ServiceError) -> Decision {
    try await enqueue(command, hold: command.hold, with: companion, context)
  }

  /// A hold's terms, which never change; its phase may be old. Read from the stream only if it is not known here.
  func lookUp(_ hold: HoldID, _ context: RequestContext) async throws(ServiceError) -> Decision {
    do {
      if let show, let record = show.state.hold(hold), try await folder.mayBeUsed(show) {
        return Decision(
          events: [], show: show.state.show, hold: record, version: show.version, position: show.position)
      }
    } catch {
      throw ServiceError(reading: error)
    }
    return try await enqueue(nil, hold: hold, context)
  }

  /// An entry of the waiting list as it stands now: the stream is asked whether anything has happened.
  func lookUp(_ entry: WaitingID, _ context: RequestContext) async throws(ServiceError) -> Decision {
    try await enqueue(nil, hold: entry.hold, context)
  }

  private func enqueue(
    _ command: Booking.Command?, hold: HoldID?, with companion: StreamAppend? = nil, _ context: RequestContext
  ) async throws(ServiceError) -> Decision {
    lastUsed = .now
    guard load.admit() else {
      metrics.refused()
      throw .overloaded("\(load.unanswered) requests already wait for \(stream)")
    }
    metrics.waits(1)
    let result = await withCheckedContinuation { reply in
      waiting.append(
        Command(command: command, hold: hold, companion: companion, context: context, reply: reply))
      decideAhead()
      guard !isWorking else { return }
      isWorking = true
      // Ends by itself when nobody waits any more.
      Task { await self.work() }
    }
    return try result.get()
  }

  private func work() async {
    load.begin()
    while !waiting.isEmpty {
      let batch = Array(waiting.prefix(Self.maximumBatch))
      waiting.removeFirst(batch.count)
      await process(batch)
    }
    load.end()
    isWorking = false
  }

  /// Processes a batch, and then whatever was decided ahead meanwhile.
  private func process(_ batch: [Command]) async {
    var commands = batch
    do {
      // Nobody else enters: `isWorking` keeps this the only caller that touches the state across an `await`.
      var folded = try await present()
      var round = decide(commands, on: folded.state)
      // Whether the state was the truth at a moment after the commands came.
      var isCurrent = false
      while true {
        commands = round.commands
        if round.events.isEmpty {
          // Refusals and repeats only. If the state may be old, they count if nothing has happened since.
          if !isCurrent, try await folder.readOn(&folded, of: stream) {
            round = decide(commands, on: folded.state)
            isCurrent = true
            continue
          }
          show = folded
          return answer(round, from: folded)
        }
        switch try await append(round, at: folded.version) {
        case (.committed(let receipt), let next), (.duplicate(let receipt), let next):
          folded.advance(
            to: round.state, with: round.events, at: receipt.streams.first?.position ?? receipt.position)
          folder.keepIfDue(&folded, of: stream)
          show = folded
          metrics.appended(events: round.events.count)
          answer(round, from: folded, receipt)
          guard !next.commands.isEmpty else { return }
          commands = next.commands
          isCurrent = true
          if try await folder.mayBeUsed(folded) {
            round = next
          } else {
            folded = try await present()
            round = decide(commands, on: folded.state)
          }
        case (.conflict(let conflict), let next):
          metrics.conflicted()
          putBack(next.commands)
          for index in commands.indices where conflict.isOf(commands[index].companion) {
            // Somebody has begun that stream: only a look is left of the command, so that its sender can see to it.
            commands[index].command = nil
          }
          if conflict.streams.contains(where: { $0.name == stream }) {
            // Nothing to read on: the database has less than we remember, as after a fail-over that lost commits.
            if try await !folder.readOn(&folded, of: stream) { folded = try await folder.load(stream) }
          }
          isCurrent = true
          round = decide(commands, on: folded.state)
        case (.unknown(let error), let next):
          // The truth is in the database: forget, and read it anew next time.
          show = nil
          putBack(next.commands)
          return fail(commands, .outcomeUnknown("the connection was lost while booking: \(error)"))
        }
      }
    } catch AppendError.rejected where commands.count > 1 {
      // One command's content is not storable; the others must not suffer.
      await processAlone(commands)
    } catch AppendError.invalid where commands.count > 1 {
      // Together they have more events than one append may have.
      await processAlone(commands)
    } catch {
      fail(commands, ServiceError(reading: error))
    }
  }

  private func processAlone(_ batch: [Command]) async {
    for command in batch { await process([command]) }
  }

  /// What is known of the show; read if nothing is, or if it may know a name that was forgotten since.
  private func present() async throws -> FoldedStream<Booking> {
    if let show, try await folder.mayBeUsed(show) { return show }
    var folded = try await folder.load(stream)
    folder.keepIfDue(&folded, of: stream)
    show = folded
    return folded
  }

  /// Appends a round's events, and decides meanwhile for whoever comes.
  ///
  /// - Returns: the outcome, and the commands that were decided in the hope that it is a success.
  private func append(
    _ round: BookingRound, at version: Int64
  ) async throws -> (AppendOutcome, BookingRound) {
    let parts = [StreamAppend(stream, expecting: .version(version), round.events)] + round.companions.values
    async let appended = store.append(parts)
    ahead = BookingRound(on: round.state)
    decideAhead()
    let outcome: Result<AppendOutcome, any Error>
    do { outcome = .success(try await appended) } catch { outcome = .failure(error) }
    let next = ahead ?? BookingRound(on: round.state)
    ahead = nil
    if case .failure = outcome { putBack(next.commands) }
    return (try outcome.get(), next)
  }

  private func decideAhead() {
    while let count = ahead?.commands.count, count < Self.maximumBatch, let command = waiting.popFirst() {
      ahead?.decide(command, at: time.now)
    }
  }

  private func putBack(_ commands: [Command]) { waiting.prepend(contentsOf: commands) }

  private func decide(_ batch: [Command], on state: Booking.State) -> BookingRound {
    let now = time.now
    var round = BookingRound(on: state)
    for command in batch { round.decide(command, at: now) }
    return round
  }

  // MARK: Answers

  private func answer(
    _ round: BookingRound, from show: FoldedStream<Booking>, _ receipt: AppendReceipt? = nil
  ) {
    let positions = Dictionary(
      (receipt?.streams ?? []).map { ($0.name, $0.position) }, uniquingKeysWith: { first, _ in first })
    answered(round.commands.count)
    for (command, result) in zip(round.commands, round.results) {
      command.reply.resume(
        returning: result.map { events in
          Decision(
            events: events, show: show.state.show, hold: command.hold.flatMap(show.state.hold),
            waiting: command.hold.flatMap { show.state.waiting(WaitingID(offeredAs: $0)) },
            version: show.version, position: show.position,
            companion: command.companion.flatMap { positions[$0.stream] ?? nil })
        })
    }
  }

  private func fail(_ batch: [Command], _ error: ServiceError) {
    answered(batch.count)
    for command in batch { command.reply.resume(returning: .failure(error)) }
  }

  private func answered(_ count: Int) {
    load.answered(count)
    metrics.waits(-count)
  }

  var pressure: ShowPressure { load.pressure }

  var isIdle: Bool { !isWorking && waiting.isEmpty }
}

extension AppendConflict {
  fileprivate func isOf(_ companion: StreamAppend?) -> Bool {
    guard let companion else { return false }
    return streams.contains { $0.name == companion.stream }
  }
}

extension Booking.Command {
  /// The hold that the command is about.
  fileprivate var hold: HoldID? {
    switch self {
    case .schedule, .cancelShow: nil
    case .joinWaitingList(let request): request.waitingID.hold
    case .leaveWaitingList(let id): id.hold
    case .hold(let hold): hold.holdID
    case .extend(let id), .confirm(let id, _), .release(let id, _), .expire(let id),
      .cancelBooking(let id, _),
      .cancelSeats(let id, _, _):
      id
    }
  }
}

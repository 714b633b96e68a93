import Booking
import EventStore
import Logging
import Vocabulary

/// Everybody who wants something of one show queues here, in this process.
///
/// The mailbox folds the show's stream once and keeps the state. It decides all waiting commands in memory, one
/// after the other, and appends their events as one batch at the version that it knows. If another process was
/// faster, the store answers with a conflict; the mailbox reads what is new and decides again. So a flash sale
/// costs a few appends, and a command is refused only by a state that was the truth at that moment.
actor ShowMailbox {
  /// A command's result.
  struct Decision: Sendable {
    /// None if the command was a repeat.
    let events: [Booking.Event]
    let show: Booking.ShowScheduled?
    /// The hold that the command was about, after it.
    let hold: Booking.HoldRecord?
    /// The entry of the waiting list under the same id, if there is one.
    var waiting: Booking.WaitingRecord?
    /// Version of the show's stream that the decision was made at or committed as.
    let version: Int64
    let position: Position
  }

  typealias Reply = CheckedContinuation<Result<Decision, ServiceError>, Never>

  private struct Command {
    /// nil: only look at a hold.
    let command: Booking.Command?
    let hold: HoldID?
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
  /// Commands that may wait; more are refused.
  private let maximumWaiting: Int
  private var waiting: [Command] = []
  private var isWorking = false
  private var pace = Pace()
  private var batchStart: ContinuousClock.Instant?
  private(set) var lastUsed = ContinuousClock.now

  init(
    show: ShowID, store: EventStore, folder: StreamFolder<Booking>, time: TimeSource, metrics: BookingMetrics,
    maximumWaiting: Int
  ) {
    self.store = store
    self.maximumWaiting = maximumWaiting
    self.folder = folder
    self.time = time
    self.metrics = metrics
    stream = StreamName(category: Booking.Event.category, id: show.rawValue)
  }

  func send(_ command: Booking.Command, _ context: RequestContext) async throws(ServiceError) -> Decision {
    try await enqueue(command, hold: command.hold, context)
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
    _ command: Booking.Command?, hold: HoldID?, _ context: RequestContext
  ) async throws(ServiceError) -> Decision {
    lastUsed = .now
    guard waiting.count < maximumWaiting else {
      metrics.refused()
      throw .overloaded("\(waiting.count) requests already wait for \(stream); try again shortly")
    }
    metrics.waits(1)
    let result = await withCheckedContinuation { reply in
      waiting.append(Command(command: command, hold: hold, context: context, reply: reply))
      guard !isWorking else { return }
      isWorking = true
      // Ends by itself when nobody waits any more.
      Task { await self.work() }
    }
    return try result.get()
  }

  private func work() async {
    while !waiting.isEmpty {
      let batch = Array(waiting.prefix(Self.maximumBatch))
      waiting.removeFirst(batch.count)
      metrics.waits(-batch.count)
      let start = ContinuousClock.now
      batchStart = start
      await process(batch)
      pace.answered(batch.count, in: .now - start)
    }
    batchStart = nil
    isWorking = false
  }

  var pressure: ShowPressure {
    ShowPressure(
      waiting: waiting.count, limit: maximumWaiting, perSecond: pace.perSecond,
      retryAfter: pace.seconds(for: waiting.count, elapsed: batchStart.map { .now - $0 } ?? .zero))
  }

  private func process(_ batch: [Command]) async {
    do {
      // Nobody else enters: `isWorking` keeps this the only caller that touches state across an `await`.
      var folded = try await present()
      while true {
        let round = try decide(batch, on: folded.state)
        if round.events.isEmpty {
          // Refusals and repeats only. The state may be old: they count if nothing has happened since.
          if try await folder.readOn(&folded, of: stream) { continue }
          show = folded
          return answer(batch, round, from: folded)
        }
        switch try await store.append(to: stream, expecting: .version(folded.version), round.events) {
        case .committed(let receipt), .duplicate(let receipt):
          folded.advance(to: round.state, with: round.events, as: receipt)
          folder.keepIfDue(&folded, of: stream)
          show = folded
          metrics.appended(events: round.events.count)
          return answer(batch, round, from: folded)
        case .conflict:
          metrics.conflicted()
          // Nothing to read on: the database has less than we remember, as after a fail-over that lost commits.
          if try await !folder.readOn(&folded, of: stream) { folded = try await folder.load(stream) }
        case .unknown(let error):
          // The truth is in the database: forget, and read it anew next time.
          show = nil
          return fail(batch, .outcomeUnknown("the connection was lost while booking: \(error)"))
        }
      }
    } catch AppendError.rejected where batch.count > 1 {
      // One command's content is not storable; the others must not suffer.
      await processAlone(batch)
    } catch AppendError.invalid where batch.count > 1 {
      // Together they have more events than one append may have.
      await processAlone(batch)
    } catch {
      fail(batch, ServiceError(reading: error))
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

  // MARK: Deciding

  private struct Round {
    var state: Booking.State
    var events: [NewEvent] = []
    var results: [Result<[Booking.Event], Booking.Rejection>] = []
  }

  /// Decides every command in turn; each sees the effect of those before it.
  private func decide(_ batch: [Command], on state: Booking.State) throws -> Round {
    let now = time.now
    var round = Round(state: state)
    for command in batch {
      let result = Result { () throws(Booking.Rejection) in
        try command.command.map { command throws(Booking.Rejection) in
          try Booking.decide(command, round.state, at: now)
        } ?? []
      }
      for event in (try? result.get()) ?? [] {
        Booking.evolve(&round.state, event)
        round.events.append(try NewEvent(event, metadata: command.context.metadata()))
      }
      round.results.append(result)
    }
    return round
  }

  private func answer(_ batch: [Command], _ round: Round, from show: FoldedStream<Booking>) {
    for (command, result) in zip(batch, round.results) {
      command.reply.resume(
        returning: result.mapError { .bookingRejected($0) }.map { events in
          Decision(
            events: events, show: show.state.show, hold: command.hold.flatMap(show.state.hold),
            waiting: command.hold.flatMap { show.state.waiting(WaitingID(offeredAs: $0)) },
            version: show.version, position: show.position)
        })
    }
  }

  private func fail(_ batch: [Command], _ error: ServiceError) {
    for command in batch { command.reply.resume(returning: .failure(error)) }
  }

  var isIdle: Bool { !isWorking && waiting.isEmpty }
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

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

  /// Bounds: commands that may wait for one show, commands decided together.
  private static let maximumWaiting = 10_000
  private static let maximumBatch = 500

  private let store: EventStore
  private let stream: StreamName
  private let time: TimeSource
  private let metrics: BookingMetrics
  private var state = Booking.State()
  private var version: Int64 = 0
  private var position = Position.start
  /// Of the people forgotten when the state was read: it holds names.
  private var generation: Int64?
  private var waiting: [Command] = []
  private var isWorking = false
  private(set) var lastUsed = ContinuousClock.now

  init(show: ShowID, store: EventStore, time: TimeSource, metrics: BookingMetrics) {
    self.store = store
    self.time = time
    self.metrics = metrics
    stream = StreamName(category: Booking.Event.category, id: show.rawValue)
  }

  func send(_ command: Booking.Command, _ context: RequestContext) async throws(ServiceError) -> Decision {
    try await enqueue(command, hold: command.hold, context)
  }

  /// A hold's terms, which never change; its phase may be old. Read from the stream only if it is not known here.
  func lookUp(_ hold: HoldID, _ context: RequestContext) async throws(ServiceError) -> Decision {
    let isCurrent: Bool
    do {
      let now = try await store.vault.generation()
      isCurrent = now == generation
    } catch {
      throw ServiceError(reading: error)
    }
    if isCurrent, let record = state.hold(hold) {
      return Decision(events: [], show: state.show, hold: record, version: version, position: position)
    }
    return try await enqueue(nil, hold: hold, context)
  }

  private func enqueue(
    _ command: Booking.Command?, hold: HoldID?, _ context: RequestContext
  ) async throws(ServiceError) -> Decision {
    lastUsed = .now
    guard waiting.count < Self.maximumWaiting else {
      throw .overloaded("\(waiting.count) requests already wait for \(stream); try again shortly")
    }
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
      await process(batch)
    }
    isWorking = false
  }

  private func process(_ batch: [Command]) async {
    do {
      // Nobody else enters: `isWorking` keeps this the only caller that touches state across an `await`.
      let now = try await store.vault.generation()
      if now != generation {
        // Somebody was forgotten; the state may still know the name.
        forget()
        generation = now
      }
      if version == 0 { try await readOn() }
      while true {
        let round = try decide(batch)
        if round.events.isEmpty {
          // Refusals and repeats only. The state may be old: they count if nothing has happened since.
          if try await readOn() { continue }
          return answer(batch, round)
        }
        switch try await store.append(to: stream, expecting: .version(version), round.events) {
        case .committed(let receipt), .duplicate(let receipt):
          state = round.state
          version += Int64(round.events.count)
          position = receipt.position
          metrics.appended(events: round.events.count)
          return answer(batch, round)
        case .conflict:
          metrics.conflicted()
          // Nothing to read on: the database has less than we remember, as after a fail-over that lost commits.
          if try await !readOn() {
            forget()
            try await readOn()
          }
        case .unknown(let error):
          // The truth is in the database: forget, and read it anew next time.
          forget()
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

  // MARK: Deciding

  private struct Round {
    var state: Booking.State
    var events: [NewEvent] = []
    var results: [Result<[Booking.Event], Booking.Rejection>] = []
  }

  /// Decides every command in turn; each sees the effect of those before it.
  private func decide(_ batch: [Command]) throws -> Round {
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

  private func answer(_ batch: [Command], _ round: Round) {
    for (command, result) in zip(batch, round.results) {
      command.reply.resume(
        returning: result.mapError { .bookingRejected($0) }.map { events in
          Decision(
            events: events, show: state.show, hold: command.hold.flatMap(state.hold), version: version,
            position: position)
        })
    }
  }

  private func fail(_ batch: [Command], _ error: ServiceError) {
    for command in batch { command.reply.resume(returning: .failure(error)) }
  }

  // MARK: Reading

  /// Reads what has been appended since and evolves the state; false if there was nothing.
  @discardableResult
  private func readOn() async throws -> Bool {
    let before = version
    while true {
      let events = try await store.read(stream, from: version + 1, limit: 5000)
      for event in events {
        Booking.evolve(&state, try event.decode())
        version = event.version
        position = event.position
      }
      if events.count < 5000 { return version > before }
    }
  }

  private func forget() {
    state = Booking.State()
    version = 0
    position = .start
  }

  var isIdle: Bool { !isWorking && waiting.isEmpty }
}

extension Booking.Command {
  /// The hold that the command is about.
  fileprivate var hold: HoldID? {
    switch self {
    case .schedule: nil
    case .hold(let hold): hold.holdID
    case .confirm(let id, _), .release(let id, _), .expire(let id), .cancelBooking(let id, _),
      .cancelSeats(let id, _, _):
      id
    }
  }
}

import Booking
import EventStore
import Vocabulary

/// Commands on one show that are decided one after the other, each on the effect of those before it, and appended
/// together.
struct BookingRound: Sendable {
  /// The state after the events.
  private(set) var state: Booking.State
  private(set) var commands: [ShowMailbox.Command] = []
  /// One for each command; no events if it was a repeat.
  private(set) var results: [Result<[Booking.Event], ServiceError>] = []
  private(set) var events: [NewEvent] = []
  /// What commands bring along for other streams, each stream once.
  private(set) var companions: [StreamName: StreamAppend] = [:]

  init(on state: Booking.State) { self.state = state }

  /// A refusal is the result of its command alone.
  mutating func decide(_ command: ShowMailbox.Command, at now: Timestamp) {
    commands.append(command)
    do throws(ServiceError) {
      results.append(.success(try take(command, at: now)))
    } catch {
      results.append(.failure(error))
    }
  }

  private mutating func take(
    _ command: ShowMailbox.Command, at now: Timestamp
  ) throws(ServiceError) -> [Booking.Event] {
    guard let wanted = command.command else { return [] }
    if let companion = command.companion, companions[companion.stream] != nil { return [] }
    let decided: [Booking.Event]
    do throws(Booking.Rejection) {
      decided = try Booking.decide(wanted, state, at: now)
    } catch {
      throw .bookingRejected(error)
    }
    guard !decided.isEmpty else { return [] }
    let new: [NewEvent]
    do {
      new = try decided.map { try NewEvent($0, metadata: command.context.metadata()) }
    } catch {
      throw .invalid("it cannot be stored: \(error)")
    }
    for event in decided { Booking.evolve(&state, event) }
    events += new
    if let companion = command.companion { companions[companion.stream] = companion }
    return decided
  }
}

import EventStore
import Ordering
import Vocabulary

/// The stream of one order: fold, decide, append at the version that was folded, and on a conflict once more.
struct OrderStream: Sendable {
  /// An order after a command.
  struct Outcome: Sendable {
    let state: Ordering.State
    /// False if the command was a repeat.
    let changed: Bool
    let version: Int64
    let position: Position
  }

  /// How often a conflict is taken up again. Orders have a handful of writers at most.
  private static let maximumTries = 20

  let store: EventStore
  let time: TimeSource

  /// - Parameter isNew: the order is probably new, so that the first try need not read.
  func execute(
    _ command: Ordering.Command, on order: OrderID, isNew: Bool = false, _ context: RequestContext
  ) async throws(ServiceError) -> Outcome {
    let stream = StreamName.order(order)
    var folded =
      isNew ? Outcome(state: .none, changed: false, version: 0, position: .start) : try await fold(order)
    for _ in 1...Self.maximumTries {
      let events: [Ordering.Event]
      do throws(Ordering.Rejection) {
        events = try Ordering.decide(command, folded.state, at: time.now)
      } catch {
        throw .orderRejected(error)
      }
      guard !events.isEmpty else { return folded }
      switch try await append(events, to: stream, at: folded.version, context) {
      case .committed(let receipt), .duplicate(let receipt):
        var state = folded.state
        for event in events { Ordering.evolve(&state, event) }
        return Outcome(
          state: state, changed: true, version: folded.version + Int64(events.count),
          position: receipt.position)
      case .conflict: folded = try await fold(order)
      case .unknown(let error):
        throw .outcomeUnknown("the connection was lost while writing order \(order): \(error)")
      }
    }
    throw .overloaded("order \(order) is changed by too many at once; try again")
  }

  func fold(_ order: OrderID) async throws(ServiceError) -> Outcome {
    do {
      let events = try await store.read(.order(order))
      var state = Ordering.State.none
      for event in events { Ordering.evolve(&state, try event.decode()) }
      return Outcome(
        state: state, changed: false, version: events.last?.version ?? 0,
        position: events.last?.position ?? .start)
    } catch {
      throw ServiceError(reading: error)
    }
  }

  private func append(
    _ events: [Ordering.Event], to stream: StreamName, at version: Int64, _ context: RequestContext
  ) async throws(ServiceError) -> AppendOutcome {
    do {
      let new = try events.map { try NewEvent($0, metadata: context.metadata()) }
      return try await store.append(to: stream, expecting: .version(version), new)
    } catch {
      throw ServiceError(reading: error)
    }
  }
}

extension StreamName {
  public static func order(_ id: OrderID) -> StreamName {
    StreamName(category: Ordering.Event.category, id: id.rawValue)
  }
}

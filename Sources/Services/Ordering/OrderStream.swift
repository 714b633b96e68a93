import EventStore
import Ordering
import Vocabulary

/// The stream of one order.
struct OrderStream: Sendable {
  /// An order after a command.
  struct Outcome: Sendable {
    let state: Ordering.State
    /// False if the command was a repeat.
    let changed: Bool
    let version: Int64
    let position: Position

    fileprivate init(_ draft: Draft, position: Position) {
      state = draft.state
      changed = true
      version = Int64(draft.events.count)
      self.position = position
    }

    fileprivate init(_ stream: FoldedStream<Ordering>, changed: Bool) {
      state = stream.state
      self.changed = changed
      version = stream.version
      position = stream.position
    }
  }

  /// A new order after some commands, before any of it is stored.
  struct Draft: Sendable {
    fileprivate(set) var state = Ordering.initialState
    fileprivate(set) var events: [NewEvent] = []

    /// The order once its events are stored.
    func outcome(at position: Position) -> Outcome { Outcome(self, position: position) }
  }

  private let repository: DeciderRepository<Ordering>
  private let time: TimeSource

  init(store: EventStore, time: TimeSource) {
    // Orders have a handful of events and of writers; most are changed two or three times within a second.
    repository = DeciderRepository(store: store, snapshots: .never)
    self.time = time
  }

  /// - Parameter isNew: the order is probably new, so that the first try need not read.
  func execute(
    _ command: Ordering.Command, on order: OrderID, isNew: Bool = false, _ context: RequestContext
  ) async throws(ServiceError) -> Outcome {
    do {
      let outcome = try await repository.execute(
        command, on: .order(order), at: time.now, metadata: context.metadata(), isNew: isNew)
      return Outcome(outcome.stream, changed: !outcome.events.isEmpty)
    } catch let rejection as Ordering.Rejection {
      throw .orderRejected(rejection)
    } catch {
      throw ServiceError(reading: error)
    }
  }

  func draft(
    _ commands: [Ordering.Command], _ context: RequestContext
  ) throws(ServiceError) -> Draft {
    let now = time.now
    var draft = Draft()
    do {
      for command in commands {
        for event in try Ordering.decide(command, draft.state, at: now) {
          Ordering.evolve(&draft.state, event)
          draft.events.append(try NewEvent(event, metadata: context.metadata()))
        }
      }
    } catch let rejection as Ordering.Rejection {
      throw .orderRejected(rejection)
    } catch {
      throw ServiceError(reading: error)
    }
    return draft
  }

  func fold(_ order: OrderID) async throws(ServiceError) -> Outcome {
    do {
      return Outcome(try await repository.state(of: .order(order)), changed: false)
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

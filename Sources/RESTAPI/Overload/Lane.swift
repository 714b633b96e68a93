import Hummingbird
import Services
import Synchronization

/// Lets so many requests of one kind work at once. Some more wait in line for a while; the others are refused at once
/// and told when to come again.
final class Lane: Sendable {
  struct Limits: Sendable {
    /// Requests that are worked on at the same time.
    var atOnce: Int
    /// Requests that may wait for that.
    var waiting: Int
    /// How long one of them waits.
    var patience: Duration
  }

  private typealias Turn = CheckedContinuation<Void, any Error>

  private struct State {
    var active = 0
    var line: [(id: UInt64, turn: Turn)] = []
    var nextID: UInt64 = 0
    var refused = 0
    var pace = Pace()

    mutating func remove(_ ticket: UInt64) -> Turn? {
      guard let index = line.firstIndex(where: { $0.id == ticket }) else { return nil }
      return line.remove(at: index).turn
    }
  }

  /// As it is called in metrics.
  let name: String
  let limits: Limits
  private let state = Mutex(State())

  init(_ name: String, _ limits: Limits) {
    self.name = name
    self.limits = limits
  }

  struct Occupancy: Sendable, Hashable {
    let active: Int
    let waiting: Int
    let refused: Int
  }

  var occupancy: Occupancy {
    state.withLock { Occupancy(active: $0.active, waiting: $0.line.count, refused: $0.refused) }
  }

  /// Does `work` when it is its turn.
  func pass<T: Sendable>(_ work: () async throws -> T) async throws -> T {
    try await enter()
    let start = ContinuousClock.now
    defer { leave(after: .now - start) }
    return try await work()
  }

  private func enter() async throws {
    // Given out under the lock, so that nobody comes in between; the line is empty if there is room.
    let ticket: UInt64? = try state.withLock { state throws(Problem) in
      if state.active < limits.atOnce {
        state.active += 1
        return nil
      }
      guard state.line.count < limits.waiting else { throw refusal(&state) }
      state.nextID += 1
      return state.nextID
    }
    guard let ticket else { return }
    let timeout = Task { [limits] in
      try await Task.sleep(for: limits.patience)
      give(up: ticket)
    }
    defer { timeout.cancel() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { turn in line(up: turn, as: ticket) }
    } onCancel: {
      state.withLock { $0.remove(ticket) }?.resume(throwing: CancellationError())
    }
  }

  private func line(up turn: Turn, as ticket: UInt64) {
    let result: Result<Void, any Error>? = state.withLock { state in
      if Task.isCancelled { return .failure(CancellationError()) }
      // A place may have come free since the ticket was drawn, or the line may have filled up.
      if state.active < limits.atOnce {
        state.active += 1
        return .success(())
      }
      guard state.line.count < limits.waiting else { return .failure(refusal(&state)) }
      state.line.append((ticket, turn))
      return nil
    }
    if let result { turn.resume(with: result) }
  }

  private func give(up ticket: UInt64) {
    let (turn, problem) = state.withLock { state -> (Turn?, Problem) in
      guard let turn = state.remove(ticket) else { return (nil, .internalError) }
      return (turn, refusal(&state))
    }
    turn?.resume(throwing: problem)
  }

  /// Hands the place over to who has waited longest.
  private func leave(after duration: Duration) {
    let next: Turn? = state.withLock { state in
      state.pace.answered(limits.atOnce, in: duration)
      if state.line.isEmpty {
        state.active -= 1
        return nil
      }
      return state.line.removeFirst().turn
    }
    next?.resume()
  }

  private func refusal(_ state: inout State) -> Problem {
    state.refused += 1
    let seconds = state.pace.seconds(for: state.line.count + 1)
    return Problem(
      .serviceUnavailable, "overloaded",
      """
      \(state.active) \(name) are being worked on and \(state.line.count) wait, which is all that is taken at once; \
      try again in \(seconds) seconds
      """
    ).retry(after: seconds)
  }
}

/// Sends the routes of a group through a lane. A stream counts until it begins.
struct LaneMiddleware: RouterMiddleware {
  let lane: Lane

  func handle(
    _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
  ) async throws -> Response {
    try await lane.pass { try await next(request, context) }
  }
}

import Synchronization
import Vocabulary

/// Those who look at the seats while others buy them: once before the first buyer comes, then until the last one is done,
/// and once more when the read models have all of it. So each of them sees the house before and after, however slow the
/// machine is.
final class Polling: Sendable {
  private let step: PlannedStep
  private let run: PlanRunner
  private let isOver = Atomic<Bool>(false)
  private let gate: StartGate

  init(_ step: PlannedStep, in run: PlanRunner) {
    self.step = step
    self.run = run
    gate = StartGate(for: step.pollers.count + 1)
  }

  /// Returns when everybody has looked once.
  func begin() async { await gate.pass() }

  func end() { isOver.store(true, ordering: .releasing) }

  func run(_ poller: PlannedPoller, lane: Int) async throws {
    let first: SeatView?
    do {
      first = try await look(poller, lane: lane, after: nil)
    } catch {
      await gate.pass()
      throw error
    }
    await gate.pass()
    var last = first
    while true {
      let isLast = isOver.load(ordering: .acquiring)
      if isLast { try await run.aisle.catchUp() }
      last = try await look(poller, lane: lane, after: last) ?? last
      if isLast { return }
      try await Task.sleep(for: max(poller.pause, .milliseconds(1)))
    }
  }

  /// - Returns: what was shown; nil if it was shown before, or if the server was too busy to show anything.
  private func look(_ poller: PlannedPoller, lane: Int, after last: SeatView?) async throws -> SeatView? {
    let view = try await run.looker.look(at: poller.show, poller.name, lane: lane, at: step.at, after: last)
    guard let view else {
      run.outside.noteTurnedAway()
      try await Task.sleep(for: .milliseconds(50))
      return nil
    }
    run.outside.note(view)
    return view.isNew ? view : nil
  }
}

import Synchronization
import Vocabulary

/// Those who look at the seats while others buy them, until the last buyer of the step is done, and once more.
final class Polling: Sendable {
  private let step: PlannedStep
  private let run: PlanRunner
  private let isOver = Atomic<Bool>(false)

  init(_ step: PlannedStep, in run: PlanRunner) {
    self.step = step
    self.run = run
  }

  func end() { isOver.store(true, ordering: .releasing) }

  func run(_ poller: PlannedPoller, lane: Int) async throws {
    var last: SeatView?
    while true {
      let isLast = isOver.load(ordering: .acquiring)
      if let view = try await run.looker.look(
        at: poller.show, poller.name, lane: lane, at: step.at, after: last)
      {
        run.outside.note(view)
        if view.isNew { last = view }
      } else {
        run.outside.noteTurnedAway()
        try await Task.sleep(for: .milliseconds(50))
      }
      if isLast { return }
      try await Task.sleep(for: max(poller.pause, .milliseconds(1)))
    }
  }
}

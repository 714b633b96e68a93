import EventStore
import Services
import Synchronization
import Vocabulary

/// Carries out a plan: step by step on the scenario's clock, everybody of a step at once.
struct PlanRunner: Sendable {
  let plan: ScenarioPlan
  let aisle: Aisle
  let clock: SteeredClock
  /// The one in this process, or one for each worker.
  let offices: [any BoxOffice]
  let recorder: RunRecorder
  let journal: Journal
  /// Takes the place of the file's.
  let concurrency: Int?
  let outside: Outside
  let purses = Purses()
  let desks: Desks
  /// Tells the worker processes what time it is.
  let onClock: @Sendable (Timestamp) throws -> Void

  var looker: SeatLooker { SeatLooker(outside: outside, aisle: aisle, recorder: recorder) }

  func run() async throws {
    for step in plan.steps {
      // The timers look into the read models for what is due. What the bank has to tell by now was told before.
      try await aisle.catchUp()
      try await outside.deliver(for: aisle)
      clock.advance(to: step.at)
      try onClock(step.at)
      try await withThrowingTaskGroup(of: Void.self) { group in
        // At the same moment as the waves: who comes first is for the streams to decide.
        if plan.strategy.isTimed { group.addTask { try await aisle.process.tick() } }
        group.addTask { try await outside.deliver(for: aisle) }
        for show in step.calledOff {
          group.addTask { _ = try await aisle.booking.cancelShow(show, reason: "called off by the scenario") }
        }
        let polling = Polling(step, in: self)
        group.addTask {
          await polling.begin()
          await withTaskGroup(of: Void.self) { visits in
            for start in starts(of: step) { visits.addTask { await start() } }
          }
          polling.end()
        }
        for (lane, poller) in step.pollers.enumerated() {
          group.addTask { try await polling.run(poller, lane: -1 - lane) }
        }
        for try await _ in group {}
      }
      try await outside.deliver(for: aisle)
      try Task.checkCancellation()
    }
  }

  /// One task for each place at the counter. They begin together; then each takes the next action of its wave when it
  /// is done with one.
  private func starts(of step: PlannedStep) -> [@Sendable () async -> Void] {
    let counters = step.waves.map { min(max(1, concurrency ?? $0.concurrency), $0.actions.count) }
    let gate = StartGate(for: counters.reduce(0, +))
    return zip(step.waves, counters).flatMap { wave, counters in
      let next = Turnstile(wave.actions)
      return (0..<counters).map { _ in
        { @Sendable in
          await gate.pass()
          while !Task.isCancelled, let action = next.take() {
            await Visit(action, at: step.at, in: self).run()
          }
        }
      }
    }
  }

  /// Actions handed out one by one.
  private final class Turnstile: Sendable {
    private let actions: [PlannedAction]
    private let next = Atomic<Int>(0)

    init(_ actions: [PlannedAction]) { self.actions = actions }

    func take() -> PlannedAction? {
      let index = next.add(1, ordering: .relaxed).oldValue
      return index < actions.count ? actions[index] : nil
    }
  }
}

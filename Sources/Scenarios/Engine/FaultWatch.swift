import Synchronization

/// Counts the answers that went out, lets a fault strike when it is due, and remembers which did.
final class FaultWatch: Sendable {
  /// A fault that happened.
  struct Strike: Sendable {
    let fault: Fault.Kill
    /// Answers that had gone out.
    let acknowledged: Int
    /// Requests without an answer when the process was gone.
    let underway: Int
    let lostAtMicroseconds: Int64
    let backAtMicroseconds: Int64
  }

  /// Kills a process because of a fault, after that many answers.
  typealias Kill = @Sendable (Fault.Kill, _ acknowledged: Int) -> Void

  private struct State {
    var acknowledged = 0
    var waiting: [Fault.Kill]
    var processes: [Int: Kill] = [:]
    var strikes: [Strike] = []
  }

  private let state: Mutex<State>

  init(_ faults: [Fault]) {
    let kills = faults.map { fault in
      switch fault {
      case .kill(let kill): kill
      }
    }
    state = Mutex(State(waiting: kills))
  }

  /// Says how a process can be killed, by its number; nil when it is gone.
  func aim(at process: Int, _ kill: Kill?) { state.withLock { $0.processes[process] = kill } }

  /// Counts an answer. A fault that is due strikes before this returns, unless its process is not there; then it
  /// waits until it is.
  func acknowledged() {
    let (count, due) = state.withLock { state in
      state.acknowledged += 1
      var due: [(Kill, Fault.Kill)] = []
      state.waiting.removeAll { fault in
        guard fault.afterAcknowledged <= state.acknowledged, let kill = state.processes[fault.worker] else {
          return false
        }
        state.processes[fault.worker] = nil
        due.append((kill, fault))
        return true
      }
      return (state.acknowledged, due)
    }
    for (kill, fault) in due { kill(fault, count) }
  }

  func struck(_ strike: Strike) { state.withLock { $0.strikes.append(strike) } }

  var strikes: [Strike] { state.withLock { $0.strikes } }
}

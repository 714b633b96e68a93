import Foundation
import Subprocess
import Synchronization
import SystemPackage
import Vocabulary

/// A process of its own that answers buyers, as its office in this one. It is started again after a fault killed it.
///
/// Requests that have no answer when the process dies are answered as lost; whoever sent one may send it again.
final class WorkerProcess: BoxOffice {
  /// How to start it.
  struct Launch: Sendable {
    /// The `aisle` executable.
    let executable: String
    let conninfo: String
    let strategy: Strategy
    let poolSize: Int
  }

  private struct State {
    var clock: Timestamp
    /// To the process; nil while there is none.
    var input: AsyncStream<String>.Continuation?
    var pending: [Int: CheckedContinuation<BuyerAnswer, Never>] = [:]
    var nextID = 0
    var isReady = false
    var waitingForReady: [CheckedContinuation<Void, Never>] = []
    var isClosing = false
    /// The fault that killed it, until it is back.
    var death: Death?
    /// Of processes that are gone, and of the present one.
    var earlierConflicts = 0
    var conflicts = 0
  }

  private struct Death {
    let fault: Fault.Kill
    let acknowledged: Int
    var underway = 0
    var lostAtMicroseconds: Int64 = 0
  }

  let number: Int
  private let launch: Launch
  private let faults: FaultWatch
  private let recorder: RunRecorder
  private let state: Mutex<State>

  init(number: Int, launch: Launch, clock: Timestamp, faults: FaultWatch, recorder: RunRecorder) {
    self.number = number
    self.launch = launch
    self.faults = faults
    self.recorder = recorder
    state = Mutex(State(clock: clock))
  }

  // MARK: Asking

  func answer(_ request: BuyerRequest) async -> BuyerAnswer {
    await withCheckedContinuation { continuation in
      let isSent = state.withLock { state in
        guard let input = state.input,
          let line = try? JSONLine.encode(WorkerInput.request(id: state.nextID, request))
        else { return false }
        state.pending[state.nextID] = continuation
        state.nextID += 1
        input.yield(line)
        return true
      }
      if !isSent { continuation.resume(returning: .lost) }
    }
  }

  func advance(to instant: Timestamp) throws {
    try state.withLock { state in
      state.clock = max(state.clock, instant)
      state.input?.yield(try JSONLine.encode(WorkerInput.clock(state.clock)))
    }
  }

  /// Returns when the process takes requests, or will never do so.
  func ready() async {
    await withCheckedContinuation { continuation in
      let now = state.withLock { state in
        guard !state.isReady, !state.isClosing else { return true }
        state.waitingForReady.append(continuation)
        return false
      }
      if now { continuation.resume() }
    }
  }

  /// Lets the process finish; ``run()`` then returns.
  func close() {
    let waiting = state.withLock { state in
      state.isClosing = true
      state.input?.finish()
      defer { state.waitingForReady = [] }
      return state.waitingForReady
    }
    for continuation in waiting { continuation.resume() }
  }

  var conflicts: Int { state.withLock { $0.earlierConflicts + $0.conflicts } }

  // MARK: Running

  /// Keeps the process running until it is closed.
  func run() async throws {
    defer { close() }
    while true {
      let status = try await live()
      let (death, isClosing) = state.withLock { ($0.death, $0.isClosing) }
      if let death {
        try await Task.sleep(for: death.fault.restartAfter)
      } else if isClosing, status.isSuccess {
        return
      } else {
        throw ScenarioRunError("worker-\(number) ended by itself (\(status)); what it wrote says why")
      }
    }
  }

  /// One life of the process.
  private func live() async throws -> TerminationStatus {
    let clock = state.withLock { $0.clock }
    return try await Subprocess.run(
      .path(FilePath(launch.executable)),
      arguments: ["scenario", "worker", "--strategy", launch.strategy.rawValue, "--clock", clock.rfc3339],
      environment: .inherit.updating([
        "AISLE_DATABASE_URL": launch.conninfo, "AISLE_POOL_SIZE": "\(launch.poolSize)",
      ]), input: .inputWriter, output: .sequence, error: .currentStandardError
    ) { execution in
      let (lines, input) = AsyncStream.makeStream(of: String.self)
      began(input)
      faults.aim(at: number) { fault, acknowledged in
        self.state.withLock { $0.death = Death(fault: fault, acknowledged: acknowledged) }
        // It may have ended just now, which is what is wanted.
        try? execution.send(signal: .kill)
      }
      defer { lose() }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for await line in lines { _ = try await execution.standardInputWriter.write(line) }
          try await execution.standardInputWriter.finish()
        }
        for try await line in execution.standardOutput.strings(separatedBy: .unicodeScalarSequence(["\n"])) {
          try received(line)
        }
        // Its output has ended, so nobody reads what may still be on the way to it.
        input.finish()
        group.cancelAll()
        while await group.nextResult() != nil {}
      }
    }.terminationStatus
  }

  private func began(_ input: AsyncStream<String>.Continuation) {
    state.withLock { state in
      state.input = input
      if state.isClosing { input.finish() }
    }
  }

  private func received(_ line: String) throws {
    switch try JSONLine.decode(line, as: WorkerOutput.self) {
    case .ready:
      let (waiting, death) = state.withLock { state in
        defer { (state.isReady, state.waitingForReady, state.death) = (true, [], nil) }
        return (state.waitingForReady, state.death)
      }
      if let death {
        faults.struck(
          .init(
            fault: death.fault, acknowledged: death.acknowledged, underway: death.underway,
            lostAtMicroseconds: death.lostAtMicroseconds, backAtMicroseconds: recorder.elapsedMicroseconds))
      }
      for continuation in waiting { continuation.resume() }
    case .answer(let id, let answer, let conflicts):
      let continuation = state.withLock { state in
        state.conflicts = max(state.conflicts, conflicts)
        return state.pending.removeValue(forKey: id)
      }
      // First the count: when this answer reaches its buyer, the fault that it makes due has struck.
      faults.acknowledged()
      continuation?.resume(returning: answer)
    }
  }

  /// The process is gone, and with it every answer that it still owed.
  private func lose() {
    faults.aim(at: number, nil)
    let now = recorder.elapsedMicroseconds
    let pending = state.withLock { state in
      state.input = nil
      state.isReady = false
      state.earlierConflicts += state.conflicts
      state.conflicts = 0
      state.death?.underway = state.pending.count
      state.death?.lostAtMicroseconds = now
      defer { state.pending = [:] }
      return state.pending
    }
    for continuation in pending.values { continuation.resume(returning: .lost) }
  }
}

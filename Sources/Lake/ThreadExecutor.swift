import class Foundation.NSCondition
import class Foundation.Thread

/// Runs an actor on one thread of its own, so that disk and compression never block the cooperative pool.
///
/// Lives until `stop()`: the thread holds the executor, so an actor may drop it at any time.
final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
  // Guards the two variables below; that is why `@unchecked` is true.
  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []
  private var stopping = false

  init(name: String) {
    let thread = Thread { [self] in run() }
    thread.name = name
    thread.start()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.lock()
    jobs.append(job)
    condition.signal()
    condition.unlock()
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// The thread ends when it has run what is queued.
  func stop() {
    condition.lock()
    stopping = true
    condition.signal()
    condition.unlock()
  }

  private func run() {
    while let batch = next() {
      for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
    }
  }

  private func next() -> [UnownedJob]? {
    condition.lock()
    defer { condition.unlock() }
    while jobs.isEmpty {
      if stopping { return nil }
      condition.wait()
    }
    defer { jobs.removeAll(keepingCapacity: true) }
    return jobs
  }
}

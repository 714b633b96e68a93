import Glibc
import Synchronization

/// One dedicated thread that runs the work of many database connections and sleeps in `poll(2)` between.
///
/// It is both a serial executor (connections are actors that run on it, so libpq is only ever called from this
/// thread) and a task executor (a hot loop, such as the append sequencer, may prefer it and then talk to its
/// connection without a single thread hop). Nothing that runs here may block: waiting is always
/// ``readiness(of:for:until:)``.
public final class PollThread: SerialExecutor, TaskExecutor, Sendable {
  /// What a caller waits for on a socket.
  enum Interest: Sendable { case read, write, readOrWrite }

  /// Why a wait ended.
  enum Readiness: Sendable { case ready, deadlinePassed, interrupted }

  private struct Wait {
    let id: UInt64
    let fd: Int32
    let events: Int16
    let deadline: ContinuousClock.Instant?
    let continuation: CheckedContinuation<Readiness, Never>
  }

  private struct State {
    var jobs: [UnownedJob] = []
    var waits: [Wait] = []
    var nextWait: UInt64 = 0
    var sleeping = false
    var stopping = false
  }

  private let state = Mutex(State())
  /// The two ends of a pipe: a byte written to the second ends a sleep on the first.
  private let wakeReader: Int32
  private let wakeWriter: Int32

  /// Starts the thread. It ends after ``stop()``.
  public init() throws(PostgresError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw PostgresError(.client, "could not create a pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (wakeReader, wakeWriter) = (ends[0], ends[1])
    BlockingThread.start { self.run() }
  }

  deinit {
    close(wakeReader)
    close(wakeWriter)
  }

  /// Lets the thread end as soon as it has nothing left to run. Idempotent.
  public func stop() {
    state.withLock { $0.stopping = true }
    wake()
  }

  // MARK: Executor

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let mustWake = state.withLock { state in
      state.jobs.append(job)
      guard state.sleeping else { return false }
      state.sleeping = false
      return true
    }
    if mustWake { wake() }
  }

  // MARK: Waiting

  /// Suspends until the socket is ready, the deadline passes or ``interrupt(_:)`` is called for it.
  ///
  /// A caller whose cancellation handler interrupts says `unlessCancelled`: a cancellation just before the wait
  /// begins would otherwise be missed.
  func readiness(
    of fd: Int32, for interest: Interest, until deadline: ContinuousClock.Instant?,
    unlessCancelled: Bool = false
  ) async -> Readiness {
    let events: Int32 =
      switch interest {
      case .read: POLLIN
      case .write: POLLOUT
      case .readOrWrite: POLLIN | POLLOUT
      }
    return await withCheckedContinuation { continuation in
      let mustWake: Bool? = state.withLock { state in
        if unlessCancelled && Task.isCancelled { return nil }
        state.nextWait += 1
        state.waits.append(
          Wait(
            id: state.nextWait, fd: fd, events: Int16(events), deadline: deadline,
            continuation: continuation))
        guard state.sleeping else { return false }
        state.sleeping = false
        return true
      }
      guard let mustWake else { return continuation.resume(returning: .interrupted) }
      if mustWake { wake() }
    }
  }

  /// Ends every wait on this socket early; used by cancellation.
  func interrupt(_ fd: Int32) {
    let ended = state.withLock { state in
      let ended = state.waits.filter { $0.fd == fd }
      state.waits.removeAll { $0.fd == fd }
      return ended
    }
    for wait in ended { wait.continuation.resume(returning: .interrupted) }
  }

  private func wake() {
    var byte: UInt8 = 1
    // A full pipe is fine: the thread is about to wake anyway.
    _ = write(wakeWriter, &byte, 1)
  }

  // MARK: The loop

  private func run() {
    var descriptors: [pollfd] = []
    while true {
      let jobs = state.withLock { state in
        defer { state.jobs.removeAll(keepingCapacity: true) }
        return state.jobs
      }
      for job in jobs {
        job.runSynchronously(
          isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
      }
      guard pollOnce(&descriptors) else { break }
    }
  }

  /// Polls until something happens; false when the thread should end.
  private func pollOnce(_ descriptors: inout [pollfd]) -> Bool {
    descriptors.removeAll(keepingCapacity: true)
    descriptors.append(pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0))
    var waiting: [UInt64] = []
    let timeout: Int32? = state.withLock { state in
      if state.stopping && state.jobs.isEmpty && state.waits.isEmpty { return nil }
      var earliest: ContinuousClock.Instant?
      for wait in state.waits {
        descriptors.append(pollfd(fd: wait.fd, events: wait.events, revents: 0))
        waiting.append(wait.id)
        if let deadline = wait.deadline { earliest = min(earliest ?? deadline, deadline) }
      }
      guard state.jobs.isEmpty else { return 0 }
      state.sleeping = true
      guard let earliest else { return -1 }
      return (ContinuousClock.now.duration(to: earliest)).pollMilliseconds
    }
    guard let timeout else { return false }
    let count = poll(&descriptors, nfds_t(descriptors.count), timeout)
    if count > 0 && descriptors[0].revents != 0 {
      var drained = [UInt8](repeating: 0, count: 64)
      while read(wakeReader, &drained, drained.count) == drained.count {}
    }
    let now = ContinuousClock.now
    let ended = state.withLock { state in
      state.sleeping = false
      // `waits` may have grown or shrunk since; positions 0..<waiting.count match by id only.
      var ready: Set<UInt64> = []
      for (index, id) in waiting.enumerated() where descriptors[index + 1].revents != 0 { ready.insert(id) }
      var ended: [(Wait, Readiness)] = []
      state.waits.removeAll { wait in
        if ready.contains(wait.id) {
          ended.append((wait, .ready))
        } else if let deadline = wait.deadline, deadline <= now {
          ended.append((wait, .deadlinePassed))
        } else {
          return false
        }
        return true
      }
      return ended
    }
    for (wait, readiness) in ended { wait.continuation.resume(returning: readiness) }
    return true
  }
}

extension Duration {
  /// Rounded up, so that a deadline has really passed when `poll` returns.
  fileprivate var pollMilliseconds: Int32 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    guard seconds < 1_000_000 else { return 1_000_000_000 }
    return Int32(seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
  }
}

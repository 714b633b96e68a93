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
    try BlockingThread.start { self.run() }
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
  /// begins would otherwise be missed. Runs on the caller's actor: a connection's wait begins without a hop to
  /// another thread and back.
  func readiness(
    of fd: Int32, for interest: Interest, until deadline: ContinuousClock.Instant?,
    unlessCancelled: Bool = false, isolation: isolated (any Actor)? = #isolation
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

  /// Ends every wait on this socket early; used by cancellation. It may come late and hit the wait of a later
  /// statement, so whoever was interrupted looks at why, and waits again if there is no reason.
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
    var poller = Poller(reader: wakeReader)
    var jobs: [UnownedJob] = []
    var rounds = 0
    while true {
      state.withLock { state in
        jobs.removeAll(keepingCapacity: true)
        swap(&jobs, &state.jobs)
      }
      for job in jobs {
        job.runSynchronously(
          isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
      }
      // Jobs make jobs: a statement is several of them. The sockets are looked at when there are none left, or
      // after a while, so that busy callers cannot starve the others.
      rounds += 1
      if !jobs.isEmpty && rounds < Self.roundsBetweenPolls { continue }
      rounds = 0
      guard pollOnce(&poller) else { return }
    }
  }

  private static let roundsBetweenPolls = 32

  /// Buffers that are used again and again.
  private struct Poller {
    var descriptors: [pollfd]
    /// The waits behind `descriptors[1...]`, by id, ascending.
    var waits: [UInt64] = []
    var ended: [(Wait, Readiness)] = []

    init(reader: Int32) { descriptors = [pollfd(fd: reader, events: Int16(POLLIN), revents: 0)] }
  }

  /// Polls until something happens; false when the thread should end.
  private func pollOnce(_ poller: inout Poller) -> Bool {
    guard let timeout = prepare(&poller) else { return false }
    let count = poll(&poller.descriptors, nfds_t(poller.descriptors.count), timeout)
    if count > 0 && poller.descriptors[0].revents != 0 {
      var drained: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
      while read(wakeReader, &drained, 32) == 32 {}
    }
    // Only with an endless time-out it is certain that no wait has a deadline.
    let now = timeout < 0 ? nil : ContinuousClock.now
    state.withLock { state in
      state.sleeping = false
      // Others may have removed waits meanwhile, or added some, whose ids are higher.
      var next = 0
      state.waits.removeAll { wait in
        while next < poller.waits.count && poller.waits[next] < wait.id { next += 1 }
        guard next < poller.waits.count, poller.waits[next] == wait.id else { return false }
        if poller.descriptors[next + 1].revents != 0 {
          poller.ended.append((wait, .ready))
        } else if let now, let deadline = wait.deadline, deadline <= now {
          poller.ended.append((wait, .deadlinePassed))
        } else {
          return false
        }
        return true
      }
    }
    for (wait, readiness) in poller.ended { wait.continuation.resume(returning: readiness) }
    poller.ended.removeAll(keepingCapacity: true)
    return true
  }

  /// Fills the descriptors and says for how long to sleep, in milliseconds; nil when the thread should end.
  private func prepare(_ poller: inout Poller) -> Int32? {
    poller.descriptors.removeLast(poller.descriptors.count - 1)
    poller.waits.removeAll(keepingCapacity: true)
    return state.withLock { state in
      if state.stopping && state.jobs.isEmpty && state.waits.isEmpty { return nil }
      var earliest: ContinuousClock.Instant?
      for wait in state.waits {
        poller.descriptors.append(pollfd(fd: wait.fd, events: wait.events, revents: 0))
        poller.waits.append(wait.id)
        if let deadline = wait.deadline { earliest = min(earliest ?? deadline, deadline) }
      }
      guard state.jobs.isEmpty else { return 0 }
      state.sleeping = true
      guard let earliest else { return -1 }
      return ContinuousClock.now.duration(to: earliest).pollMilliseconds
    }
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

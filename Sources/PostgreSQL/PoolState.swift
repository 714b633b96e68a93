import DequeModule

/// What the pool knows and decides, without any input or output: every call returns what its caller must do.
///
/// Bounds: at most `size` connections, at most `maximumWaiters` callers in line.
struct PoolState<Connection, Waiter> {
  enum Lease {
    case use(Connection, idleSince: ContinuousClock.Instant)
    case connect
    case wait
    case refuse(PostgresError)
  }

  enum Return {
    case handOver(Waiter, Connection)
    case keep
    case close
  }

  let size: Int
  let maximumWaiters: Int
  private(set) var open = 0
  private(set) var isClosed = false
  private var idle: [(connection: Connection, since: ContinuousClock.Instant)] = []
  private var waiters: Deque<(id: UInt64, waiter: Waiter)> = []

  init(size: Int, maximumWaiters: Int) {
    self.size = size
    self.maximumWaiters = maximumWaiters
  }

  var idleCount: Int { idle.count }
  var waiting: Int { waiters.count }

  /// A caller wants a connection. The most recently used one is the warmest.
  mutating func lease() -> Lease {
    if isClosed { return .refuse(PostgresError(.closed, "the connection pool is closed")) }
    if let last = idle.popLast() { return .use(last.connection, idleSince: last.since) }
    if open < size {
      open += 1
      return .connect
    }
    if waiters.count >= maximumWaiters {
      return .refuse(
        PostgresError(.poolExhausted, "\(maximumWaiters) callers already wait for a database connection"))
    }
    return .wait
  }

  mutating func enqueue(_ waiter: Waiter, id: UInt64) { waiters.append((id, waiter)) }

  /// A waiter gives up (cancelled or timed out); nil if it has been served meanwhile.
  mutating func remove(waiter id: UInt64) -> Waiter? {
    guard let index = waiters.firstIndex(where: { $0.id == id }) else { return nil }
    return waiters.remove(at: index).waiter
  }

  /// A healthy connection comes back.
  mutating func giveBack(_ connection: Connection, at now: ContinuousClock.Instant) -> Return {
    if isClosed {
      open -= 1
      return .close
    }
    if let next = waiters.popFirst() { return .handOver(next.waiter, connection) }
    idle.append((connection, now))
    return .keep
  }

  /// A connection broke or could not be made. A waiter, if any, must connect in its place.
  mutating func lost() -> Waiter? {
    open -= 1
    guard !isClosed, let next = waiters.popFirst() else { return nil }
    open += 1
    return next.waiter
  }

  mutating func close() -> (connections: [Connection], waiters: [Waiter]) {
    isClosed = true
    defer {
      open -= idle.count
      idle = []
      waiters = []
    }
    return (idle.map(\.connection), waiters.map(\.waiter))
  }
}

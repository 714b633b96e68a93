import Testing

@testable import PostgreSQL

@Suite("The pool's decisions")
struct PoolStateTests {
  private let now = ContinuousClock.now

  @Test("connections are made one by one up to the size, then callers wait, up to a bound")
  func bounds() {
    var pool = PoolState<Int, String>(size: 2, maximumWaiters: 1)
    #expect(pool.next() == "connect")
    #expect(pool.next() == "connect")
    #expect(pool.next() == "wait")
    pool.enqueue("a", id: 1)
    #expect(pool.next() == "poolExhausted")
    #expect(pool.open == 2)
  }

  @Test("the warmest connection is lent first")
  func warmest() {
    var pool = PoolState<Int, String>(size: 2, maximumWaiters: 1)
    _ = (pool.next(), pool.next())
    #expect(pool.back(1, now) == "keep")
    #expect(pool.back(2, now) == "keep")
    #expect(pool.next() == "use 2")
    #expect(pool.next() == "use 1")
  }

  @Test("a connection that comes back goes to the caller that waited longest")
  func firstInFirstOut() {
    var pool = PoolState<Int, String>(size: 1, maximumWaiters: 9)
    _ = pool.next()
    for (id, name) in ["a", "b", "c"].enumerated() { pool.enqueue(name, id: UInt64(id)) }
    #expect(pool.remove(waiter: 1) == "b")
    #expect(pool.remove(waiter: 1) == nil)
    #expect(pool.back(1, now) == "a gets 1")
    #expect(pool.back(1, now) == "c gets 1")
    #expect(pool.back(1, now) == "keep")
    #expect(pool.idleCount == 1)
  }

  @Test("a broken connection gives its place to the next in line, or back to the pool")
  func lost() {
    var pool = PoolState<Int, String>(size: 1, maximumWaiters: 9)
    _ = pool.next()
    pool.enqueue("a", id: 1)
    #expect(pool.lost() == "a")
    #expect(pool.open == 1)
    #expect(pool.lost() == nil)
    #expect(pool.open == 0)
    #expect(pool.next() == "connect")
  }

  @Test("closing gives up what is idle and who waits, and later what comes back")
  func closing() {
    var pool = PoolState<Int, String>(size: 3, maximumWaiters: 9)
    _ = (pool.next(), pool.next(), pool.next())
    _ = pool.back(1, now)
    pool.enqueue("a", id: 1)
    let (connections, waiters) = pool.close()
    #expect(connections == [1] && waiters == ["a"])
    #expect(pool.next() == "closed")
    #expect(pool.back(2, now) == "close")
    #expect(pool.lost() == nil)
    #expect(pool.open == 0)
    #expect(pool.close().connections.isEmpty)
  }
}

extension PoolState<Int, String> {
  fileprivate mutating func next() -> String {
    switch lease() {
    case .use(let connection, _): "use \(connection)"
    case .connect: "connect"
    case .wait: "wait"
    case .refuse(let error): error.kind.rawValue
    }
  }

  fileprivate mutating func back(_ connection: Int, _ now: ContinuousClock.Instant) -> String {
    switch giveBack(connection, at: now) {
    case .handOver(let waiter, let connection): "\(waiter) gets \(connection)"
    case .keep: "keep"
    case .close: "close"
    }
  }
}

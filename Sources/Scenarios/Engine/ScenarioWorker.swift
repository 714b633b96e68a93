import Dispatch
import Foundation
import Logging
import PostgreSQL
import Services
import Vocabulary

/// The other end of a ``WorkerProcess``: an `aisle` process that serves buyers out of a database.
///
/// It answers until its standard input ends, so it never outlives its runner. An answer is written, unbuffered, only
/// after what it says is committed.
public struct ScenarioWorker: Sendable {
  private let aisle: Aisle
  private let clock: SteeredClock
  private let strategy: Strategy

  public init(pool: PostgresPool, strategy: Strategy, clock start: Timestamp, logger: Logger) {
    clock = SteeredClock(start)
    aisle = Aisle(pool: pool, time: clock.source, logger: logger)
    self.strategy = strategy
  }

  public func run() async throws {
    let office = strategy.office(aisle)
    let output = OutputLines()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await aisle.run(strategy.roles) }
      group.addTask {
        try await withThrowingDiscardingTaskGroup { requests in
          try output.write(.ready)
          for await line in StandardInput.lines() {
            switch try JSONLine.decode(line, as: WorkerInput.self) {
            case .clock(let instant): clock.advance(to: instant)
            case .request(let id, let request):
              requests.addTask {
                let answer = await office.answer(request)
                try output.write(.answer(id: id, answer, conflicts: aisle.booking.metrics.counts.conflicts))
              }
            }
          }
        }
      }
      // The input ends first, or something fails.
      try await group.next()
      group.cancelAll()
    }
  }
}

/// Writes on a queue of its own: a full pipe must not block a thread of the cooperative pool.
private struct OutputLines: Sendable {
  private let queue = DispatchQueue(label: "aisle.scenario-worker.output")

  func write(_ message: WorkerOutput) throws {
    let line = Data(try JSONLine.encode(message).utf8)
    queue.async { FileHandle.standardOutput.write(line) }
  }
}

private enum StandardInput {
  /// Read by a thread of its own. The buffer is as long as what the runner has under way, one request for each buyer
  /// who acts at the same moment.
  static func lines() -> AsyncStream<String> {
    AsyncStream { continuation in
      let thread = Thread {
        while let line = readLine() { continuation.yield(line) }
        continuation.finish()
      }
      thread.name = "aisle-input"
      thread.start()
    }
  }
}

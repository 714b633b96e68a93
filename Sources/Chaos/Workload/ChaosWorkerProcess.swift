import Foundation
import Logging

/// The other end of a worker process: told by lines on standard input, it answers with lines on standard output.
///
/// `ready` when it has begun; after `drain` it writes `drained` when its operations have ended. It ends with its
/// standard input, so it never outlives the run.
public struct ChaosWorkerProcess: Sendable {
  private let worker: ChaosWorker

  public init(_ worker: ChaosWorker) { self.worker = worker }

  public func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await worker.run { Self.say("drained") } }
      group.addTask {
        Self.say("ready")
        for await line in Self.lines() where line == "drain" { worker.drain() }
      }
      // The input ends first, or something fails.
      try await group.next()
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private static func say(_ word: String) {
    // A few bytes into a pipe that is read all the time.
    try? FileHandle.standardOutput.write(contentsOf: Data("\(word)\n".utf8))
  }

  /// Read by a thread of its own: waiting for input blocks.
  private static func lines() -> AsyncStream<String> {
    AsyncStream(bufferingPolicy: .bufferingNewest(16)) { continuation in
      let thread = Thread {
        while let line = readLine() { continuation.yield(line) }
        continuation.finish()
      }
      thread.name = "aisle-input"
      thread.start()
    }
  }
}

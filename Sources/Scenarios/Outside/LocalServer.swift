import Foundation
import Hummingbird
import Logging
import ServiceLifecycle

/// A server on a port of this machine that the system chooses, for as long as `body` runs.
enum LocalServer {
  static func run<T: Sendable>(
    logger: Logger, _ make: (@escaping @Sendable (Int?) -> Void) -> any Service,
    _ body: @escaping @Sendable (_ port: Int) async throws -> T
  ) async throws -> T {
    let (ports, listening) = AsyncStream.makeStream(of: Int?.self, bufferingPolicy: .bufferingNewest(1))
    let service = make { listening.yield($0) }
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
        ], logger: logger))
    return try await withThrowingTaskGroup(of: T?.self) { tasks in
      tasks.addTask {
        defer { listening.finish() }
        try await group.run()
        return nil
      }
      tasks.addTask {
        defer { Task { await group.triggerGracefulShutdown() } }
        for await port in ports {
          guard let port else { break }
          return try await body(port)
        }
        throw ScenarioRunError("the scenario's server did not start")
      }
      var value: T?
      // Unlike `waitForAll()` this stops at the first failure, which then cancels the others.
      for try await result in tasks { value = result ?? value }
      guard let value else { throw ScenarioRunError("the scenario's server ended before the run") }
      return value
    }
  }
}

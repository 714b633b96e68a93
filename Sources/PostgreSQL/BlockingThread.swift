import Glibc

/// Threads of our own for calls that block, so that Swift's cooperative pool never does.
enum BlockingThread {
  /// Runs `body` on a detached thread. Throws when the system has no thread left; then `body` never runs.
  static func start(_ body: @escaping @Sendable () -> Void) throws(PostgresError) {
    let box = Unmanaged.passRetained(Body(run: body))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        body.run()
        return nil
      }, box.toOpaque())
    guard status == 0 else {
      box.release()
      throw PostgresError(.client, "could not start a thread: \(String(cString: strerror(status)))")
    }
    pthread_detach(thread)
  }

  /// Runs one blocking call (a name look-up, a TLS handshake) on a thread of its own.
  static func run<T: Sendable>(_ call: @escaping @Sendable () -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      do {
        try start { continuation.resume(returning: call()) }
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) {
      self.run = run
    }
  }
}

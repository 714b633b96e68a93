import Glibc

/// Threads of our own for calls that block, so that Swift's cooperative pool never does.
enum BlockingThread {
  /// Runs `body` on a detached thread.
  static func start(_ body: @escaping @Sendable () -> Void) {
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
    if status == 0 {
      pthread_detach(thread)
    } else {
      // Out of threads: the work still happens, on the caller's thread, rather than never.
      box.takeRetainedValue().run()
    }
  }

  /// Runs one blocking call (a name look-up, a TLS handshake, `PQcancel`) on a thread of its own.
  static func run<T: Sendable>(_ call: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
      start { continuation.resume(returning: call()) }
    }
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) {
      self.run = run
    }
  }
}

/// Whether events are being handled a second time, to rebuild a projection.
///
/// While they are, nothing may happen but the projection's own writes: ``EventStore`` refuses to append. A projection
/// that also appends asks ``isActive`` and leaves that out.
public enum Replay {
  public static var isActive: Bool { flag }

  @TaskLocal private static var flag = false

  static func run<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    try await $flag.withValue(true) { try await body() }
  }

  static let refusal =
    "events are being replayed to rebuild a projection, and nothing may be appended meanwhile"
}

/// What a writer believes about a stream. If it is wrong, the append is refused as a conflict.
public enum ExpectedVersion: Hashable, Sendable {
  /// Whatever the stream is now.
  case any
  /// The stream has no events yet.
  case noStream
  /// The stream has at least one event.
  case streamExists
  /// The stream's last event has exactly this version; 0 means the same as ``noStream``.
  case version(Int64)

  var wireValue: Int64 {
    switch self {
    case .any: -1
    case .noStream: 0
    case .streamExists: -2
    case .version(let version): version
    }
  }
}

/// How far an export is.
public struct LakeProgress: Sendable, Hashable {
  /// Events written in this run.
  public let eventsDone: Int64
  /// Events that this run has to write: the log's head minus where the lake ended.
  public let eventsTotal: Int64
  /// The position of the last event written.
  public let position: Int64
  public let uncompressedBytes: Int64
  public let elapsed: Duration

  public var eventsPerSecond: Double {
    let seconds = elapsed / .seconds(1)
    return seconds > 0 ? Double(eventsDone) / seconds : 0
  }

  /// At the average rate so far; nil before the first event.
  public var remaining: Duration? {
    eventsDone > 0 ? elapsed * (Double(eventsTotal - eventsDone) / Double(eventsDone)) : nil
  }
}

/// What one export did.
public struct LakeExportSummary: Sendable, Hashable, Codable {
  /// Where the lake ended before; 0 for a new one.
  public var startPosition: Int64
  /// Where it ends now.
  public var lastPosition: Int64
  public var entries: Int
  public var files: Int
  /// Committed by this export; one that shares the lake may find others' events between its own.
  public var events: Int64
  public var uncompressedBytes: Int64
  public var compressedBytes: Int64
  public var seconds: Double

  enum CodingKeys: String, CodingKey {
    case entries, files, events, seconds
    case startPosition = "start_position"
    case lastPosition = "last_position"
    case uncompressedBytes = "uncompressed_bytes"
    case compressedBytes = "compressed_bytes"
  }
}

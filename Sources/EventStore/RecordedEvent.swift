import Foundation
import Vocabulary

/// An event as it stands in the log.
public struct RecordedEvent: Sendable, Identifiable {
  public let id: UUID
  public let stream: StreamName
  /// 1, 2, 3 … within the stream.
  public let version: Int64
  public let position: Position
  public let type: String
  public let schemaVersion: Int16
  public let recordedAt: Timestamp
  public let tags: [String]
  public let metadata: EventMetadata
  /// The payload: one JSON document in UTF-8, without line breaks.
  public let data: [UInt8]

  public init(
    id: UUID, stream: StreamName, version: Int64, position: Position, type: String, schemaVersion: Int16 = 1,
    recordedAt: Timestamp, tags: [String] = [], metadata: EventMetadata = EventMetadata(), data: [UInt8]
  ) {
    self.id = id
    self.stream = stream
    self.version = version
    self.position = position
    self.type = type
    self.schemaVersion = schemaVersion
    self.recordedAt = recordedAt
    self.tags = tags
    self.metadata = metadata
    self.data = data
  }
}

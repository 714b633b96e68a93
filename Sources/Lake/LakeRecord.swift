import Vocabulary

import struct Foundation.UUID

/// One event as the lake keeps it: the envelope as fields, the payload as the JSON text that was recorded.
public struct LakeRecord: Sendable, Hashable {
  /// 1, 2, 3… without gaps in one tenant's log.
  public let position: Int64
  /// `<category>-<id>`.
  public let stream: String
  public let category: String
  /// 1 for the first event of the stream.
  public let version: Int64
  public let id: UUID
  public let type: String
  public let schemaVersion: Int16
  public let recordedAt: Timestamp
  public let actor: String?
  public let correlationID: UUID?
  public let causationID: UUID?
  public let traceparent: String?
  /// UTF-8 JSON, always an object.
  public let data: [UInt8]

  public init(
    position: Int64, stream: String, category: String, version: Int64, id: UUID, type: String,
    schemaVersion: Int16 = 1, recordedAt: Timestamp, actor: String? = nil, correlationID: UUID? = nil,
    causationID: UUID? = nil, traceparent: String? = nil, data: [UInt8]
  ) {
    self.position = position
    self.stream = stream
    self.category = category
    self.version = version
    self.id = id
    self.type = type
    self.schemaVersion = schemaVersion
    self.recordedAt = recordedAt
    self.actor = actor
    self.correlationID = correlationID
    self.causationID = causationID
    self.traceparent = traceparent
    self.data = data
  }
}

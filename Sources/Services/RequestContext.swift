import EventStore
import Foundation

/// Who asks, and which request it belongs to; it ends up in the metadata of every event that follows.
public struct RequestContext: Sendable {
  public var actor: String?
  public var correlationID: UUID
  public var traceparent: String?

  public init(actor: String? = nil, correlationID: UUID = .timeOrdered(), traceparent: String? = nil) {
    self.actor = actor
    self.correlationID = correlationID
    self.traceparent = traceparent
  }

  public func metadata(causedBy causation: UUID? = nil) -> EventMetadata {
    EventMetadata(
      actor: actor, correlationID: correlationID, causationID: causation, traceparent: traceparent)
  }
}

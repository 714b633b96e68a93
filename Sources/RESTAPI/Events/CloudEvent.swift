import EventStore
import Foundation
import Vocabulary

/// An event of the log as CloudEvents 1.0 JSON, with the log's own attributes as extensions.
enum CloudEvent {
  static func json(of event: RecordedEvent, tenant: TenantID) throws -> [UInt8] {
    var json = try PayloadEncoder().encode(Attributes(event, tenant: tenant))
    // The payload is JSON already and goes in as it is.
    json.removeLast()
    json += Array(",\"data\":".utf8) + event.data + [UInt8(ascii: "}")]
    return json
  }

  private struct Attributes: Encodable {
    let specversion = "1.0"
    let datacontenttype = "application/json"
    let id: String
    let source: String
    let type: String
    /// The stream.
    let subject: String
    let time: Timestamp
    let position: Position
    /// Version of the stream.
    let version: Int64
    let schemaversion: Int16
    let actor: String?
    let correlationid: String?
    let causationid: String?
    let traceparent: String?

    init(_ event: RecordedEvent, tenant: TenantID) {
      id = event.id.uuidString.lowercased()
      source = "urn:aisle:tenant:\(tenant.rawValue)"
      type = event.type
      subject = event.stream.description
      time = event.recordedAt
      position = event.position
      version = event.version
      schemaversion = event.schemaVersion
      actor = event.metadata.actor
      correlationid = event.metadata.correlationID?.uuidString.lowercased()
      causationid = event.metadata.causationID?.uuidString.lowercased()
      traceparent = event.metadata.traceparent
    }
  }
}

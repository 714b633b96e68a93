import Foundation
import Vocabulary

extension NewEvent {
  /// A domain event as the store wants it.
  public init<Event: DomainEvent>(
    _ event: Event, id: UUID = .timeOrdered(), tags: [String] = [],
    metadata: EventMetadata = EventMetadata()
  ) throws {
    let data = try PayloadEncoder().encode(Payload(event: event))
    self.init(
      id: id, type: event.type, schemaVersion: Event.schemaVersion(of: event.type), data: data, tags: tags,
      metadata: metadata, personal: event.personalFields.filter { $0.subject.name != forgottenText })
  }
}

extension RecordedEvent {
  /// The domain event that was stored. Its type name says which payload to expect.
  ///
  /// - Throws: `UnreadableSchemaVersion` for another version than the module's: a payload that merely happens to fit
  ///   would be misread.
  public func decode<Event: DomainEvent>(as _: Event.Type = Event.self) throws -> Event {
    let known = Event.schemaVersion(of: type)
    guard schemaVersion == known else {
      throw UnreadableSchemaVersion(type: type, found: schemaVersion, known: known)
    }
    return try JSONDecoder().decode(Recorded<Event>.self, from: Data(data), configuration: type).event
  }
}

private struct Payload<Event: DomainEvent>: Encodable {
  let event: Event
  func encode(to encoder: any Encoder) throws { try event.encode(to: encoder) }
}

private struct Recorded<Event: DomainEvent>: DecodableWithConfiguration {
  let event: Event
  init(from decoder: any Decoder, configuration type: String) throws {
    event = try Event(type: type, from: decoder)
  }
}

import Foundation
import Testing
import Vocabulary

/// JSON with sorted keys, so that it can be compared as text.
func json(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

func decode<Value: Decodable>(_: Value.Type, from text: String) throws -> Value {
  try JSONDecoder().decode(Value.self, from: Data(text.utf8))
}

func decode<Event: DomainEvent>(_: Event.Type, type: String, from text: String) throws -> Event {
  let decoder = JSONDecoder()
  decoder.userInfo[.eventType] = type
  return try decoder.decode(EventPayload<Event>.self, from: Data(text.utf8)).event
}

/// The event is written exactly as `expected` under the name `type`, and read back as it was.
func expectPayload<Event: DomainEvent & Equatable>(
  _ event: Event, isNamed type: String, andReads expected: String,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  #expect(event.type == type, sourceLocation: sourceLocation)
  #expect(try json(EventPayload(event)) == expected, sourceLocation: sourceLocation)
  #expect(try decode(Event.self, type: type, from: expected) == event, sourceLocation: sourceLocation)
}

/// Decoding fails with a message that contains `words`.
func expectRefusal<Value: Decodable>(
  of text: String, as type: Value.Type, saying words: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  do {
    let value = try decode(type, from: text)
    Issue.record("read as \(value)", sourceLocation: sourceLocation)
  } catch DecodingError.dataCorrupted(let context) {
    #expect(context.debugDescription.contains(words), sourceLocation: sourceLocation)
  } catch {
    Issue.record("another error: \(error)", sourceLocation: sourceLocation)
  }
}

import Foundation
import PostgreSQL

extension EventStore {
  /// Events as readers get them: personal data opened, in their present shape.
  func present(
    _ events: [RecordedEvent], on connection: PostgresConnection? = nil
  ) async throws -> [RecordedEvent] {
    let opened = try await vault.open(events, on: connection)
    return upcasters.isEmpty ? opened : try opened.map(upcasters.present)
  }

  /// In their present shape, personal data as it is stored.
  func presentSealed(_ events: [RecordedEvent]) throws -> [RecordedEvent] {
    upcasters.isEmpty ? events : try events.map(presentSealed)
  }

  /// An upcaster takes a text where the person's data is; it gets one that stands for the sealed field, which takes
  /// its place again wherever the upcaster has put it.
  private func presentSealed(_ event: RecordedEvent) throws -> RecordedEvent {
    let stored = EventSchema(event.type, event.schemaVersion)
    guard upcasters.present(stored) != stored, event.data.maySealSomething,
      let fields = PayloadFields(event.data)
    else { return try upcasters.present(event) }
    let sealed = fields.values.values.filter { SealedField(event.data[$0]) != nil }
    let tokens = sealed.map { range in (range: range, value: Array("\"\(UUID().uuidString)\"".utf8)) }
    let shaped = try upcasters.present(event.reshaped(as: stored, event.data.replacing(tokens)))
    var data = shaped.data
    for (range, token) in tokens {
      while let place = data.firstRange(of: token) { data.replaceSubrange(place, with: event.data[range]) }
    }
    return shaped.reshaped(as: EventSchema(shaped.type, shaped.schemaVersion), data)
  }
}

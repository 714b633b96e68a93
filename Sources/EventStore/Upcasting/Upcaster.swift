import Foundation

/// What a payload's shape goes by: the type's name and the version of its schema.
public struct EventSchema: Hashable, Sendable, CustomStringConvertible {
  public let type: String
  public let version: Int16

  public init(_ type: String, _ version: Int16) {
    self.type = type
    self.version = version
  }

  public var description: String { "\(type) version \(version)" }

  /// As the reading statements compare it.
  var key: String { "\(type)@\(version)" }
}

/// One step of a type's history: turns a payload of one schema into one of the next. The log keeps what was written;
/// who reads gets the newest shape.
///
/// The function must be pure: the same payload gives the same result every time, and nothing else is looked at.
/// Where personal data stands in the payload it may be moved to another field, but not looked into: after somebody
/// was forgotten, and in an exported file, it is something else.
public struct Upcaster: Sendable {
  public let from: EventSchema
  public let to: EventSchema
  let upcast: @Sendable (_ payload: [UInt8]) throws -> [UInt8]

  /// - Parameter upcast: takes and returns one JSON object in UTF-8.
  public init(
    from: EventSchema, to: EventSchema, _ upcast: @escaping @Sendable (_ payload: [UInt8]) throws -> [UInt8]
  ) {
    self.from = from
    self.to = to
    self.upcast = upcast
  }

  /// A step between two shapes that are written down as types.
  public init<Old: Decodable & Sendable, New: Encodable & Sendable>(
    from: EventSchema, to: EventSchema, _ upcast: @escaping @Sendable (Old) throws -> New
  ) {
    self.init(from: from, to: to) { payload in
      let old = try JSONDecoder().decode(Old.self, from: Data(payload))
      return Array(try JSONEncoder().encode(upcast(old)))
    }
  }

  /// A step that only renames the type; the payload stays as it is.
  public static func renaming(_ from: EventSchema, to: EventSchema) -> Upcaster {
    Upcaster(from: from, to: to) { (payload: [UInt8]) in payload }
  }
}

/// A stored event could not be brought into its present shape. Nothing is passed over: the reader stops here.
public struct UpcastFailed: Error, Sendable, CustomStringConvertible {
  public let eventID: UUID
  public let position: Position
  /// What was stored.
  public let stored: EventSchema
  /// The step that failed.
  public let step: EventSchema
  public let reason: String

  public var description: String {
    "event \(eventID.uuidString.lowercased()) at position \(position), stored as \(stored), cannot be read: its upcaster "
      + "from \(step) failed: \(reason). Correct the upcaster; the event stays as it is"
  }
}

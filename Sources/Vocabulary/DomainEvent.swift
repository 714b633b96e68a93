/// A fact of one domain module: what the event store keeps as `type` and JSON payload.
///
/// The payload carries no discriminator; the type travels beside it. ``EventPayload`` joins the two for
/// `Codable` encoders and decoders.
public protocol DomainEvent: Sendable {
  /// The first part of the stream's name, such as `show` in `show-lear`.
  static var category: String { get }

  /// The stable name of this kind of fact, such as `seats-held`.
  var type: String { get }

  /// The version in which payloads of a kind of fact are written and read; 1 if the module does not say. It grows
  /// when the payload changes so that older readers would misread it.
  static func schemaVersion(of type: String) -> Int16

  /// The fields of the payload that are about a person. Their values are kept apart from everything else about the
  /// event, so that a person can be forgotten; none if the module does not say.
  var personalFields: [PersonalField] { get }

  /// Writes the payload only.
  func encode(to encoder: any Encoder) throws

  /// Reads the payload of a fact of kind `type`.
  ///
  /// - Throws: ``UnknownEventType`` for a type that the module does not know, otherwise `DecodingError`.
  init(type: String, from decoder: any Decoder) throws
}

extension DomainEvent {
  public static func schemaVersion(of type: String) -> Int16 { 1 }
  public var personalFields: [PersonalField] { [] }
}

/// The log holds an event in a version of its schema that this program cannot read.
public struct UnreadableSchemaVersion: Error, Sendable, Hashable, CustomStringConvertible {
  public let type: String
  /// As read from the log, after every upcaster.
  public let found: Int16
  /// The one that this program reads.
  public let known: Int16

  public init(type: String, found: Int16, known: Int16) {
    self.type = type
    self.found = found
    self.known = known
  }

  public var description: String {
    found > known
      ? "an event \(type) has schema version \(found), and this program knows versions up to \(known); run the newer "
        + "version that wrote it"
      : "an event \(type) has schema version \(found), this program reads version \(known), and no upcaster leads from "
        + "the one to the other; register it"
  }
}

/// The log holds an event that this program is too old, or too new, to understand.
public struct UnknownEventType: Error, Sendable, Hashable, CustomStringConvertible {
  public let type: String
  public let category: String

  public init(type: String, category: String) {
    self.type = type
    self.category = category
  }

  public var description: String {
    "The category \(category) has no event type \(type) in this version; run a version that knows it"
  }
}

/// An event as a `Codable` value, so that any encoder can write its payload and any decoder can read it.
///
/// ```swift
/// let json = try JSONEncoder().encode(EventPayload(event))
/// decoder.userInfo[.eventType] = "seats-held"
/// let event = try decoder.decode(EventPayload<Booking.Event>.self, from: json).event
/// ```
public struct EventPayload<Event: DomainEvent>: Codable, Sendable {
  public let event: Event

  public init(_ event: Event) {
    self.event = event
  }

  public init(from decoder: any Decoder) throws {
    guard let type = decoder.userInfo[.eventType] as? String else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "Set userInfo[.eventType] to the event's type before decoding its payload"))
    }
    event = try Event(type: type, from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    try event.encode(to: encoder)
  }
}

extension CodingUserInfoKey {
  /// Tells ``EventPayload`` which kind of event it reads.
  // The initialiser fails for no raw value; it is failable for the sake of `RawRepresentable` only.
  public static let eventType = CodingUserInfoKey(rawValue: "aisle.event-type")!
}

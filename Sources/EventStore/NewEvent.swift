import Foundation
import Vocabulary

/// An event that is to be appended.
public struct NewEvent: Sendable {
  /// The key of idempotence: appending the same id again is answered with the original positions.
  public let id: UUID
  /// Name of the fact in the past tense, such as `seats-held`.
  public let type: String
  /// Version of the payload's schema for this type.
  public let schemaVersion: Int16
  /// The payload: one JSON document in UTF-8.
  public let data: [UInt8]
  /// What the event concerns, such as `seat:A-1`: for reading, subscribing, and ``AppendCondition``.
  public let tags: [String]
  public let metadata: EventMetadata
  /// Fields of the payload that are stored under the key of the person they are about.
  public let personal: [PersonalField]

  public init(
    id: UUID = .timeOrdered(), type: String, schemaVersion: Int16 = 1, data: [UInt8], tags: [String] = [],
    metadata: EventMetadata = EventMetadata(), personal: [PersonalField] = []
  ) {
    self.id = id
    self.type = type
    self.schemaVersion = schemaVersion
    self.data = data
    self.tags = tags
    self.metadata = metadata
    self.personal = personal
  }

  /// As it is sent.
  func sealed(_ data: [UInt8]) -> NewEvent {
    NewEvent(id: id, type: type, schemaVersion: schemaVersion, data: data, tags: tags, metadata: metadata)
  }
}

extension NewEvent {
  static let maximumBytes = 16 << 20
  static let maximumTags = 20

  /// About what it takes in memory and in a message to the database.
  var byteCount: Int {
    200 + data.count + (metadata.actor?.utf8.count ?? 0) + (metadata.traceparent?.utf8.count ?? 0)
      + tags.reduce(0) { $0 + $1.utf8.count }
  }

  func validate() throws(AppendError) {
    if type.isEmpty || type.utf8.count > 200 || type.utf8.contains(0) {
      throw .invalid("an event type has 1 to 200 bytes and no NUL")
    }
    if data.count > Self.maximumBytes {
      throw .invalid("event \(type) has \(data.count) bytes, more than \(Self.maximumBytes)")
    }
    for (name, text) in [("actor", metadata.actor), ("traceparent", metadata.traceparent)] {
      if let text, text.utf8.count > 1000 || text.utf8.contains(0) {
        throw .invalid("the \(name) of event \(type) has more than 1,000 bytes, or a NUL")
      }
    }
    if tags.isEmpty { return }
    if tags.count > Self.maximumTags {
      throw .invalid("event \(type) has \(tags.count) tags, more than \(Self.maximumTags)")
    }
    for tag in tags { try Self.validate(tag: tag) }
    if Set(tags.map { Array($0.utf8) }).count < tags.count {
      throw .invalid("a tag of event \(type) appears twice")
    }
  }

  static func validate(tag: String) throws(AppendError) {
    if tag.isEmpty || tag.utf8.count > 200 || tag.utf8.contains(0) {
      throw .invalid("a tag has 1 to 200 bytes and no NUL")
    }
  }
}

/// Where an event comes from.
public struct EventMetadata: Hashable, Sendable {
  /// Who did it: the name of a part of the system. It is stored in the clear, so it must not name a person.
  public var actor: String?
  /// The business transaction that it belongs to.
  public var correlationID: UUID?
  /// The event or command that caused it.
  public var causationID: UUID?
  /// W3C trace context of the request.
  public var traceparent: String?

  public init(
    actor: String? = nil, correlationID: UUID? = nil, causationID: UUID? = nil, traceparent: String? = nil
  ) {
    self.actor = actor
    self.correlationID = correlationID
    self.causationID = causationID
    self.traceparent = traceparent
  }
}

extension UUID {
  /// A version 7 UUID (RFC 9562): 48 bits of Unix milliseconds, then random. New ids enter the id index at its
  /// right edge, which keeps that index small in memory.
  public static func timeOrdered() -> UUID {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let milliseconds = UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    // One call of the kernel; the standard library opens, reads and closes a file for each number.
    var random: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &random) { bytes in
      if getentropy(bytes.baseAddress, bytes.count) != 0 {
        bytes.storeBytes(of: (.random(in: 0 ... .max), .random(in: 0 ... .max)), as: (UInt64, UInt64).self)
      }
    }
    let (high, low) = random
    func time(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: milliseconds >> shift) }
    func byte(_ word: UInt64, _ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> shift) }
    return UUID(
      uuid: (
        time(40), time(32), time(24), time(16), time(8), time(0),
        0x70 | byte(high, 0) & 0x0F, byte(high, 8), 0x80 | byte(low, 0) & 0x3F, byte(low, 8), byte(low, 16),
        byte(low, 24), byte(low, 32), byte(low, 40), byte(low, 48), byte(low, 56)
      ))
  }
}

import Foundation
import PostgreSQL
import Vocabulary

/// The fact that somebody was forgotten, without saying who: in the stream `subject-<key id>`.
public struct SubjectForgotten: DomainEvent, Codable, Hashable {
  public static let category = "subject"

  /// What stood for the person.
  public let keyID: UUID
  public let kind: String
  public let forgottenAt: Timestamp

  public init(keyID: UUID, kind: String, forgottenAt: Timestamp) {
    self.keyID = keyID
    self.kind = kind
    self.forgottenAt = forgottenAt
  }

  private enum CodingKeys: String, CodingKey {
    case keyID = "key_id"
    case kind
    case forgottenAt = "forgotten_at"
  }

  public var type: String { "subject-forgotten" }

  public init(type: String, from decoder: any Decoder) throws {
    guard type == "subject-forgotten" else { throw UnknownEventType(type: type, category: Self.category) }
    try self.init(from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(keyID.uuidString.lowercased(), forKey: .keyID)
    try container.encode(kind, forKey: .kind)
    try container.encode(forgottenAt, forKey: .forgottenAt)
  }
}

extension EventStore {
  /// Deletes somebody's key and records that, in the caller's transaction, as its last step: from here to the commit
  /// the caller holds the log's lock. After the commit nobody reads the person's data again: other processes hear of
  /// it by `NOTIFY`, and within ``SubjectVault/longestIgnorance`` if they do not listen.
  ///
  /// - Parameter scrub: removes the person's data from derived tables. Whoever was deriving is waited for before.
  /// - Returns: nil if the log holds nothing of this person.
  public func forget(
    _ subject: DataSubject, at now: Timestamp, metadata: EventMetadata, on connection: PostgresConnection,
    scrub: () async throws -> Void
  ) async throws -> (keyID: UUID, position: Position)? {
    guard let id = try await vault.keys.delete(subject, on: connection) else { return nil }
    // Which of them know the name cannot be told; they are taken anew.
    try await connection.execute("delete from aisle.snapshots where tenant = \(tenant.rawValue)")
    try await scrub()
    try await connection.query("select pg_notify(\(SubjectVault.channel), \("\(tenant.rawValue)"))")
    let fact = SubjectForgotten(keyID: id, kind: subject.kind, forgottenAt: now)
    let event = NewEvent(type: fact.type, data: Array(try JSONEncoder().encode(fact)), metadata: metadata)
    let stream = StreamName(category: SubjectForgotten.category, id: id.uuidString.lowercased())
    let outcomes = try await append(
      [[StreamAppend(stream, expecting: .noStream, [event])]], inTransactionOf: connection)
    guard let receipt = outcomes.first?.receipt else {
      throw PostgresError(.server, "the stream \(stream) exists although its key did as well")
    }
    return (id, receipt.position)
  }

  /// Puts personal data of stored events under the keys of the people they are about, in the caller's transaction,
  /// which must be the owner's.
  public func sealStored(
    _ events: [(event: RecordedEvent, personal: [PersonalField])], on connection: PostgresConnection
  ) async throws {
    let new = events.map { event, personal in
      NewEvent(
        id: event.id, type: event.type, schemaVersion: event.schemaVersion, data: event.data,
        personal: personal.filter { $0.subject.name != forgottenText })
    }
    let stream = StreamName(category: SubjectForgotten.category, id: "sealed")
    let sealed = try await vault.seal([StreamAppend(stream, expecting: .any, new)], on: connection)
    let payloads = sealed.flatMap(\.events).map { JSONB($0.data) }
    try await connection.execute(
      """
      update aisle.events e
      set data = u.data
      from unnest(\(events.map(\.event.position.rawValue)), \(payloads)) u (position, data)
      where e.tenant = \(tenant.rawValue) and e.position = u.position
      """)
  }

  /// Everything that the log holds under somebody's key, opened. It reads the whole log.
  public func events(of subject: DataSubject) async throws -> [RecordedEvent] {
    guard let key = try await pool.withConnection({ try await vault.keys.find(subject, on: $0) }) else {
      return []
    }
    let pattern = "%\(key.id.uuidString.lowercased())%"
    let rows = try await pool.transaction { connection in
      try await connection.liftStatementTimeout()
      return try await connection.query(
        """
        select position
        from aisle.events
        where tenant = \(tenant.rawValue) and data::text like \(pattern) and category <> \(SubjectForgotten.category)
        order by position
        """)
    }
    return try await read(at: rows.map { Position(try $0.decode(Int64.self)) })
  }
}

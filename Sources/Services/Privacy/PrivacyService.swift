import EventStore
import Foundation
import PostgreSQL
import Vocabulary

/// What the system holds about a person, and how it forgets it.
///
/// The log keeps personal data under a key for each person; forgetting deletes the key, in one transaction with the
/// names in the read models and with the fact `subject-forgotten`. Sums, seats and bills do not depend on names and
/// stay as they are.
public struct PrivacyService: Sendable {
  let store: EventStore
  let time: TimeSource

  public init(store: EventStore, time: TimeSource = .system) {
    self.store = store
    self.time = time
  }

  /// The kinds of people that the services' events are about.
  public static let kinds = ["buyer", "account"]

  /// Somebody was forgotten.
  public struct Receipt: Sendable {
    /// What stood for the person; nobody can find the person by it.
    public let keyID: UUID
    /// Of `subject-forgotten`.
    public let position: Position
  }

  /// Somebody whom the log holds data about; the name is not kept anywhere but in that data.
  public struct Entry: Sendable {
    public let keyID: UUID
    public let kind: String
    public let since: Timestamp
  }

  /// Deletes the key of somebody's data.
  ///
  /// - Throws: `notFound` if there is none, and `invalid` if the log has events about the person that were stored
  ///   before data was sealed: deleting a key would not make them unreadable.
  public func forget(
    _ subject: DataSubject, _ context: RequestContext = RequestContext(actor: "privacy")
  ) async throws(ServiceError) -> Receipt {
    try validate(subject)
    let receipt: Receipt?
    do {
      let clear = try await eventsInTheClear(about: subject)
      guard clear == 0 else {
        throw ServiceError.invalid(
          "\(clear) events about this \(subject.kind) were stored by a release that did not seal personal data. Nothing "
            + "was forgotten. As the owner of the database run first: aisle privacy seal-log")
      }
      receipt = try await store.pool.transaction { connection in
        // Finding a name in the read models takes a look at every row.
        try await connection.liftStatementTimeout()
        let forgotten = try await store.forget(
          subject, at: time.now, metadata: context.metadata(), on: connection,
          scrub: { try await scrub(subject, on: connection) })
        return forgotten.map { Receipt(keyID: $0.keyID, position: $0.position) }
      }
    } catch let error as PostgresError where error.isConnectionLost {
      store.vault.doubt()
      throw .outcomeUnknown("the connection was lost while forgetting: \(error). Asking again is safe")
    } catch {
      throw ServiceError(reading: error)
    }
    store.vault.doubt()
    guard let receipt else { throw .notFound(kind: subject.kind, id: subject.name) }
    return receipt
  }

  /// Everything that the log holds about somebody, opened, in its order. It reads the whole log.
  public func export(_ subject: DataSubject) async throws(ServiceError) -> [RecordedEvent] {
    try validate(subject)
    let events: [RecordedEvent]
    do {
      events = try await store.events(of: subject)
    } catch {
      throw ServiceError(reading: error)
    }
    if events.isEmpty { throw .notFound(kind: subject.kind, id: subject.name) }
    return events
  }

  /// Whom the log holds data about, the latest first.
  public func list(limit: Int = 1000) async throws(ServiceError) -> [Entry] {
    do {
      return try await store.pool.query(
        """
        select key_id, kind, created_at
        from aisle.subject_keys
        where tenant = \(store.tenant.rawValue)
        order by created_at desc, key_id
        limit \(limit)
        """
      ).map { row in
        let (id, kind, since) = try row.decode(UUID.self, String.self, Timestamp.self)
        return Entry(keyID: id, kind: kind, since: since)
      }
    } catch {
      throw ServiceError(reading: error)
    }
  }

  private func validate(_ subject: DataSubject) throws(ServiceError) {
    guard Self.kinds.contains(subject.kind), !subject.name.isEmpty, subject.name != forgottenText else {
      throw .invalid("\(subject) is nobody; use \(Self.kinds.map { "\($0):NAME" }.joined(separator: " or "))")
    }
  }

  /// Also what a rebuild of the read models would give: a sealed field without its key reads as this text.
  private func scrub(_ subject: DataSubject, on connection: PostgresConnection) async throws {
    guard subject.kind == "buyer" else { return }
    let tenant = store.tenant.rawValue
    try await connection.execute(
      "update aisle.holds set buyer = \(forgottenText) where tenant = \(tenant) and buyer = \(subject.name)")
    try await connection.execute(
      """
      update aisle.orders
      set buyer = \(forgottenText), payment_method = \(forgottenText)
      where tenant = \(tenant) and buyer = \(subject.name)
      """)
  }

  private func eventsInTheClear(about subject: DataSubject) async throws -> Int {
    let key = try await store.keyID(of: subject)?.uuidString.lowercased()
    return try await store.pool.transaction { connection in
      try await connection.liftStatementTimeout()
      let rows =
        subject.kind == "buyer"
        ? try await connection.query(
          """
          select count(*)
          from aisle.events
          where tenant = \(store.tenant.rawValue) and category in ('show', 'order')
            and (data ->> 'buyer' = \(subject.name)
                 or (type = 'order-placed' and jsonb_typeof(data -> 'payment_method') = 'string'
                     and data #>> '{buyer,$sealed,key}' = \(key as String?)))
          """)
        : try await connection.query(
          """
          select count(*)
          from aisle.events
          where tenant = \(store.tenant.rawValue) and category = 'account' and type = 'account-opened'
            and data ->> 'account_id' = \(subject.name) and jsonb_typeof(data -> 'name') = 'string'
            and data ->> 'name' <> \(forgottenText)
          """)
      return try rows.first?.decode(Int.self) ?? 0
    }
  }
}

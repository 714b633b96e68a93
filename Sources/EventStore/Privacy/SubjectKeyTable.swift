import Crypto
import Foundation
import PostgreSQL
import Synchronization
import Vocabulary

/// The statements on `aisle.subject_keys`.
final class SubjectKeyTable: Sendable {
  private let pool: PostgresPool
  private let tenant: TenantID
  /// Nothing is written under it unless the database still has the same.
  private let knownSecret = Mutex<SymmetricKey?>(nil)

  init(pool: PostgresPool, tenant: TenantID) {
    self.pool = pool
    self.tenant = tenant
  }

  /// The keys of some people; who has none gets one. When this returns outside of a transaction, they are on disk.
  ///
  /// One statement, unless somebody else makes the same keys at the same time.
  func make(
    _ subjects: Set<DataSubject>, on connection: PostgresConnection
  ) async throws -> [DataSubject: SubjectKey] {
    while true {
      let secret =
        if let known = knownSecret.withLock({ $0 }) { known } else { try await secret(on: connection) }
      let hashes = Dictionary(uniqueKeysWithValues: subjects.map { (Self.hash($0, secret), $0) })
      var keys = try await make(hashes, under: secret, on: connection)
      if keys.count == subjects.count { return keys }
      guard try await self.secret(on: connection) == secret else { continue }
      keys.merge(try await read(hashes.filter { keys[$0.value] == nil }, on: connection)) { $1 }
      if keys.count == subjects.count { return keys }
    }
  }

  /// What there is and what could be made.
  private func make(
    _ hashes: [[UInt8]: DataSubject], under secret: SymmetricKey, on connection: PostgresConnection
  ) async throws -> [DataSubject: SubjectKey] {
    // In one order, so that two processes that make the same keys do not wait for each other in a circle.
    let people = hashes.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    let rows = try await connection.query(
      """
      with known as materialized (
        select lookup, key_id, key
        from aisle.keys_by_lookup(\(tenant.rawValue), \(people.map(\.key)))
      ), made as (
        insert into aisle.subject_keys (tenant, key_id, kind, lookup, key)
        select p.tenant, n.key_id, n.kind, n.lookup, n.key
        from unnest(
          \(people.map { _ in UUID() }), \(people.map(\.value.kind)), \(people.map(\.key)),
          \(people.map { _ in SymmetricKey(size: .bits256).bytes })) with ordinality n (key_id, kind, lookup, key, number)
        join aisle.privacy p on p.tenant = \(tenant.rawValue) and p.secret = \(secret.bytes)
        where not exists (select from known k where k.lookup = n.lookup)
        order by n.number
        on conflict (tenant, lookup) do nothing
        returning lookup, key_id, key
      )
      select lookup, key_id, key from known
      union all
      select lookup, key_id, key from made
      """)
    return try keys(rows, of: hashes)
  }

  func make(_ subjects: Set<DataSubject>) async throws -> [DataSubject: SubjectKey] {
    try await pool.withConnection { try await self.make(subjects, on: $0) }
  }

  /// The key of one person, if there is one.
  func find(_ subject: DataSubject, on connection: PostgresConnection) async throws -> SubjectKey? {
    let hash = Self.hash(subject, try await secret(on: connection))
    return try await read([hash: subject], on: connection)[subject]
  }

  private func read(
    _ hashes: [[UInt8]: DataSubject], on connection: PostgresConnection
  ) async throws -> [DataSubject: SubjectKey] {
    let rows = try await connection.query(
      """
      select lookup, key_id, key
      from aisle.keys_by_lookup(\(tenant.rawValue), \(Array(hashes.keys)))
      """)
    return try keys(rows, of: hashes)
  }

  private func keys(
    _ rows: Rows, of hashes: [[UInt8]: DataSubject]
  ) throws -> [DataSubject: SubjectKey] {
    var keys: [DataSubject: SubjectKey] = [:]
    for row in rows {
      let (hash, id, key) = try row.decode([UInt8].self, UUID.self, [UInt8].self)
      if let subject = hashes[hash] { keys[subject] = SubjectKey(id: id, key: SymmetricKey(data: key)) }
    }
    return keys
  }

  /// The keys that are still there, read on the caller's connection if there is one: to wait for a second one would
  /// be to wait for oneself when the pool is in use.
  func read(_ ids: Set<UUID>, on connection: PostgresConnection?) async throws -> [UUID: SubjectKey] {
    guard let connection else { return try await pool.withConnection { try await self.rows(ids, on: $0) } }
    return try await rows(ids, on: connection)
  }

  /// The same for a transaction that may write what it reads: until it ends, nobody is forgotten.
  func read(_ ids: Set<UUID>, inTransactionOf connection: PostgresConnection) async throws -> [UUID:
    SubjectKey]
  {
    try await waitForForgetting(on: connection)
    return try await rows(ids, on: connection)
  }

  /// Until the caller's transaction ends, nobody is forgotten.
  ///
  /// - Returns: the position of the last `subject-forgotten`; 0 if there is none.
  func keepForgettingOut(on connection: PostgresConnection) async throws -> Int64 {
    try await waitForForgetting(on: connection)
    return try await lastForgotten(on: connection)
  }

  /// In a statement of its own: the next one sees what was forgotten while this one waited.
  private func waitForForgetting(on connection: PostgresConnection) async throws {
    try await connection.query("select from aisle.privacy where tenant = \(tenant.rawValue) for key share")
  }

  private func rows(_ ids: Set<UUID>, on connection: PostgresConnection) async throws -> [UUID: SubjectKey] {
    let rows = try await connection.query(
      """
      select key_id, key
      from aisle.keys_by_id(\(tenant.rawValue), \(Array(ids)))
      """)
    return Dictionary(
      uniqueKeysWithValues: try rows.map { row in
        let (id, key) = try row.decode(UUID.self, [UInt8].self)
        return (id, SubjectKey(id: id, key: SymmetricKey(data: key)))
      })
  }

  /// Position of the last `subject-forgotten`; 0 if there is none.
  func lastForgotten(on connection: PostgresConnection?) async throws -> Int64 {
    let statement: SQL = """
      select coalesce(max(position), 0)
      from aisle.events
      where tenant = \(tenant.rawValue) and category = \(SubjectForgotten.category)
      """
    let rows =
      if let connection { try await connection.query(statement) } else { try await pool.query(statement) }
    return try rows.first?.decode(Int64.self) ?? 0
  }

  /// Deletes a key, in the caller's transaction, and keeps every reader that may write out until its end.
  func delete(_ subject: DataSubject, on connection: PostgresConnection) async throws -> UUID? {
    _ = try await secret(on: connection)
    try await connection.query("select from aisle.privacy where tenant = \(tenant.rawValue) for update")
    guard let key = try await find(subject, on: connection) else { return nil }
    try await connection.execute(
      "delete from aisle.subject_keys where tenant = \(tenant.rawValue) and key_id = \(key.id)")
    return key.id
  }

  /// A tenant that came after the migration gets its secret here.
  private func secret(on connection: PostgresConnection) async throws -> SymmetricKey {
    while true {
      let rows = try await connection.query(
        "select secret from aisle.privacy where tenant = \(tenant.rawValue)")
      if let row = rows.first {
        let secret = SymmetricKey(data: try row.decode([UInt8].self))
        knownSecret.withLock { $0 = secret }
        return secret
      }
      try await connection.execute(
        """
        insert into aisle.privacy (tenant, secret)
        values (\(tenant.rawValue), uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
        on conflict (tenant) do nothing
        """)
    }
  }

  private static func hash(_ subject: DataSubject, _ secret: SymmetricKey) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Array("\(subject.kind):\(subject.name)".utf8), using: secret))
  }
}

extension SymmetricKey {
  fileprivate var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}

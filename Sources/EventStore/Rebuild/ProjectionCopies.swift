import PostgreSQL
import Vocabulary

/// Copies of a projection's tables, in a schema of their own, that hold the rows of one tenant.
///
/// Other tenants have rows in the same tables, so the tables themselves are never exchanged, only rows. That also
/// leaves grants, policies, comments and indexes as they are, and takes no lock that a reader waits for.
struct ProjectionCopies: Sendable {
  private let tenant: TenantID
  private let tables: [String]
  /// Quoted.
  let schema: String
  private let schemaName: String
  private let subscription: String

  init(of subscription: Subscription, tenant: TenantID) {
    self.tenant = tenant
    self.subscription = subscription.name
    tables = subscription.tables
    schemaName = "aisle_rebuild_\(subscription.name)_\(tenant.rawValue)"
    schema = schemaName.quotedIdentifier
  }

  func exist(on connection: PostgresConnection) async throws -> Bool {
    try await !connection.query("select 1 from pg_namespace where nspname = \(schemaName)").isEmpty
  }

  func make(on connection: PostgresConnection) async throws {
    do {
      try await connection.executeScript("create schema \(schema)")
      for table in tables {
        try await connection.executeScript(
          "create table \(copy(table)) (like \(original(table)) including all)")
      }
    } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {
      throw SubscriptionProblem.cannotRebuild(
        "a rebuild makes tables, and this database role may not (\(error.message)); "
          + "run it with AISLE_OWNER_DATABASE_URL set to the owner of the schema aisle")
    }
  }

  func drop(on connection: PostgresConnection) async throws {
    try await connection.executeScript("drop schema if exists \(schema) cascade")
  }

  /// A migration may have changed the tables since an interrupted rebuild made its copies.
  func check(on connection: PostgresConnection) async throws {
    for table in tables {
      let (old, new) = (
        try await columns(of: table, in: "aisle", on: connection),
        try await columns(of: table, in: schemaName, on: connection)
      )
      guard old == new else {
        throw SubscriptionProblem.cannotRebuild(
          "table \(table) has been changed since this rebuild began; begin again with: "
            + "aisle projections rebuild \(subscription) --restart")
      }
    }
  }

  /// The comparison below needs plans for large tables.
  func analyse(in pool: PostgresPool) async throws {
    for table in tables {
      try await pool.withConnection { try await $0.executeScript("analyze \(copy(table))") }
    }
  }

  // MARK: Rows

  /// Makes this tenant's rows of the tables equal to those of the copies; rows that are equal are not touched.
  func putInPlace(_ outcome: inout ProjectionRebuild.Outcome, on connection: PostgresConnection) async throws
  {
    try await check(on: connection)
    for table in tables {
      let columns = try await columns(of: table, in: "aisle", on: connection)
      let key = try await key(of: table, on: connection)
      guard key.contains("tenant"), !columns.isEmpty else {
        throw SubscriptionProblem.cannotRebuild(
          "table \(table) has no primary key that begins with the tenant")
      }
      outcome.removed += try await connection.execute(removing(table, key))
      outcome.changed += try await connection.execute(changing(table, key, columns.map(\.name)))
      outcome.added += try await connection.execute(adding(table, key, columns.map(\.name)))
    }
  }

  // Only identifiers from the database's catalog and an integer enter these texts.

  private func removing(_ table: String, _ key: [String]) -> SQL {
    SQL(
      """
      delete from \(original(table)) o
      where o.tenant = \(tenant.rawValue)
        and not exists (
          select from \(copy(table)) c where c.tenant = \(tenant.rawValue) and \(equal("o", "c", key)))
      """, [])
  }

  private func changing(_ table: String, _ key: [String], _ columns: [String]) -> SQL {
    let others = columns.filter { !key.contains($0) }.map(\.quotedIdentifier)
    guard !others.isEmpty else { return "select where false" }
    return SQL(
      """
      update \(original(table)) o
      set \(others.map { "\($0) = c.\($0)" }.joined(separator: ", "))
      from \(copy(table)) c
      where o.tenant = \(tenant.rawValue) and c.tenant = \(tenant.rawValue) and \(equal("o", "c", key))
        and row(\(others.map { "o.\($0)" }.joined(separator: ", ")))
            is distinct from row(\(others.map { "c.\($0)" }.joined(separator: ", ")))
      """, [])
  }

  private func adding(_ table: String, _ key: [String], _ columns: [String]) -> SQL {
    let list = columns.map(\.quotedIdentifier)
    return SQL(
      """
      insert into \(original(table)) (\(list.joined(separator: ", ")))
      select \(list.map { "c.\($0)" }.joined(separator: ", "))
      from \(copy(table)) c
      where c.tenant = \(tenant.rawValue)
        and not exists (
          select from \(original(table)) o where o.tenant = \(tenant.rawValue) and \(equal("o", "c", key)))
      """, [])
  }

  private func equal(_ a: String, _ b: String, _ key: [String]) -> String {
    key.map(\.quotedIdentifier).map { "\(a).\($0) = \(b).\($0)" }.joined(separator: " and ")
  }

  private func original(_ table: String) -> String { "aisle.\(table.quotedIdentifier)" }
  private func copy(_ table: String) -> String { "\(schema).\(table.quotedIdentifier)" }

  // MARK: Catalog

  private struct Column: Hashable {
    let name: String
    let type: String
  }

  private func columns(
    of table: String, in schema: String, on connection: PostgresConnection
  ) async throws -> [Column] {
    try await connection.query(
      """
      select a.attname::text, format_type(a.atttypid, a.atttypmod)
      from pg_attribute a
      join pg_class c on c.oid = a.attrelid
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = \(schema) and c.relname = \(table) and a.attnum > 0 and not a.attisdropped
        and a.attgenerated = ''
      order by a.attname
      """
    ).map { row in
      let (name, type) = try row.decode(String.self, String.self)
      return Column(name: name, type: type)
    }
  }

  private func key(of table: String, on connection: PostgresConnection) async throws -> [String] {
    try await connection.query(
      """
      select a.attname::text
      from pg_index i
      join pg_class c on c.oid = i.indrelid
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
      where n.nspname = 'aisle' and c.relname = \(table) and i.indisprimary
      order by a.attname
      """
    ).map { try $0.decode(String.self) }
  }
}

extension String {
  /// As an identifier in SQL.
  fileprivate var quotedIdentifier: String {
    "\"" + split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}

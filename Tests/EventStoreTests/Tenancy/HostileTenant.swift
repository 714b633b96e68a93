import EventStore
import Foundation
import Migrations
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

/// Somebody with a login for tenant 2, the connection string and plain SQL, who wants to read or change what belongs
/// to tenant 1. What there is to attack is taken from the catalog, so a new table or function is attacked as well.
struct HostileTenant {
  /// In every text that belongs to tenant 1.
  static let secret = "the-secret-of-tenant-1"

  let owner: PostgresPool
  let hostile: PostgresPool

  /// Runs `body` with two tenants in one database, each with a row in every table.
  static func with(_ body: (HostileTenant) async throws -> Void) async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(conninfo, size: 2) { owner in
        try await fill(owner)
        let role = "hostile_\(UInt64.random(in: 0 ... .max))"
        try await ServiceRole.admit(role, to: 2, owner)
        let configuration = PostgresConfiguration("\(conninfo) user=\(role)").working(for: 2)
        try await withPool(configuration, size: 2) { hostile in
          try await body(HostileTenant(owner: owner, hostile: hostile))
        }
      }
    }
  }

  private static func fill(_ owner: PostgresPool) async throws {
    try await owner.execute("insert into aisle.log_head (tenant) values (2)")
    for (tenant, text) in [(TenantID.main, secret), (TenantID(2), "of-tenant-2")] {
      let store = EventStore(pool: owner, tenant: tenant, logger: .silent)
      let events = ["account-opened", "order-placed", "order-confirmed"].map {
        NewEvent(
          type: $0,
          data: Array(#"{"account_id": "\#(text)", "name": "\#(text)", "time_zone": "\#(text)"}"#.utf8),
          metadata: EventMetadata(actor: text))
      }
      let stream = StreamName(category: "account", id: text)
      let outcome = try await store.append(to: stream, expecting: .noStream, events)
      #expect(outcome.receipt != nil)
    }
    for table in try await tables(owner) {
      for (tenant, text) in [(1, secret), (2, "of-tenant-2")] {
        let known: Bool = try #require(
          try await owner.query(SQL("select exists (select from \(table.name) where tenant = \(tenant))", []))
            .first
        ).decode(Bool.self)
        if known { continue }
        let columns = try await owner.query(
          """
          select quote_ident(a.attname), format_type(a.atttypid, null),
                 (select substring(pg_get_constraintdef(k.oid) from '''([^'']*)''')
                  from pg_constraint k
                  where k.conrelid = a.attrelid and k.contype = 'c' and a.attnum = any (k.conkey)
                  limit 1)
          from pg_attribute a
          where a.attrelid = \(table.name)::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
          order by a.attnum
          """
        ).map { try $0.decode(String.self, String.self, String?.self) }
        let values = columns.map { name, type, allowed in
          name == "tenant" ? "\(tenant)" : allowed.map { "'\($0)'" } ?? value(of: type, text)
        }
        try await owner.execute(
          SQL(
            "insert into \(table.name) (\(columns.map(\.0).joined(separator: ", "))) "
              + "values (\(values.joined(separator: ", ")))", []))
      }
    }
    try await owner.withConnection { try await $0.executeScript("analyze") }
  }

  private static func value(of type: String, _ text: String) -> String {
    switch type {
    case "text", "character varying": "'\(text)'"
    case "text[]": "array['\(text)']"
    case "jsonb": "'{\"text\": \"\(text)\"}'"
    case "bytea": "'\(text)'::bytea"
    case "uuid": "gen_random_uuid()"
    case "uuid[]": "array[gen_random_uuid()]"
    case "timestamp with time zone": "now()"
    case "boolean": "true"
    case "interval": "'1 s'"
    default: type.hasSuffix("[]") ? "array[1]::\(type)" : "1"
    }
  }

  // MARK: What there is

  struct Relation {
    let name: String
    let isTable: Bool
  }

  /// Tables that rows are put into: all but partitions.
  private static func tables(_ owner: PostgresPool) async throws -> [Relation] {
    try await owner.query(
      """
      select format('%I.%I', 'aisle', c.relname)
      from pg_class c
      where c.relnamespace = 'aisle'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant')
      order by 1
      """
    ).map { Relation(name: try $0.decode(String.self), isTable: true) }
  }

  /// Everything that rows can be read from: tables, partitions, views.
  func relations() async throws -> [Relation] {
    try await owner.query(
      """
      select format('%I.%I', 'aisle', c.relname), c.relkind in ('r', 'p')
      from pg_class c
      where c.relnamespace = 'aisle'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
      order by 1
      """
    ).map { Relation(name: try $0.column(0), isTable: try $0.column(1)) }
  }

  /// Everything of tenant 1, as its owner sees it.
  func possessions() async throws -> [String: [String]] {
    var rows: [String: [String]] = [:]
    for table in try await Self.tables(owner) {
      rows[table.name] = try await owner.query(
        SQL("select t::text from \(table.name) t where tenant = 1 order by 1", [])
      ).map { try $0.decode(String.self) }
    }
    return rows
  }

  /// A call of every function, for tenant 1.
  func calls() async throws -> [(call: String, runsAsOwner: Bool)] {
    try await owner.query(
      """
      select format('%I.%I', 'aisle', p.proname), p.prosecdef,
             array(select format_type(t.type, null)
                   from unnest(p.proargtypes) with ordinality t (type, i) order by t.i)
      from pg_proc p
      where p.pronamespace = 'aisle'::regnamespace and p.prokind = 'f'
      order by 1
      """
    ).map { row in
      let (name, runsAsOwner, types) = try row.decode(String.self, Bool.self, [String].self)
      let arguments = types.map { type in
        switch type {
        case "integer": "1"
        case "bigint", "smallint": "1000000::\(type)"
        case "text[]": "array['\(Self.secret)']"
        default: type.hasSuffix("[]") ? "'{}'::\(type)" : "null::\(type)"
        }
      }
      return ("select * from \(name)(\(arguments.joined(separator: ", "))) t", runsAsOwner && !types.isEmpty)
    }
  }
}

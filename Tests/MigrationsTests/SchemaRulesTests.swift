import PostgreSQL
import TestSupport
import Testing

/// What keeps the schema fit for distribution by tenant, and readable.
@Suite("The schema's rules")
struct SchemaRulesTests {
  /// The names that a query over the catalog finds at fault.
  private func faults(_ query: SQL) async throws -> [String] {
    try await withMigratedDatabase(poolSize: 1) { pool in
      try await pool.query(query).map { try $0.decode(String.self) }
    }
  }

  @Test("every table has the tenant in its primary key and in every unique index")
  func tenantInEveryKey() async throws {
    #expect(
      try await faults(
        """
        select coalesce(x.relname, 'no primary key: ' || t.relname)::text
        from pg_class t
        left join pg_index i on i.indrelid = t.oid and i.indisunique
        left join pg_class x on x.oid = i.indexrelid
        where t.relnamespace = 'aisle'::regnamespace and t.relkind in ('r', 'p')
          and not exists (
            select from pg_attribute a
            where a.attrelid = t.oid and a.attname = 'tenant' and a.attnum = any (i.indkey))
        """) == [])
  }

  @Test(
    "there are no sequences, triggers or foreign keys, which a distributed table cannot have across tenants")
  func nothingThatCrossesTenants() async throws {
    #expect(
      try await faults(
        """
        select relname::text from pg_class where relnamespace = 'aisle'::regnamespace and relkind = 'S'
        union all
        select t.tgname::text
        from pg_trigger t
        join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = 'aisle'::regnamespace
        union all
        select conname::text from pg_constraint where connamespace = 'aisle'::regnamespace and contype = 'f'
        """) == [])
  }

  @Test("no column holds a floating-point number or money of PostgreSQL's own type")
  func exactNumbers() async throws {
    #expect(
      try await faults(
        """
        select table_name || '.' || column_name
        from information_schema.columns
        where table_schema = 'aisle' and data_type in ('real', 'double precision', 'money')
        """) == [])
  }

  @Test("every table, view, column and function says what it is")
  func comments() async throws {
    #expect(
      try await faults(
        """
        select c.relname::text || coalesce('.' || a.attname, '')
        from pg_class c
        left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'aisle'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
          and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)
        union all
        select p.proname::text
        from pg_proc p
        where p.pronamespace = 'aisle'::regnamespace and obj_description(p.oid, 'pg_proc') is null
        """) == [])
  }
}

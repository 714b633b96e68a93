import EventStore
import Foundation
import Migrations
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@Suite("Tenants of one database")
struct TenantIsolationTests {
  @Test("a tenant with plain SQL reads and changes nothing of another one")
  func hostile() async throws {
    try await HostileTenant.with { tenant in
      let successes = try await tenant.attack()
      #expect(successes == [])
    }
  }

  @Test(
    "the hostile tenant gets somewhere as soon as one guard is missing",
    arguments: [
      "alter table aisle.holds disable row level security",
      "alter table aisle.events disable row level security",
      "grant truncate on aisle.orders to aisle_service",
      "grant insert on aisle.tenant_roles to aisle_service; alter table aisle.tenant_roles disable row level security",
      "alter view aisle.accounts set (security_invoker = false)",
      "create or replace function aisle.require_tenant(for_tenant integer) returns void language sql as ''",
      """
      create or replace function aisle.current_tenant() returns integer language sql stable as
      $$ select nullif(current_setting('aisle.tenant', true), '')::integer $$
      """,
      "grant create on schema aisle to aisle_service",
    ])
  func guards(sabotage: String) async throws {
    try await HostileTenant.with { tenant in
      try await tenant.owner.withConnection { try await $0.executeScript(sabotage) }
      let successes = try await tenant.attack()
      #expect(!successes.isEmpty)
    }
  }

  @Test("who listens hears how far other logs are, and nothing else")
  func notifications() async throws {
    try await HostileTenant.with { tenant in
      let connection = try await PostgresConnection.connect(
        tenant.hostile.configuration, on: tenant.hostile.thread)
      try await connection.listen(to: "aisle_log")
      let store = EventStore(pool: tenant.owner, logger: .silent)
      try await store.append(to: stream(HostileTenant.secret), expecting: .any, [.happened()])
      let message = try #require(try await connection.nextNotification(within: patience))
      await connection.close()
      let head = try await store.head()
      #expect(message.payload == "1 \(head)")
    }
  }

  @Test("a role works for the tenants it is listed for, and for the one that its session names")
  func admitted() async throws {
    try await HostileTenant.with { tenant in
      let own = EventStore(pool: tenant.hostile, tenant: TenantID(2), logger: .silent)
      let outcome = try await own.append(to: stream("a"), expecting: .noStream, [.happened()])
      #expect(outcome.isCommitted)
      let read = try await own.readAll(after: .start, limit: 10_000)
      let head = try await own.head()
      #expect(read.last?.position == head)
      #expect(read.count == Int(head.rawValue))
    }
  }

  @Test("the services' role cannot change the log, not even that of its own tenant")
  func immutable() async throws {
    try await withTestDatabase(from: .migrated) { conninfo in
      try await withPool(servicesConfiguration(conninfo), size: 2) { pool in
        let store = EventStore(pool: pool, logger: .silent)
        let outcome = try await store.append(to: stream("a"), expecting: .noStream, .happened(3))
        #expect(outcome.isCommitted)
        let log = try await pool.query(
          """
          select format('%I.%I', 'aisle', c.relname)
          from pg_class c
          where c.relnamespace = 'aisle'::regnamespace and c.relkind in ('r', 'p')
            and (c.relname in ('streams', 'log_head', 'events', 'event_ids', 'event_tags') or c.relispartition)
          """
        ).map { try $0.decode(String.self) }
        #expect(log.count >= 3)
        for table in log {
          for statement in [
            "insert into \(table) (tenant) values (1)", "update \(table) set tenant = 1",
            "delete from \(table)",
            "truncate \(table)", "select from \(table) for update",
            "do $$ begin lock table \(table) in share mode; end $$",
          ] {
            let error = await #expect(throws: PostgresError.self, "\(statement)") {
              try await pool.execute(SQL(statement, []))
            }
            #expect(error?.sqlState == .insufficientPrivilege, "\(statement)")
          }
        }
      }
    }
  }

  @Test("every function that runs as the owner looks first at who calls it, and at nobody's search_path")
  func definers() async throws {
    try await withMigratedDatabase(poolSize: 1) { pool in
      let faults = try await pool.query(
        """
        select p.oid::regprocedure::text
        from pg_proc p
        where p.pronamespace = 'aisle'::regnamespace and p.prosecdef and p.proname not in ('current_tenant', 'add_event_partitions')
          and (p.prosrc !~ 'begin\\s+(--[^\\n]*\\n\\s*)?perform aisle\\.require_tenant\\(for_tenant\\);'
               or not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false))
        """
      ).map { try $0.decode(String.self) }
      #expect(faults == [])
    }
  }

  @Test("every table has row-level security and rights that were decided on")
  func decided() async throws {
    try await withMigratedDatabase(poolSize: 1) { pool in
      let faults = try await pool.query(
        """
        select c.relname::text
        from pg_class c
        where c.relnamespace = 'aisle'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and (not c.relrowsecurity
               or not exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant')
               or (not has_table_privilege('aisle_service', c.oid, 'select') and c.relname <> 'tenant_roles'))
        union all
        select c.relname::text
        from pg_class c
        where c.relnamespace = 'aisle'::regnamespace and c.relkind = 'v'
          and (not coalesce('security_invoker=true' = any (c.reloptions), false)
               or not has_table_privilege('aisle_service', c.oid, 'select'))
        """
      ).map { try $0.decode(String.self) }
      #expect(faults == [], "end the migration that made them with: select aisle.protect()")
    }
  }
}

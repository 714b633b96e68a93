import EventStore
import Foundation
import PostgreSQL
import TestSupport
import Vocabulary

extension HostileTenant {
  /// Tries everything; gives what it should not have got away with.
  func attack() async throws -> [String] {
    let before = try await possessions()
    var successes: [String] = []
    for tenant in ["1", "2", ""] {
      successes += try await attackRelations(as: tenant)
      successes += try await attackFunctions(as: tenant)
      successes += try await attackSchema(as: tenant)
    }
    let after = try await possessions()
    for (table, rows) in before where after[table] != rows {
      successes.append("\(table) of tenant 1 was changed")
    }
    for table in after.keys where before[table] == nil { successes.append("\(table) is new") }
    return successes
  }

  /// Runs statements in a session that claims a tenant, and undoes them only afterwards.
  ///
  /// - Returns: whether something of tenant 1 was in the answer, or rows were changed; nil if it was refused.
  private func attempt(
    _ statement: String, as tenant: String, after preparation: String? = nil, in role: String? = nil
  ) async throws -> (leaks: Bool, rows: Int, refusal: SQLState?) {
    try await hostile.withConnection { connection in
      do {
        try await connection.query("select set_config('aisle.tenant', \(tenant), false)")
        if let preparation { try await connection.executeScript(preparation) }
        let rows = try await connection.query(SQL(statement, []))
        let text = try rows.map { row in try row.column(0, as: String?.self) ?? "" }.joined(separator: "\n")
        return (text.contains(Self.secret), rows.affected, nil)
      } catch let error as PostgresError where error.kind == .server {
        return (error.description.contains(Self.secret), 0, error.sqlState)
      }
    }
  }

  private func attackRelations(as tenant: String) async throws -> [String] {
    var successes: [String] = []
    for relation in try await relations() {
      let name = relation.name
      for reading in [
        "select string_agg(t::text, ' ') from \(name) t", "select t::text from \(name) t where tenant = 1",
        "select string_agg(t::text, ' ') from \(name) t tablesample system (100)",
      ] {
        let result = try await attempt(reading, as: tenant)
        if result.leaks { successes.append("as '\(tenant)' read: \(reading)") }
      }
      guard relation.isTable else { continue }
      for writing in [
        "insert into \(name) (tenant) values (1)", "update \(name) set tenant = tenant where tenant = 1",
        "update \(name) set tenant = 1", "delete from \(name) where tenant = 1", "delete from \(name)",
        "truncate \(name)",
      ] where tenant != "2" || !writing.hasSuffix("delete from \(name)") {
        let result = try await attempt(writing, as: tenant)
        // Without a where clause it may be done to rows of its own; that it was, the comparison at the end tells.
        let isAllowed =
          result.refusal == .insufficientPrivilege || (result.refusal == nil && result.rows == 0)
        if !isAllowed { successes.append("as '\(tenant)' not refused (\(result)): \(writing)") }
      }
      let copied = try await copy(name, as: tenant)
      if copied.contains(Self.secret) { successes.append("as '\(tenant)' copied out: \(name)") }
    }
    return successes
  }

  private func copy(_ name: String, as tenant: String) async throws -> String {
    let text = Shared("")
    try await hostile.withConnection { connection in
      try await connection.query("select set_config('aisle.tenant', \(tenant), false)")
      do {
        try await connection.copyOut("copy (select t::text from \(name) t) to stdout (format binary)") {
          chunk in
          chunk.forEachRow { row in text.update { $0 += String(decoding: row, as: UTF8.self) } }
        }
      } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {}
    }
    return text.value
  }

  private func attackFunctions(as tenant: String) async throws -> [String] {
    var successes: [String] = []
    for (call, runsAsOwner) in try await calls() {
      let statement = call.replacing("select *", with: "select t::text")
      let result = try await attempt(statement, as: tenant)
      if result.leaks || (runsAsOwner && result.refusal != .insufficientPrivilege) {
        successes.append("as '\(tenant)' not refused (\(result)): \(call)")
      }
    }
    // The real thing: one event at the end of the other's log.
    let store = EventStore(pool: hostile, tenant: .main, retryAppendsFor: .zero, logger: .silent)
    do throws(AppendError) {
      let outcome = try await store.append(to: stream("forged"), expecting: .any, [.happened()])
      successes.append("as '\(tenant)' appended to tenant 1: \(outcome.summary)")
    } catch {
      switch error {
      case .rejected(let refusal), .unavailable(let refusal):
        if refusal.sqlState == .insufficientPrivilege { break }
        successes.append("as '\(tenant)' the append to tenant 1 ended with: \(error)")
      default: successes.append("as '\(tenant)' the append to tenant 1 ended with: \(error)")
      }
    }
    return successes
  }

  private func attackSchema(as tenant: String) async throws -> [String] {
    var successes: [String] = []
    for statement in [
      "set role aisle", "set session authorization aisle", "create table aisle.mine (a integer)",
      "create function aisle.mine() returns integer language sql as 'select 1'",
      "create view aisle.mine as select 1",
      "create or replace function aisle.current_tenant() returns integer language sql as 'select 1'",
      "create or replace function aisle.require_tenant(for_tenant integer) returns void language sql as ''",
      "alter table aisle.events disable row level security", "drop policy tenant on aisle.events",
      "create policy mine on aisle.events using (true)", "drop table aisle.events",
      "drop schema aisle cascade",
      "create index on aisle.events (position)",
      "create rule mine as on insert to aisle.holds do also select 1",
      "create trigger mine before insert on aisle.holds for each row execute function tsvector_update_trigger()",
      "grant aisle to aisle_service", "insert into aisle.tenant_roles values (1, session_user)",
      "select pg_read_file('/etc/passwd')", "copy aisle.holds from program 'true'", "select aisle.protect()",
      "create schema mine", "set session_replication_role = replica", "alter role current_user superuser",
      "create publication mine for table aisle.events",
    ] {
      let result = try await attempt(statement, as: tenant)
      if result.refusal != .insufficientPrivilege {
        successes.append("as '\(tenant)' not refused (\(result)): \(statement)")
      }
    }
    let cheap = """
      create temporary table if not exists seen (what text);
      create or replace function pg_temp.look(what text) returns boolean language plpgsql cost 0.000001 as
      'begin insert into pg_temp.seen values (what); return true; end'
      """
    for (preparation, statement) in [
      ("set role aisle_service", "select string_agg(e::text, ' ') from aisle.events e"),
      ("set row_security = off", "select string_agg(e::text, ' ') from aisle.events e"),
      (
        "\(cheap); select from aisle.events e where pg_temp.look(e.data::text)",
        "select string_agg(what, ' ') from seen"
      ),
      (
        "\(cheap); select from aisle.accounts a where pg_temp.look(a.name)",
        "select string_agg(what, ' ') from seen"
      ),
      ("set search_path = pg_temp, aisle, pg_catalog", "select string_agg(e::text, ' ') from events e"),
      ("", "select string_agg(s::text, ' ') from pg_stats s"),
      ("", "select string_agg(a.query, ' ') from pg_stat_activity a where usename <> session_user"),
      ("", "select string_agg(t::text, ' ') from aisle.account_openings(2, array['\(Self.secret)']) t"),
    ] {
      let result = try await attempt(statement, as: tenant, after: preparation.isEmpty ? nil : preparation)
      if result.leaks { successes.append("as '\(tenant)' read after «\(preparation)»: \(statement)") }
      _ = try await attempt(
        "select 1::text", as: tenant, after: "reset role; reset row_security; reset search_path")
    }
    return successes
  }
}

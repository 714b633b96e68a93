import Foundation
import PostgreSQL

/// What a statement must keep to so that a database distributed by tenant can run it on one node.
///
/// The server's own plan is the judge: whatever the statement's form, each scan of a table is bound to the tenant,
/// or joined by tenant to one that is.
struct ScaleOutRules: Sendable {
  let connection: PostgresConnection
  /// Names in the schema.
  let tables: Set<String>
  /// Those that look at tables; what only computes runs anywhere.
  let functions: Set<String>
  /// The type of each column, by table and name.
  let types: [String: [String: String]]

  /// About whole tables and not about one tenant's rows: run on each node by whoever keeps it.
  static let ofWholeTables = [
    "current_tenant": "answers which tenant the session works for",
    "protect": "gives rights on whole tables, in a migration",
    "add_event_partitions": "makes partitions before they are needed",
    "detach_event_partitions": "takes archived partitions off",
  ]

  init(_ connection: PostgresConnection) async throws {
    self.connection = connection
    func names(_ query: SQL) async throws -> Set<String> {
      Set(try await connection.query(query).map { try $0.decode(String.self) })
    }
    tables = try await names(
      """
      select relname::text from pg_class
      where relnamespace = 'aisle'::regnamespace and relkind in ('r', 'p', 'v', 'm')
      """)
    functions = try await names(
      """
      select proname::text from pg_proc
      where pronamespace = 'aisle'::regnamespace and prosrc ~ 'aisle\\.'
      """)
    types = try await connection.query(
      """
      select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod)
      from pg_attribute a
      join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'aisle'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0
      """
    ).reduce(into: [:]) { types, row in
      let (table, column, type) = try row.decode(String.self, String.self, String.self)
      types[table, default: [:]][column] = type
    }
    // Partitions that the values exclude would be missing from the plan, and with them what they are bound to.
    try await connection.executeScript(
      "set plan_cache_mode = force_generic_plan; set enable_partition_pruning = off")
  }

  func faults(_ statement: SourceStatement) async throws -> [String] {
    var faults = Self.bannedWords(statement.text)
    faults += callFaults(statement)
    faults += insertFaults(statement.text)
    do {
      faults += scanFaults(try await plan(statement), statement)
    } catch let error as PostgresError where error.kind == .server {
      faults.append("cannot be planned: \(error)")
    }
    return faults
  }

  // MARK: The text

  private static let banned: [(pattern: String, reason: String)] = [
    ("(?i)pg_(try_)?advisory", "advisory locks are of one node"),
    (
      "(?i)txid_|pg_current_xact|pg_snapshot|pg_xact|\\bxmin\\b|\\bxmax\\b", "transaction ids are of one node"
    ),
    ("(?i)on conflict on constraint", "shards rename constraints"),
    ("(?i)nextval|currval|setval", "a sequence has no order across nodes"),
    ("(?i)\\btruncate\\b", "it would hit every tenant"),
  ]

  static func bannedWords(_ text: String) -> [String] {
    banned.filter { text.range(of: $0.pattern, options: .regularExpression) != nil }.map(\.reason)
  }

  /// A function goes to the node of the tenant that is its first argument.
  private func callFaults(_ statement: SourceStatement) -> [String] {
    statement.text.matches(of: /aisle\.(\w+)\s*\(\s*(\$(\d+)|\w+)/).compactMap { match in
      let name = String(match.1)
      guard functions.contains(name), Self.ofWholeTables[name] == nil else { return nil }
      let isTenant = match.3.flatMap { Int($0) }.map(statement.tenants.contains) ?? false
      return isTenant ? nil : "\(name) is called without the tenant as its first argument"
    }
  }

  private func insertFaults(_ text: String) -> [String] {
    text.matches(of: /insert\s+into\s+aisle\.(\w+)(?:\s+as\s+\w+)?\s*(\(([^)]*)\))?/).compactMap { match in
      let columns = (match.3 ?? "").split(separator: ",").map {
        $0.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      return columns.contains("tenant") ? nil : "inserts into \(match.1) without naming the tenant"
    }
  }

  // MARK: The plan

  func plan(_ statement: SourceStatement) async throws -> [String] {
    var failure: (any Error)?
    for (number, types) in guesses(statement).enumerated() {
      let list = types.isEmpty ? "" : "(\(types.joined(separator: ", ")))"
      do {
        try await connection.executeScript("prepare judged \(list) as \(statement.text)")
      } catch {
        // Of the guess that knows most.
        if number < 2 { failure = error }
        continue
      }
      let nulls = statement.values.map { _ in "null" }.joined(separator: ", ")
      let call = nulls.isEmpty ? "execute judged" : "execute judged(\(nulls))"
      do {
        // The text is the sources' own.
        let lines = try await connection.query(SQL("explain (verbose, costs off) \(call)", [])).map {
          try $0.decode(String.self)
        }
        try await connection.executeScript("deallocate judged")
        return lines
      } catch {
        try await connection.executeScript("deallocate judged")
        throw error
      }
    }
    throw failure ?? PostgresError(.client, "there was nothing to plan")
  }

  /// The server infers most types; of arrays that are only taken apart it cannot know them.
  private func guesses(_ statement: SourceStatement) -> [[String]] {
    let inferred = statement.values.map { _ in "unknown" }
    let arrays = statement.values.indices.map { index in
      let pattern = "(?is)(cardinality|any|unnest|array_length)\\s*\\([^()]*\\$\(index + 1)\\b"
      return statement.text.range(of: pattern, options: .regularExpression) != nil
    }
    var named = arrays.map { $0 ? "text[]" : "unknown" }
    for (argument, column) in unnested(statement.text) {
      guard let number = argument.firstMatch(of: #/\$(\d+)/#).flatMap({ Int($0.1) }),
        let type = type(of: column, in: statement)
      else { continue }
      named[number - 1] = type.hasSuffix("[]") ? "text[]" : type + "[]"
    }
    let uniform = ["text[]", "bigint[]", "integer[]", "uuid[]"].map { kind in
      arrays.map { $0 ? kind : "unknown" }
    }
    let single = ["text", "bigint", "uuid"].map { kind in inferred.map { _ in kind } }
    return [inferred, named] + uniform + single
  }

  /// Arguments of `unnest` with the columns that they stand for: `unnest($1, $2) v (show_id, version)`, or those that
  /// `insert into aisle.holds (tenant, …) select $1, * from unnest(…)` fills.
  private func unnested(_ text: String) -> [(argument: Substring, column: String)] {
    let named = #/(?s)unnest\(([^()]*)\)\s*(?:with ordinality\s*)?(?:as\s+)?\w+\s*\(([^)]*)\)/#
    let filled =
      #/(?s)insert into aisle\.\w+ \(\s*tenant,([^)]*)\)\s*select \$1, \*\s*from unnest\(([^()]*)\)/#
    let pairs =
      text.matches(of: named).map { ($0.1, $0.2) } + text.matches(of: filled).map { ($0.2, $0.1) }
    return pairs.flatMap { arguments, columns in
      zip(arguments.split(separator: ","), columns.split(separator: ",")).map {
        ($0, $1.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
  }

  /// Of a column of a table that the statement names.
  private func type(of column: String, in statement: SourceStatement) -> String? {
    statement.text.matches(of: /aisle\.(\w+)/).lazy.compactMap { types[String($0.1)]?[column] }.first
  }

  private func scanFaults(_ lines: [String], _ statement: SourceStatement) -> [String] {
    var scans: [(table: String, conditions: String)] = []
    var isInScan = false
    for line in lines {
      // What a function reads is looked at in the function.
      if !line.contains("Function Scan"),
        let match = line.firstMatch(of: /Scan (?:using \w+ )?on aisle\.(\w+)/)
      {
        // A partition goes by its table's name.
        scans.append((String(match.1.replacing(/_\d+$/, with: "")), ""))
        isInScan = true
      } else if line.drop(while: \.isWhitespace).hasPrefix("->")
        || line.contains(#/^\s*(InitPlan|SubPlan|CTE)/#)
      {
        isInScan = false
      } else if isInScan, !line.contains("Output:") {
        scans[scans.count - 1].conditions += line
      }
    }
    let bound = scans.map { scan in
      // A fixed tenant is one tenant, too.
      scan.conditions.contains(/[.( ]tenant = \d/)
        || scan.conditions.matches(of: /[.( ]tenant = \$(\d+)|\$(\d+) = (?:\w+\.)?tenant/).contains { match in
          (match.1 ?? match.2).flatMap { Int($0) }.map(statement.tenants.contains) ?? false
        }
    }
    return scans.indices.compactMap { index in
      if bound[index] { return nil }
      // Joined by tenant to one that is bound.
      if scans[index].conditions.contains(/[.( ]tenant = \w+\.tenant/), bound.contains(true) { return nil }
      return "\(scans[index].table) is read without its tenant"
    }
  }

  // MARK: Functions

  /// The statements inside a function: each table is bound by name, `alias.tenant = …`.
  func functionFaults(_ source: String) -> [String] {
    var faults = Self.bannedWords(source)
    let body = source.replacing(/--[^\n]*/, with: "")
    for statement in body.split(separator: ";") {
      faults += insertFaults(String(statement))
      for match in statement.matches(of: /(from|join|update)\s+aisle\.(\w+)(?:\s+(?:as\s+)?(\w+))?/) {
        guard tables.contains(String(match.2)) else { continue }
        let alias = match.3.map(String.init) ?? String(match.2)
        let condition = "\\b\(alias)\\.tenant = (for_tenant|\\w+\\.tenant)"
        let isBound = statement.range(of: condition, options: .regularExpression) != nil
        if !isBound { faults.append("\(match.2) is used without its tenant") }
      }
    }
    return faults
  }
}

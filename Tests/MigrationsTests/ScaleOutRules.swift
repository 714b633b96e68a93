import PostgreSQL

/// What a statement must keep to so that a database distributed by tenant can run it on one node.
///
/// The server's own plan is the judge: whatever the statement's form, each scan of a table is bound to the tenant,
/// or joined by tenant to one that is.
struct ScaleOutRules: Sendable {
  let connection: PostgresConnection
  /// Names in the schema.
  let tables: Set<String>
  let functions: Set<String>

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
      "select proname::text from pg_proc where pronamespace = 'aisle'::regnamespace")
    try await connection.executeScript("set plan_cache_mode = force_generic_plan")
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

  private static let banned: [(Regex<Substring>, String)] = [
    (/(?i)pg_(try_)?advisory/, "advisory locks are of one node"),
    (/(?i)txid_|pg_current_xact|pg_snapshot|pg_xact/, "transaction ids are of one node"),
    (/(?i)\bxmin\b|\bxmax\b/, "transaction ids are of one node"),
    (/(?i)on conflict on constraint/, "shards rename constraints"),
    (/(?i)nextval|currval|setval/, "a sequence has no order across nodes"),
    (/(?i)\btruncate\b/, "it would hit every tenant"),
  ]

  static func bannedWords(_ text: String) -> [String] {
    banned.filter { text.contains($0.0) }.map(\.1)
  }

  /// A function goes to the node of the tenant that is its first argument.
  private func callFaults(_ statement: SourceStatement) -> [String] {
    statement.text.matches(of: /aisle\.(\w+)\s*\(\s*(\$(\d+)|\w+)/).compactMap { match in
      let name = String(match.1)
      guard functions.contains(name) else { return nil }
      let isTenant = match.3.flatMap { Int($0) }.map(statement.tenants.contains) ?? false
      return isTenant ? nil : "\(name) is called without the tenant as its first argument"
    }
  }

  private func insertFaults(_ text: String) -> [String] {
    text.matches(of: /insert\s+into\s+aisle\.(\w+)(?:\s+as\s+\w+)?\s*(\(([^)]*)\))?/).compactMap { match in
      let columns = (match.3 ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      return columns.contains("tenant") ? nil : "inserts into \(match.1) without naming the tenant"
    }
  }

  // MARK: The plan

  private func plan(_ statement: SourceStatement) async throws -> [String] {
    var failure: (any Error)?
    for types in Self.guesses(statement) {
      let list = types.isEmpty ? "" : "(\(types.joined(separator: ", ")))"
      do {
        try await connection.executeScript("prepare judged \(list) as \(statement.text)")
      } catch {
        failure = error
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
  private static func guesses(_ statement: SourceStatement) -> [[String]] {
    let inferred = statement.values.map { _ in "unknown" }
    let arrays = statement.values.indices.map { index in
      let parameter = "\\$\(index + 1)\\b"
      let pattern = try? Regex("(?is)(cardinality|any|unnest|array_length)\\s*\\([^()]*\(parameter)")
      return pattern.map { statement.text.contains($0) } ?? false
    }
    let kinds = ["text[]", "bigint[]", "integer[]", "uuid[]"]
    func guess(_ kind: String) -> [String] {
      inferred.indices.map { index in
        guard arrays[index] else { return "unknown" }
        let value = statement.values[index]
        if value.contains("Int32") { return "integer[]" }
        if value.contains("Int64") || value.contains("rawValue") || value.contains("osition") { return "bigint[]" }
        return kind
      }
    }
    let single = ["text", "bigint", "uuid", "integer"].map { kind in inferred.map { _ in kind } }
    return [inferred] + kinds.map(guess) + kinds.map { kind in arrays.map { $0 ? kind : "unknown" } } + single
  }

  private func scanFaults(_ lines: [String], _ statement: SourceStatement) -> [String] {
    var scans: [(table: String, conditions: String)] = []
    var isInScan = false
    for line in lines {
      if let match = line.firstMatch(of: /Scan (?:using \w+ )?on aisle\.(\w+)/) {
        scans.append((String(match.1), ""))
        isInScan = true
      } else if line.contains("->") || line.contains(/^\s*(InitPlan|SubPlan|CTE) /) {
        isInScan = false
      } else if isInScan, !line.contains("Output:") {
        scans[scans.count - 1].conditions += line
      }
    }
    let bound = scans.map { scan in
      scan.conditions.matches(of: /\btenant = \$(\d+)|\$(\d+) = (?:\w+\.)?tenant/).contains { match in
        (match.1 ?? match.2).flatMap { Int($0) }.map(statement.tenants.contains) ?? false
      }
    }
    return scans.indices.compactMap { index in
      if bound[index] { return nil }
      // Joined by tenant to one that is bound.
      if scans[index].conditions.contains(/\btenant = \w+\.tenant/), bound.contains(true) { return nil }
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
        let isBound =
          (try? Regex("\\b\(alias)\\.tenant = (for_tenant|\\w+\\.tenant)")).map { statement.contains($0) } ?? false
        if !isBound { faults.append("\(match.2) is used without its tenant") }
      }
    }
    return faults
  }
}

import Foundation
import PostgreSQL
import TestSupport
import Testing

/// `docs/scale-out.md`: what a database that is distributed by tenant (Citus) needs, held against every statement.
@Suite("Fit for distribution by tenant", .timeLimit(.minutes(2)))
struct ScaleOutTests {
  /// What is never sent to a distributed database, with the reason.
  private static let exempt: [String: String] = [
    "Scenarios/Engine/RowLockOffice.swift": "a strategy that others use, for comparison",
    "Scenarios/Judge/": "looks at a run's own database, which is on one server",
    "AisleCommand/Bench/": "measures one server",
    "Chaos/": "breaks one server of its own",
    "AisleCommand/Doctor.swift": "advises what an administrator may type",
  ]

  private static func statements() throws -> [SourceStatement] {
    try SourceStatement.all().filter { statement in
      !exempt.keys.contains { statement.file.hasPrefix($0) }
    }
  }

  private func withRules(_ body: (ScaleOutRules) async throws -> Void) async throws {
    try await withMigratedDatabase(poolSize: 1) { pool in
      try await pool.withConnection { try await body(try await ScaleOutRules($0)) }
    }
  }

  @Test("every statement in the sources is bound to one tenant in each table that it touches")
  func everyStatement() async throws {
    let statements = try Self.statements()
    // Nothing proves nothing.
    #expect(statements.count > 40)
    try await withRules { rules in
      for statement in statements {
        let faults = try await rules.faults(statement)
        #expect(faults == [], "\(statement.testDescription): \(statement.text)")
      }
    }
  }

  @Test("every statement inside a function is bound to the function's tenant, its first argument")
  func everyFunction() async throws {
    try await withRules { rules in
      let rows = try await rules.connection.query(
        """
        select p.proname::text, p.prosrc, coalesce(p.proargnames[1], ''), p.proargtypes[0] = 'integer'::regtype
        from pg_proc p
        where p.pronamespace = 'aisle'::regnamespace and p.prosrc ~ 'aisle\\.'
        order by p.proname
        """)
      let functions = try rows.map { try $0.decode(String.self, String.self, String.self, Bool?.self) }
      #expect(functions.contains { $0.0 == "append_batch" })
      for (name, source, first, isInteger) in functions where ScaleOutRules.ofWholeTables[name] == nil {
        #expect(first == "for_tenant" && isInteger == true, "\(name)")
        let faults = rules.functionFaults(source)
        #expect(faults == [], "\(name)")
      }
    }
  }

  @Test("no error is matched by the name of a constraint")
  func constraintNames() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources", directoryHint: .isDirectory).standardizedFileURL
    let files = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
    for file in files where file.hasSuffix(".swift") {
      let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
      #expect(!text.contains(/constraint_?[nN]ame|PG_DIAG_CONSTRAINT/), "\(file)")
    }
  }

  // MARK: The rules can fail

  private static let planted: [(String, [String], String)] = [
    ("select position from aisle.events where position > $1", ["after"], "events is read without its tenant"),
    (
      "select s.name from aisle.streams s join aisle.events e on e.stream_id = s.id where s.tenant = $1",
      ["tenant"],
      "events is read without its tenant"
    ),
    (
      "select s.name from aisle.streams s join aisle.events e on e.stream_id = s.id and e.tenant = s.version where s.tenant = $1",
      ["tenant"], "events is read without its tenant"
    ),
    ("select 1 from aisle.events where tenant = $1", ["stream"], "events is read without its tenant"),
    (
      "update aisle.checkpoints set position = $1 where subscription = $2", ["p", "name"],
      "checkpoints is read without its tenant"
    ),
    (
      "delete from aisle.checkpoints where tenant >= $1", ["tenant"], "checkpoints is read without its tenant"
    ),
    (
      "insert into aisle.checkpoints (subscription) values ($1)", ["name"],
      "inserts into checkpoints without naming the tenant"
    ),
    (
      "select 1 from aisle.streams where tenant = $1 and pg_try_advisory_lock(1)", ["tenant"],
      "advisory locks are of one node"
    ),
    (
      "select txid_current() from aisle.log_head where tenant = $1", ["tenant"],
      "transaction ids are of one node"
    ),
    ("select 1 from aisle.nothing where tenant = $1", ["tenant"], "cannot be planned"),
    (
      "insert into aisle.checkpoints (tenant, subscription) values ($1, $2) on conflict on constraint checkpoints_pkey do nothing",
      ["tenant", "name"], "shards rename constraints"
    ),
  ]

  @Test("a planted statement that breaks a rule is found", arguments: planted)
  func plantedStatement(text: String, values: [String], fault: String) async throws {
    try await withRules { rules in
      let faults = try await rules.faults(SourceStatement(text: text, values: values))
      #expect(faults.contains { $0.hasPrefix(fault) }, "\(faults)")
    }
  }

  @Test("a function that is called or written without the tenant is found")
  func plantedFunction() async throws {
    try await withRules { rules in
      let call = SourceStatement(
        text: "select outcomes from aisle.append_batch($1, $2)", values: ["names", "tenant"])
      let faults = try await rules.faults(call)
      #expect(faults.contains("append_batch is called without the tenant as its first argument"))
      #expect(
        rules.functionFaults("begin select 1 into i from aisle.events e where e.position = 1; end")
          == ["events is used without its tenant"])
      #expect(
        rules.functionFaults("begin update aisle.streams t set version = 1 where t.tenant = for_tenant; end")
          == [])
      #expect(
        rules.functionFaults("begin insert into aisle.streams (id) values (1); end")
          == ["inserts into streams without naming the tenant"])
    }
  }

  @Test("statements are found in Swift with their lines and values")
  func scanner() {
    let source = ##"""
      // "select a comment from aisle.x"
      let a = "not a statement"
      try await pool.query(
        """
        select 1 from aisle.events
        where tenant = \(store.tenant.rawValue) and name = \(name(of: "a)", b))
        """)
      let b = "delete from aisle.t where tenant = \(tenant)"
      """##
    let found = SourceStatement.literals(of: "F.swift", source)
    #expect(found.map(\.line) == [4, 8])
    #expect(found.map(\.values) == [["store.tenant.rawValue", #"name(of: "a)", b)"#], ["tenant"]])
    #expect(found.map(\.tenants) == [[1], [1]])
    #expect(found.last?.text == "delete from aisle.t where tenant = $1")
  }
}

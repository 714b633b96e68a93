import EmbeddedPostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite("The test databases")
struct TestDatabaseTests {
  @Test("every test gets a database of its own, copied from a template that is prepared once")
  func template() async throws {
    let preparations = Atomic(0)
    let template = TestTemplate { conninfo in
      preparations.add(1, ordering: .relaxed)
      try execute("create table prepared as select 42 as answer", conninfo)
    }
    let names = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<4 {
        group.addTask {
          try await withTestDatabase(from: template) { conninfo in
            #expect(try execute("select answer from prepared", conninfo) == ["42"])
            return try execute("select current_database()", conninfo).joined()
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(names).count == 4)
    #expect(preparations.load(ordering: .relaxed) == 1)
  }

  @Test("a test's database is dropped, also when the test fails with sessions open")
  func dropped() async throws {
    struct Failed: Error {}
    let name = Mutex("")
    await #expect(throws: Failed.self) {
      try await withTestDatabase { conninfo in
        let session = try MaintenanceConnection(conninfo)
        name.withLock { $0 = (try? session.execute("select current_database()").joined()) ?? "" }
        try #require(!name.withLock(\.self).isEmpty)
        throw Failed()
      }
    }
    let cluster = try await TestCluster.shared()
    let left = try execute("select datname from pg_database", cluster.conninfo)
    #expect(!left.contains(name.withLock(\.self)))
  }
}

@discardableResult
private func execute(_ statement: String, _ conninfo: String) throws -> [String] {
  let connection = try MaintenanceConnection(conninfo)
  return try connection.execute(statement)
}

import EventStore
import PostgreSQL
import Services
import TestSupport
import Vocabulary

@testable import Scenarios

/// A run that was played once, of which any number of copies can be tampered with and judged.
struct PlayedSample: Sendable {
  /// Nobody is connected to its database any more, so it can be copied.
  private let played: Task<(ScenarioDatabase, Performance), any Error>

  init(_ yaml: String, file: String) {
    played = Task {
      let database = try await ScenarioDatabase.create(on: TestCluster.shared().conninfo)
      let plan = ScenarioPlan(try ScenarioFile.parse(yaml, file: file))
      let performance = try await ScenarioBench.engine().perform(plan, on: database) { $0 }
      return (database, performance)
    }
  }

  /// Judges a copy of the run after something was changed in it.
  func judge(
    _ tamper: (PostgresPool, inout Performance) async throws -> Void
  ) async throws -> [InvariantResult] {
    let (database, played) = try await played.value
    let server = try await TestCluster.shared().conninfo
    let copy = database.name + "_judged"
    let administrator = try PostgresPool(PostgresConfiguration(server), size: 1)
    try await administrator.withConnection { connection in
      try await connection.executeScript("drop database if exists \(copy) with (force)")
      try await connection.executeScript("create database \(copy) template \(database.name)")
    }
    await administrator.close()
    let pool = try PostgresPool(
      PostgresConfiguration(ConnectionString(server).with(database: copy)), size: 4)
    var performance = played
    performance.aisle = Aisle(pool: pool, time: SteeredClock(performance.simulatedEnd).source)
    do {
      try await tamper(pool, &performance)
      let results = try await Judge(performance).judgements()
      await pool.close()
      return results
    } catch {
      await pool.close()
      throw error
    }
  }
}

import EventStore
import Foundation
import Logging
import Ordering
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@testable import Scenarios

extension Runs {
  @Suite("that is cut short")
  struct Recovery {
    @Test("finishes orders that were left in the middle, also if nobody asks again")
    func unfinishedOrders() async throws {
      var scenario = try SampleReports.scenario("month-end-refund")
      scenario.actors = [scenario.actors[2]]
      scenario.invariants = [Invariant(.everyBookedSeatHasOneConfirmedOrder), Invariant(.noSeatLeftHeld)]
      let plan = ScenarioPlan(scenario)
      let database = try await ScenarioDatabase.create(on: TestCluster.shared().conninfo)
      let engine = try await ScenarioBench.engine()
      let results = try await engine.perform(plan, on: database) { performance in
        // As if the process had died between placing an order and confirming its hold.
        let aisle = performance.aisle
        let show = plan.shows[0].id
        let hold = try #require(HoldID.make(show: show, unique: "cut-short"))
        let buyer = BuyerID(unchecked: "cut-short")
        let held = try await aisle.booking.hold(
          hold, show: show, buyer: buyer, seats: .named([SeatID(unchecked: "B-7")]))
        let order = OrderID(unchecked: "cut-short")
        let line = Ordering.Line(
          seat: SeatID(unchecked: "B-7"), amount: held.hold.terms.total.minorUnits, taxRateBasisPoints: 700)
        let placed = Ordering.OrderPlaced(
          orderID: order, showID: show, holdID: hold, accountID: plan.accounts[0].id, buyer: buyer,
          lines: [line],
          total: held.hold.terms.total, paymentMethod: "card", placedAt: aisle.time.now)
        try await aisle.store.append(
          to: .order(order), expecting: .noStream, [NewEvent(Ordering.Event.orderPlaced(placed))])

        let clock = SteeredClock(aisle.time.now)
        let later = Aisle(pool: aisle.store.pool, time: clock.source)
        let outside = Outside(
          plan, pool: aisle.store.pool, time: clock.source, logger: Logger(label: "aisle.scenario"))
        try await Settlement(aisle: later, clock: clock, outside: outside, isTimed: true).run()
        #expect(try await later.ordering.order(order).state == .confirmed(placed))
        return try await Judge(performance).judgements()
      }
      try await database.drop()
      #expect(ScenarioBench.broken(results) == [], ScenarioBench.why(results))
    }

    @Test("fails if a worker ends that nobody killed")
    func deadWorker() async throws {
      let before = try await databases()
      let engine = try await ScenarioBench.engine { $0.executable = "/bin/true" }
      await #expect {
        try await engine.run(ScenarioPlan(try SampleReports.scenario("two-processes")))
      } throws: { error in
        (error as? ScenarioRunError)?.description.contains("ended by itself") == true
      }
      #expect(try await databases() == before)
    }

    @Test("leaves no database behind, unless it is to be kept")
    func cleanUp() async throws {
      let plan = ScenarioPlan(try SampleReports.scenario("month-end-refund"))
      let before = try await databases()
      #expect(try await ScenarioBench.engine().run(plan).database == nil)
      #expect(try await databases() == before)
      let kept = try await ScenarioBench.engine { $0.keepsDatabase = true }.run(plan).database
      let database = try #require(kept)
      #expect(try await databases() == before.union([database.name]))
      try await database.drop()
      #expect(try await databases() == before)
    }

    @Test("leaves no database behind when it is cancelled")
    func cancelled() async throws {
      let before = try await databases()
      let engine = try await ScenarioBench.engine()
      var scenario = try SampleReports.scenario("crash")
      scenario.actors[0].thinkTime = .seconds(600) ... .seconds(600)
      let plan = ScenarioPlan(scenario)
      let (begun, began) = AsyncStream.makeStream(of: Void.self)
      let run = Task {
        try await engine.run(plan) { _ in
          began.yield()
          began.finish()
        }
      }
      for await _ in begun { break }
      run.cancel()
      await #expect(throws: (any Error).self) { try await run.value }
      #expect(try await databases() == before)
    }

    @Test("says what to do if the role may not create databases")
    func rights() async throws {
      let server = try await TestCluster.shared().conninfo
      let pool = try PostgresPool(PostgresConfiguration(server), size: 1)
      try await pool.execute("drop role if exists scenario_guest")
      try await pool.execute("create role scenario_guest login")
      await #expect {
        try await ScenarioDatabase.create(on: server + " options='-c role=scenario_guest'")
      } throws: { error in
        let text = "\(error)"
        return text.contains("alter role scenario_guest createdb") && text.contains("AISLE_DATABASE_URL")
      }
      try await pool.execute("drop role scenario_guest")
      await pool.close()
    }

    private func databases() async throws -> Set<String> {
      let pool = try PostgresPool(PostgresConfiguration(try await TestCluster.shared().conninfo), size: 1)
      let names = try await pool.query("select datname::text from pg_database where datname like 'aisle%'")
        .map {
          try $0.decode(String.self)
        }
      await pool.close()
      return Set(names)
    }
  }
}

@Suite("A connection string for another database")
struct ConnectionStringTests {
  @Test(
    "keeps everything but the database",
    arguments: [
      ("host=/tmp port=5433 dbname=aisle", "host=/tmp port=5433 dbname=aisle dbname=other"),
      ("postgresql://me@db.example/aisle", "postgresql://me@db.example/aisle?dbname=other"),
      ("postgres://db/aisle?sslmode=require", "postgres://db/aisle?sslmode=require&dbname=other"),
      ("aisle", "dbname=other"),
    ])
  func replaced(text: String, expected: String) {
    #expect(ConnectionString(text).with(database: "other") == expected)
  }

  @Test("is understood by libpq in both forms", arguments: [true, false])
  func understood(asURI: Bool) async throws {
    let cluster = try await TestCluster.shared().conninfo
    try await withTestDatabase { conninfo in
      let own = try PostgresPool(PostgresConfiguration(conninfo), size: 1)
      let name = try await own.query("select current_database()").first?.decode(String.self) ?? ""
      let host = try await own.query(
        "select current_setting('unix_socket_directories'), current_setting('port'), current_user"
      )
      .first?.decode(String.self, String.self, String.self)
      let (directory, port, user) = try #require(host)
      await own.close()
      let escaped = directory.replacingOccurrences(of: "/", with: "%2F")
      let server = asURI ? "postgresql://\(user)@\(escaped):\(port)/postgres" : cluster
      let pool = try PostgresPool(
        PostgresConfiguration(ConnectionString(server).with(database: name)), size: 1)
      #expect(try await pool.query("select current_database()").first?.decode(String.self) == name)
      await pool.close()
    }
  }
}

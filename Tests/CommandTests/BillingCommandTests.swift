import Booking
import Foundation
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("aisle billing, lake, events and projections")
struct BillingCommandTests {
  /// A log with one confirmed order over 90.00 EUR, and the command on its database.
  private func withOneOrder(_ body: (AisleProgram, PostgresPool, Month) async throws -> Void) async throws {
    try await withMigratedDatabase { pool in
      let aisle = Aisle(pool: pool)
      let show = ShowID(unchecked: "hamlet")
      let hold = HoldID(unchecked: "hamlet:h1")
      let seats = ["A-1", "A-2"].map { SeatID(unchecked: $0) }
      try await aisle.booking.schedule(
        Booking.Schedule(
          showID: show, title: "Hamlet", startsAt: aisle.time.now + .seconds(86_400), currency: .eur,
          taxRateBasisPoints: 700, holdTTLSeconds: 600,
          sections: [
            .init(
              id: SectionID(unchecked: "stalls"), price: 4500,
              rows: [.init(id: RowID(unchecked: "A"), seats: 2)])
          ]))
      _ = try await aisle.booking.hold(
        hold, show: show, buyer: BuyerID(unchecked: "ada"), seats: .named(seats))
      let order = try await aisle.ordering.place(
        OrderID(unchecked: "o-1"), hold: hold, account: AccountID(unchecked: "acc-7"), paymentMethod: "card")
      // The account is in UTC, so the month is that of the last event, whatever the time of the test.
      let recorded = try await pool.query(
        "select to_char(max(recorded_at) at time zone 'UTC', 'YYYY-MM') from aisle.events")
      let name = try #require(recorded.first).decode(String.self)
      let month = try #require(Month(name))
      guard case .confirmed = order.state else {
        Issue.record("\(order.state)")
        return
      }
      try await body(AisleProgram(database: pool.configuration.connectionString), pool, month)
    }
  }

  private func json(_ text: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(text.utf8))
  }

  @Test("the tables, the log and the exported files give the same bill, for people and for programs")
  func threeSources() async throws {
    try await withOneOrder { aisle, _, month in
      let directory = FileManager.default.temporaryDirectory.appending(path: "aisle-lake-\(UUID())")
      defer { try? FileManager.default.removeItem(at: directory) }
      let live = try await aisle.run("billing", "month", "\(month)", "--account", "acc-7", "--json")
      let export = try await aisle.run("lake", "export", "--to", directory.path)
      #expect(export.status == 0, "\(export.errors)")
      let batch = try await aisle.run(
        "billing", "month", "\(month)", "--account", "acc-7", "--source", "batch", "--json")
      let lake = try await aisle.run(
        "billing", "month", "\(month)", "--account", "acc-7", "--source", "lake", "--lake", directory.path,
        "--json")

      let fromTables = try #require(try json(live.output) as? [[String: Any]])
      let fromLog = try #require(try json(batch.output) as? [[String: Any]])
      let fromFiles = try #require(try json(lake.output) as? [[String: Any]])
      for bills in [fromTables, fromLog, fromFiles] {
        #expect(bills.map { ($0["due"] as? [String: Any])?["amount"] as? Int } == [9000])
        #expect(bills.map { ($0["tax"] as? [String: Any])?["amount"] as? Int } == [588])
      }
      #expect(fromTables.first?["digest"] as? String == fromLog.first?["digest"] as? String)
      let table = try await aisle.run("billing", "month", "\(month)")
      #expect(table.output.contains("acc-7"))
      #expect(table.output.contains("90.00"))
    }
  }

  @Test(
    "another engine on the lake gives the same bill to the byte; without it, the command says how to get it")
  func engines() async throws {
    try await withOneOrder { aisle, _, month in
      let directory = FileManager.default.temporaryDirectory.appending(path: "aisle lake 'n [x]-\(UUID())")
      defer { try? FileManager.default.removeItem(at: directory) }
      #expect(try await aisle.run("lake", "export", "--to", directory.path).status == 0)
      let common = ["billing", "month", "\(month)", "--source", "lake", "--lake", directory.path, "--json"]
      let folded = try await aisle.run(arguments: common)
      let engine = ["--engine", "duckdb", "--engine-program", try LakeReaders.duckdb()]
      let asked = try await aisle.run(arguments: common + engine)
      #expect(asked.status == 0, "\(asked.errors)")
      #expect(asked.output == folded.output && asked.output.contains("9000"))
      let other = try await aisle.run(arguments: common + engine + ["--account", "acc-8"])
      #expect(try json(other.output) as? [String] == [])
      let missing = try await aisle.run(
        arguments: common + ["--engine", "duckdb", "--engine-program", "/no/duckdb"])
      #expect(missing.status == 1 && missing.errors.contains("https://duckdb.org"), "\(missing.errors)")
      let wrong = try await aisle.run("billing", "month", "\(month)", "--engine", "duckdb")
      #expect(wrong.status == 64)

      let lines = directory.appending(path: "lines")
      let export = try await aisle.run("lake", "export", "--to", lines.path, "--format", "ndjson")
      #expect(export.status == 0)
      let refused = try await aisle.run(
        arguments: ["billing", "month", "\(month)", "--source", "lake", "--lake", lines.path] + engine)
      #expect(refused.status == 1 && refused.errors.contains("holds ndjson"), "\(refused.errors)")
    }
  }

  @Test("Spark on the lake gives the same bill to the byte")
  func spark() async throws {
    try await withOneOrder { aisle, _, month in
      let directory = FileManager.default.temporaryDirectory.appending(path: "aisle-lake-\(UUID())")
      defer { try? FileManager.default.removeItem(at: directory) }
      #expect(try await aisle.run("lake", "export", "--to", directory.path).status == 0)
      let common = ["billing", "month", "\(month)", "--source", "lake", "--lake", directory.path, "--json"]
      let folded = try await aisle.run(arguments: common)
      let (program, environment) = try LakeReaders.spark()
      // It needs no database.
      let asked = try await AisleProgram(environment: environment).run(
        arguments: common + ["--engine", "spark", "--engine-program", program, "--spark-master", "local[1]"])
      #expect(asked.status == 0, "\(asked.errors)")
      #expect(asked.output == folded.output && asked.output.contains("9000"))
    }
  }

  @Test("a lake goes on in its format, another one is refused, and --vacuum removes what was left behind")
  func formats() async throws {
    try await withOneOrder { aisle, pool, _ in
      let directory = FileManager.default.temporaryDirectory.appending(path: "aisle-lake-\(UUID())")
      defer { try? FileManager.default.removeItem(at: directory) }
      #expect(try await aisle.run("lake", "export", "--to", directory.path, "--format", "ndjson").status == 0)
      let other = try await aisle.run("lake", "export", "--to", directory.path, "--format", "delta")
      #expect(other.status == 1 && other.errors.contains("leave --format out"), "\(other.errors)")
      let on = try await aisle.run("lake", "export", "--to", directory.path)
      #expect(on.status == 0 && on.output.contains("nothing new"))

      let delta = directory.appending(path: "delta")
      #expect(try await aisle.run("lake", "export", "--to", delta.path).status == 0)
      let left = delta.appending(path: "_temporary/events-x.tmp")
      try Data("x".utf8).write(to: left)
      let vacuum = try await aisle.run("lake", "export", "--to", delta.path, "--vacuum")
      #expect(vacuum.status == 0 && vacuum.output.contains("removed 1 files"), "\(vacuum.errors)")
      #expect(!FileManager.default.fileExists(atPath: left.path))
      #expect(try await aisle.run("lake", "export", "--to", delta.path, "--vacuum", "--follow").status == 64)
      let verify = try await aisle.run("lake", "verify", delta.path)
      #expect(verify.status == 0 && verify.output.contains("every position"))
    }
  }

  @Test("reconcile ends with 0 while all agree, and with 1 and the line at fault when a cent is changed")
  func reconcile() async throws {
    try await withOneOrder { aisle, pool, month in
      let sound = try await aisle.run("billing", "reconcile", "\(month)")
      #expect(sound.status == 0, "\(sound.errors)")
      #expect(sound.output.contains("✓ 1 bills with 2 lines"))

      try await pool.execute("update aisle.billing_lines set amount = amount + 1 where line_no = 2")

      let broken = try await aisle.run("billing", "reconcile", "\(month)")
      #expect(broken.status == 1)
      #expect(broken.output.contains("line 2: amount is 4501 in the tables and 4500 by the log"))
      #expect(broken.errors.contains("1 differences"))
      // A rebuild mends it.
      #expect(try await aisle.run("billing", "rebuild").status == 0)
      #expect(try await aisle.run("billing", "reconcile", "\(month)").status == 0)
    }
  }

  @Test("events are listed, shown whole, and the projections say how far they are")
  func looking() async throws {
    try await withOneOrder { aisle, _, _ in
      let events = try await aisle.run("events", "read", "order-o-1")
      #expect(events.status == 0)
      #expect(events.output.contains("order-placed") && events.output.contains("order-confirmed"))
      let one = try await aisle.run("events", "show", "1")
      #expect(one.output.contains("show-scheduled") && one.output.contains("Hamlet"))
      let none = try await aisle.run("events", "show", "999")
      #expect(none.status == 1)
      #expect(none.errors.contains("999"))
      let projections = try await aisle.run("projections", "list", "--json")
      #expect(try json(projections.output) is [[String: Any]])
    }
  }

  @Test("a month, a lake and a source that make no sense are wrong usage")
  func misuse() async throws {
    let aisle = AisleProgram()
    #expect(try await aisle.run("billing", "month", "2026-13").status == 64)
    #expect(try await aisle.run("billing", "month", "2026-11", "--source", "guess").status == 64)
    let noLake = try await aisle.run("billing", "month", "2026-11", "--source", "lake")
    #expect(noLake.status == 64)
    #expect(noLake.errors.contains("--source lake needs --lake DIR"))
  }
}

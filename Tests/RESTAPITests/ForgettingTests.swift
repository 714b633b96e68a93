import Booking
import EventStore
import Foundation
import Hummingbird
import Logging
import PostgreSQL
import Services
import TestSupport
import Testing
import Vocabulary

@Suite("Forgetting a person")
struct ForgettingTests {
  /// Like nothing else that could be in a database or a log.
  private static let marker = "Zoe-Marker-4711"
  private static let buyer = DataSubject(kind: "buyer", name: marker)
  private static let account = DataSubject(kind: "account", name: "acc-1")

  /// Every table of the database that holds a text, in plain or as bytes.
  private func tables(holding text: String, _ conninfo: String) async throws -> [String] {
    try await withPool(conninfo, size: 1) { pool in
      let tables = try await pool.query(
        """
        select format('%I.%I', n.nspname, c.relname)
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
        """
      ).map { try $0.decode(String.self) }
      #expect(tables.count > 10)
      let bytes = Array(text.utf8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
      var found: [String] = []
      for table in tables {
        let rows = try await pool.query(
          SQL(
            "select count(*) from \(table) t where t::text ilike '%\(text)%' or t::text ilike '%\(bytes)%'",
            []))
        if try rows.first?.decode(Int.self) != 0 { found.append(table) }
      }
      return found
    }
  }

  private func bills(_ fixture: RESTFixture) async throws -> [String] {
    var bills: [String] = []
    for source in ["pre-aggregated", "batch"] {
      let answer = try await fixture.get("/v1/accounts/acc-1/bills/2026-11?source=\(source)").expecting(.ok)
      bills.append(answer.json.without("as_of_position").text)
      bills.append(
        try await fixture.get("/v1/accounts/acc-1/bills/2026-11/lines").expecting(.ok).json["data"].text)
    }
    return bills
  }

  /// What the whole interface says about the buyer's things, and the whole feed.
  private func answers(_ fixture: RESTFixture, hold: String, order: String) async throws -> String {
    var text = ""
    for path in [
      "/v1/shows/hamlet", "/v1/shows/hamlet/seats", "/v1/orders/\(order)", "/v1/orders",
      "/v1/events?limit=1000",
      "/v1/accounts/acc-1/bills/2026-11/lines", "/v1/billing/months/2026-11", "/actuator/health",
      "/actuator/env",
    ] { text += try await fixture.get(path).text + "\n" }
    return text
  }

  @Test(
    "leaves the name nowhere: no table, answer, feed, export, rebuild or log; bills and others stay as they are"
  )
  func everywhere() async throws {
    let log = Shared("")
    var logger = Logger(label: "captured") { _ in CapturingLog(text: log) }
    logger.logLevel = .trace
    try await RESTFixture.with(logger: logger) { fixture in
      try await fixture.schedule()
      let opening: JSON = ["account_id": "acc-1", "name": .string(Self.marker), "time_zone": "Europe/Vienna"]
      try await fixture.post("/v1/accounts", opening).expecting(.created)
      let hold = try await fixture.hold(["A-1", "A-2"], buyer: Self.marker)
      let order = try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created)
      let orderID = try #require(order.json["order_id"].string)
      let pending = try await fixture.hold(["A-3"], buyer: Self.marker)
      let others = try await fixture.hold(["A-4"], buyer: "bob")
      try await fixture.post("/v1/orders", RESTFixture.order(others)).expecting(.created)
      try await fixture.settle()

      // It was there.
      let before = try await answers(fixture, hold: hold, order: orderID)
      #expect(before.contains(Self.marker))
      let held = try await tables(holding: Self.marker, fixture.conninfo)
      #expect(Set(held) == ["aisle.holds", "aisle.orders"], "the log itself has it sealed")
      let about = try await fixture.aisle.privacy.export(Self.buyer)
      #expect(about.map(\.type) == ["seats-held", "order-placed", "seats-held"])
      let bills = try await bills(fixture)

      _ = try await fixture.aisle.privacy.forget(Self.buyer)
      _ = try await fixture.aisle.privacy.forget(Self.account)

      let after = try await answers(fixture, hold: hold, order: orderID)
      #expect(!after.contains(Self.marker) && after.contains(forgottenText) && after.contains("bob"))
      let found = try await tables(holding: Self.marker, fixture.conninfo)
      #expect(found == [])
      try await #expect(self.bills(fixture) == bills)

      // Who has something held can still buy it, and is not named again by what was in memory.
      let late = try await fixture.post("/v1/orders", RESTFixture.order(pending)).expecting(.created)
      #expect(late.json["buyer"] == .string(forgottenText))
      try await fixture.settle()

      // Rebuilt from the first event.
      let readModels = ["aisle.shows", "aisle.holds", "aisle.orders", "aisle.taken_seats"]
      let rows = try await contents(of: readModels, fixture)
      for table in readModels { try await fixture.pool.execute(SQL("delete from \(table)", [])) }
      try await fixture.pool.execute(
        """
        update aisle.checkpoints
        set position = 0, epoch = epoch + 1, owner = null, lease_expires_at = clock_timestamp()
        where subscription in ('shows', 'orders')
        """)
      try await fixture.settle()
      let rebuilt = try await contents(of: readModels, fixture)
      #expect(rebuilt == rows && rows.count > 5)
      let foundAfterRebuild = try await tables(holding: Self.marker, fixture.conninfo)
      #expect(foundAfterRebuild == [])

      let exported = Shared("")
      let head = try await fixture.aisle.store.head()
      try await fixture.aisle.store.export(after: .start, through: head) { events in
        exported.update { text in for event in events { text += String(decoding: event.data, as: UTF8.self) }
        }
      }
      #expect(exported.value.contains("$sealed") && !exported.value.contains(Self.marker))
      #expect(!log.value.isEmpty && !log.value.contains(Self.marker))
      let error = await #expect(throws: ServiceError.self) {
        try await fixture.aisle.privacy.export(Self.buyer)
      }
      guard case .notFound = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  private func contents(of tables: [String], _ fixture: RESTFixture) async throws -> [String] {
    var rows: [String] = []
    for table in tables {
      rows += try await fixture.pool.query(SQL("select t::text from \(table) t order by 1", [])).map {
        try $0.decode(String.self)
      }
    }
    return rows
  }

  @Test("a process that has folded the show and read the feed before stops giving the name within seconds")
  func otherProcess() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"], buyer: Self.marker)
      try await withPool(servicesConfiguration(fixture.conninfo), size: 2) { pool in
        let other = Aisle(pool: pool, time: fixture.clock.source, logger: .silent)
        _ = try await other.privacy.forget(Self.buyer)
      }
      _ = try await eventually("the order's buyer is nobody", within: .seconds(30)) {
        try await fixture.get("/v1/events?type=seats-held").text
      } until: {
        !$0.contains(Self.marker)
      }
      let order = try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created)
      #expect(order.json["buyer"] == .string(forgottenText))
    }
  }

  @Test(
    "is refused while events of an earlier release name the person, and done after the owner has sealed them")
  func sealedLater() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let held = Booking.SeatsHeld(
        holdID: HoldID(unchecked: "hamlet:old"), buyer: BuyerID(unchecked: Self.marker),
        seats: [SeatID(unchecked: "A-1")], total: Money(4500, .eur), heldAt: RESTFixture.start,
        expiresAt: RESTFixture.start + .seconds(600))
      let clear = NewEvent(type: "seats-held", data: Array(try JSONEncoder().encode(held)))
      try await fixture.aisle.store.append(
        to: StreamName(category: "show", id: "hamlet"), expecting: .version(1), [clear])
      _ = try await fixture.hold(["A-2"], buyer: Self.marker)
      try await fixture.settle()
      let error = await #expect(throws: ServiceError.self) {
        try await fixture.aisle.privacy.forget(Self.buyer)
      }
      #expect(error?.description.contains("seal-log") == true)
      // Nothing was done.
      let events = try await fixture.aisle.privacy.export(Self.buyer)
      #expect(events.count == 1)

      try await withPool(fixture.conninfo, size: 2) { owner in
        let first = try await fixture.aisle.privacy.sealLog(as: owner)
        let second = try await fixture.aisle.privacy.sealLog(as: owner)
        #expect(first == 1 && second == 0)
      }
      let sealed = try await fixture.aisle.privacy.export(Self.buyer)
      #expect(sealed.count == 2)
      _ = try await fixture.aisle.privacy.forget(Self.buyer)
      let found = try await tables(holding: Self.marker, fixture.conninfo)
      #expect(found == [])
    }
  }

  @Test(
    "is refused while a payment method of an earlier release stands in the clear, and done after it was sealed"
  )
  func paymentMethodSealedLater() async throws {
    try await RESTFixture.with { fixture in
      try await fixture.schedule()
      let hold = try await fixture.hold(["A-1"], buyer: Self.marker)
      try await fixture.post("/v1/orders", RESTFixture.order(hold)).expecting(.created)
      // Given an order as the release before stored it: the name sealed, how it was paid not
      try await fixture.asOwner(
        "update aisle.events set data = jsonb_set(data, '{payment_method}', '\"invoice\"') where type = 'order-placed'"
      )
      try await fixture.settle()
      let error = await #expect(throws: ServiceError.self) {
        try await fixture.aisle.privacy.forget(Self.buyer)
      }
      #expect(error?.description.contains("seal-log") == true)
      try await withPool(fixture.conninfo, size: 2) { owner in
        let first = try await fixture.aisle.privacy.sealLog(as: owner)
        let second = try await fixture.aisle.privacy.sealLog(as: owner)
        #expect(first == 1 && second == 0)
      }
      _ = try await fixture.aisle.privacy.forget(Self.buyer)
      let listed = try await fixture.get("/v1/orders").json["data"].array
      #expect(listed.map(\.["payment_method"]) == [.string(forgottenText)])
      let found = try await tables(holding: "\"invoice\"", fixture.conninfo)
      #expect(found == [])
    }
  }

  @Test("the placeholder is nobody's name: it cannot be given from outside")
  func placeholder() async throws {
    try await RESTFixture.with(roles: []) { fixture in
      try await fixture.schedule()
      let body: JSON = ["buyer": .string(forgottenText), "seats": ["A-1"]]
      let answer = try await fixture.post("/v1/shows/hamlet/holds", body)
      #expect(answer.status == .badRequest || answer.status == .unprocessableContent)
    }
  }
}

private struct CapturingLog: LogHandler {
  let text: Shared<String>
  var logLevel = Logger.Level.trace
  var metadata: Logger.Metadata = [:]

  init(text: Shared<String>) { self.text = text }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    text.update { $0 += "\(event.message) \(event.metadata ?? [:]) \(metadata)\n" }
  }
}

import Billing
import EventStore
import Foundation
import PostgreSQL
import Synchronization
import TestSupport
import Testing
import Vocabulary

@testable import Services

@Suite("A month that closes")
struct BillingCloseTests {
  static let october = Month(year: 2026, month: 10) ?? Month(of: .init(microseconds: 0))
  /// October 2026 is over everywhere.
  static let later = Timestamp(rfc3339: "2026-11-02T12:00:00Z") ?? Timestamp(microseconds: 0)

  private func order(
    _ id: String, _ account: String = "ann", _ amount: Int64 = 1070,
    at instant: String = "2026-10-20T12:00:00Z",
    currency: Currency = .eur
  ) throws -> BilledOrder {
    BilledOrder(
      id: id, account: account, at: try .at(instant), currency: currency, seats: [(amount: amount, rate: 700)]
    )
  }

  @Test("gives each bill the next number, and the bill says so from the tables and from the log")
  func numbers() async throws {
    try await withBilling(at: Self.later) { fixture in
      for account in ["bob", "ann", "cem"] { try await fixture.confirm(order("o-\(account)", account)) }
      try await fixture.confirm(order("o-yen", "ann", 500, currency: .jpy))
      let through = try await fixture.store.head()
      let open = try await fixture.bill("ann", "2026-10", source: .batch)
      let closing = try await fixture.billing.close(Self.october)
      #expect(closing.failures == [] && closing.closedCount == 4)
      #expect(
        closing.invoices.map { "\($0.accountID) \($0.currency) \($0.invoiceNumber)" } == [
          "ann EUR INV-2026-000001", "ann JPY INV-2026-000002", "bob EUR INV-2026-000003",
          "cem EUR INV-2026-000004",
        ])
      try await fixture.catchUp()
      for source in [BillSource.batch, .preAggregated] {
        let bills = try await fixture.bill("ann", "2026-10", source: source)
        #expect(bills.map(\.status) == [.closed, .closed])
        #expect(bills.map(\.invoiceNumber?.description) == ["INV-2026-000001", "INV-2026-000002"])
        #expect(bills.map(\.asOfPosition) == [through, through])
        #expect(bills.map(\.digest) == open.map(\.digest) && bills.map(\.due) == open.map(\.due))
      }
      let again = try await fixture.billing.close(Self.october)
      #expect(again.closedCount == 0 && again.closedBeforeCount == 4 && again.failures == [])
    }
  }

  @Test("is refused before it is over by the account's clock, with the instant from which it can be closed")
  func notOver() async throws {
    let midnight = try Timestamp.at("2026-11-01T04:00:00Z")  // in New York
    try await withBilling(at: midnight - .microseconds(1)) { fixture in
      try await fixture.open("ny", in: "America/New_York")
      try await fixture.open("rome", in: "Europe/Rome")
      try await fixture.confirm(order("o-1", "ny"))
      try await fixture.confirm(order("o-2", "rome"))
      await #expect {
        _ = try await fixture.billing.close(Self.october, account: AccountID(unchecked: "ny"))
      } throws: { error in
        guard case ServiceError.billingRejected(let rejection) = error else { return false }
        return rejection
          == .monthNotOver(Self.october, zone: "America/New_York", until: midnight)
      }
      // The others are closed all the same.
      let closing = try await fixture.billing.close(Self.october)
      #expect(closing.invoices.map(\.accountID.rawValue) == ["rome"])
      #expect(closing.failures.map(\.accountID.rawValue) == ["ny"] && closing.failedCount == 1)
      #expect(closing.failures.first?.code == "month-not-over")
      #expect(closing.failures.first?.message.contains("2026-11-01T04:00:00Z") == true)

      let later = BillingService(store: fixture.store, time: TimeSource { midnight })
      let retried = try await later.close(Self.october)
      #expect(retried.invoices.map(\.invoiceNumber.description) == ["INV-2026-000002"])
      #expect(retried.closedBeforeCount == 1)
      // Nowhere on earth is November over.
      await #expect(throws: ServiceError.self) { try await later.close(Self.october.next) }
    }
  }

  @Test("an unknown account is not found, and one without a bill has nothing to close")
  func nothingToClose() async throws {
    try await withBilling(at: Self.later) { fixture in
      await #expect(throws: ServiceError.self) {
        try await fixture.billing.close(Self.october, account: AccountID(unchecked: "nobody"))
      }
      try await fixture.open("ann", in: "UTC")
      let closing = try await fixture.billing.close(Self.october, account: AccountID(unchecked: "ann"))
      #expect(closing == MonthClosing(Self.october))
    }
  }

  @Test("what comes later is an adjustment on the next open bill, and names the invoice that it corrects")
  func adjustments() async throws {
    try await withBilling(at: .at("2026-12-02T00:00:00Z")) { fixture in
      let first = try order("o-1")
      try await fixture.confirm(first)
      try await fixture.confirm(order("o-2", at: "2026-11-03T00:00:00Z"))
      _ = try await fixture.billing.close(Self.october)
      try await fixture.catchUp()
      let closed = try await fixture.bill("ann", "2026-10")

      // Into November; then, with November closed too, into December.
      try await fixture.confirm(order("o-late"))
      try await fixture.catchUp()
      _ = try await fixture.billing.close(Self.october.next)
      try await fixture.cancel(first, at: .at("2026-10-21T00:00:00Z"))
      // Bob has no invoice, so October is open for him.
      try await fixture.confirm(order("o-bob", "bob"))
      try await fixture.catchUp()

      for source in [BillSource.batch, .preAggregated] {
        func lines(_ month: Month, _ account: String = "ann") async throws -> [String] {
          try await fixture.billing.lines(AccountID(unchecked: account), month, source: source).lines.map {
            "\($0.kind.rawValue) \($0.orderID) \($0.adjustment.map { "\($0.serviceMonth) \($0.corrects)" } ?? "-")"
          }
        }
        let october = try await lines(Self.october)
        let november = try await lines(Self.october.next)
        let december = try await lines(Self.october.next.next)
        let bob = try await lines(Self.october, "bob")
        #expect(october == ["charge o-1 -"])
        #expect(november == ["charge o-2 -", "charge o-late 2026-10 INV-2026-000001"])
        #expect(december == ["refund o-1 2026-10 INV-2026-000001"])
        #expect(bob == ["charge o-bob -"])
        let bill = try await fixture.bill("ann", "2026-10", source: source)
        #expect(bill.map(\.figures) == closed.map(\.figures))
        #expect(bill.map(\.asOfPosition) == closed.map(\.asOfPosition))
      }
      for month in [Self.october, Self.october.next, Self.october.next.next] {
        let result = try await fixture.billing.reconcile(month)
        #expect(result.isEqual, "\(result.differences)")
      }
      // The account's stream says the same to whoever reads it.
      let entries = try await fixture.accountEvents().map { event -> Billing.Entry? in
        switch try event.decode(as: Billing.Event.self) {
        case .charged(let entry), .refunded(let entry): entry
        case .accountOpened, .accountZoneChanged, .monthClosed, .creditNoteIssued: nil
        }
      }
      #expect(
        entries.compactMap { $0?.adjusts?.corrects.description } == ["INV-2026-000001", "INV-2026-000001"])
    }
  }

  // MARK: What comes in between

  @Test(
    "an order that arrives while a bill is being closed is on the bill, never lost between the two",
    arguments: [MonthCloser.Step.billsRead, .deciding])
  func overtaken(step: MonthCloser.Step) async throws {
    try await withBilling(at: Self.later) { fixture in
      try await fixture.confirm(order("o-1"))
      try await fixture.confirm(order("o-2", "bob"))
      let late = try order("o-late").confirmed()
      let once = Mutex(false)
      var closer = fixture.billing.closer
      closer.reached = { reached, bill in
        guard reached == step, bill == nil || bill?.accountID.rawValue == "ann" else { return }
        guard
          once.withLock({ seen in
            defer { seen = true }
            return !seen
          })
        else { return }
        try await fixture.append([late])
        // The tables have it in October, as the log has not closed it yet.
        try await fixture.catchUp()
      }
      let closing = try await fixture.billing.close(
        Self.october, account: nil, RequestContext(), by: closer)
      #expect(once.withLock { $0 })
      #expect(closing.closedCount == 2 && closing.failures == [])
      try await fixture.catchUp()
      let result = try await fixture.billing.reconcile(Self.october)
      #expect(result.isEqual, "\(result.differences)")
      for source in [BillSource.batch, .preAggregated] {
        let bill = try #require(try await fixture.bill("ann", "2026-10", source: source).first)
        #expect(bill.status == .closed && bill.lines == 2 && bill.due == Money(2140, .eur))
        let invoice = try #require(try await fixture.billing.invoices(of: bill.accountID).first)
        #expect(invoice.digest == bill.digest && invoice.lines == 2 && invoice.due == bill.due)
      }
      let numbers = try await fixture.invoiceNumbers()
      #expect(numbers == ["INV-2026-000001", "INV-2026-000002"])
    }
  }

  // MARK: Numbers

  @Test("however many close at once, every bill gets one number, and no number is left out")
  func manyClosers() async throws {
    try await withBilling(at: Self.later) { fixture in
      for number in 1...25 { try await fixture.confirm(order("o-\(number)", "acc-\(number)")) }
      let closed = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 1...4 {
          group.addTask {
            try await withPool(servicesConfiguration(fixture.conninfo), size: 2) { pool in
              let other = BillingService(store: EventStore(pool: pool), time: TimeSource { Self.later })
              let closing = try await other.close(Self.october)
              #expect(closing.failures == [])
              #expect(closing.closedCount + closing.closedBeforeCount == 25)
              return closing.closedCount
            }
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(closed == 25)
      try await fixture.expectNumbersWithoutGaps(25)
    }
  }

  @Test("two closers on different sides of New Year give a bill one invoice")
  func newYear() async throws {
    let instants = [try Timestamp.at("2026-12-31T23:59:59Z"), try Timestamp.at("2027-01-01T00:00:00Z")]
    try await withBilling { fixture in
      try await fixture.confirm(order("o-1"))
      let slow = BillingService(store: fixture.store, time: TimeSource { instants[0] })
      let fast = BillingService(store: fixture.store, time: TimeSource { instants[1] })
      var closer = slow.closer
      closer.reached = { step, _ in
        if step == .deciding { _ = try await fast.close(Self.october) }
      }
      let closing = try await slow.close(Self.october, account: nil, RequestContext(), by: closer)
      #expect(closing.closedCount == 0 && closing.closedBeforeCount == 1 && closing.failures == [])
      #expect(try await fixture.invoiceNumbers() == ["INV-2027-000001"])
      #expect(try await fixture.closings() == ["INV-2027-000001"])
    }
  }

  @Test("closers of several months, while orders for them go on, leave no number out and lose no line")
  func closersAndOrders() async throws {
    try await withBilling(at: .at("2027-01-02T12:00:00Z")) { fixture in
      let months = [Self.october, Self.october.next, Self.october.next.next]
      func order(_ number: Int) throws -> BilledOrder {
        let month = months[number % 3].month
        return try self.order(
          "o-\(number)", "acc-\(number % 7)", Int64(number), at: "2026-\(month)-20T12:00:00Z")
      }
      for number in 1...42 { try await fixture.confirm(order(number)) }
      let closed = try await withThrowingTaskGroup(of: Int.self) { group in
        group.addTask {
          for number in 43...140 { try await fixture.confirm(order(number)) }
          return 0
        }
        for month in months + months {
          group.addTask {
            try await withPool(servicesConfiguration(fixture.conninfo), size: 2) { pool in
              let other = BillingService(store: EventStore(pool: pool), time: fixture.billing.time)
              let closing = try await other.close(month)
              #expect(closing.failures == [])
              return closing.closedCount
            }
          }
        }
        return try await group.reduce(0, +)
      }
      // What came after the closes, too.
      let rest = try await fixture.billing.close(months[2])
      try await fixture.catchUp()
      let numbers = try await fixture.invoiceNumbers()
      let closings = try await fixture.closings()
      #expect(closings.count == closed + rest.closedCount && closed >= 21)
      #expect(
        numbers
          == (1...closings.count).map {
            DocumentNumber(series: .invoice, year: 2027, ordinal: Int64($0)).description
          })
      #expect(closings == numbers)
      var billed: Int64 = 0
      for month in sequence(first: Self.october, next: { $0.next }).prefix(5) {
        let result = try await fixture.billing.reconcile(month)
        #expect(result.isEqual, "\(result.differences)")
        billed += try await fixture.billing.monthOverview(month, source: .batch).bills
          .reduce(0) { $0 + $1.gross.minorUnits }
      }
      #expect(billed == 140 * 141 / 2)
    }
  }

  // MARK: Deaths

  @Test(
    "a closer that dies at any step leaves no number out and none twice; the next one goes on",
    arguments: MonthCloser.Step.allCases, [1, 4, 6])
  func dies(step: MonthCloser.Step, at index: Int) async throws {
    try await withBilling(at: Self.later) { fixture in
      for number in 1...6 { try await fixture.confirm(order("o-\(number)", "acc-\(number)")) }
      var closer = fixture.billing.closer
      closer.reached = { reached, bill in
        // Nothing is caught on the way out, and what is under way is rolled back, as when the process is killed.
        if reached == step, bill == nil || bill?.accountID.rawValue == "acc-\(index)" {
          throw CancellationError()
        }
      }
      let mortal = closer
      await #expect(throws: ServiceError.self) {
        try await fixture.billing.close(Self.october, account: nil, RequestContext(), by: mortal)
      }
      let before = try await fixture.closings().count
      try await fixture.expectNumbersWithoutGaps(before)
      let closing = try await fixture.billing.close(Self.october)
      #expect(closing.closedCount + before == 6 && closing.failures == [])
      try await fixture.expectNumbersWithoutGaps(6)
    }
  }

  @Test(
    "a closer whose connection is cut at any step closes the bill all the same, once",
    arguments: [MonthCloser.Step.deciding, .appended, .committed])
  func disconnected(step: MonthCloser.Step) async throws {
    try await withBilling(at: Self.later) { fixture in
      for number in 1...6 { try await fixture.confirm(order("o-\(number)", "acc-\(number)")) }
      let cuts = Mutex(0)
      var closer = fixture.billing.closer
      closer.reached = { reached, bill in
        guard reached == step, bill?.accountID.rawValue == "acc-3" else { return }
        guard
          cuts.withLock({ cuts in
            cuts += 1
            return cuts == 1
          })
        else { return }
        try await fixture.cutConnections()
        // Nobody hears what became of the commit.
        if step == .committed { throw ServiceError.outcomeUnknown("the connection was lost") }
      }
      let closing = try await fixture.billing.close(
        Self.october, account: nil, RequestContext(), by: closer)
      #expect(cuts.withLock { $0 } >= 1)
      #expect(closing.closedCount + closing.closedBeforeCount == 6 && closing.failures == [])
      try await fixture.expectNumbersWithoutGaps(6)
    }
  }

  // MARK: What cannot be closed

  @Test("a bill that cannot be closed is parked with its reason and keeps nobody; one call retries it")
  func parked() async throws {
    try await withBilling(at: Self.later) { fixture in
      for account in ["ann", "bob", "cem"] { try await fixture.confirm(order("o-\(account)", account)) }
      let isBroken = Mutex(true)
      var closer = fixture.billing.closer
      closer.reached = { step, bill in
        if step == .deciding, bill?.accountID.rawValue == "bob", isBroken.withLock({ $0 }) {
          throw ServiceError.unavailable("the database is not there")
        }
      }
      for attempt in 1...2 {
        let closing = try await fixture.billing.close(
          Self.october, account: nil, RequestContext(), by: closer)
        #expect(closing.failures.map(\.accountID.rawValue) == ["bob"] && closing.failedCount == 1)
        #expect(closing.closedCount == (attempt == 1 ? 2 : 0))
        let parked = try await fixture.billing.parkedBills(Self.october)
        #expect(parked.map(\.accountID.rawValue) == ["bob"] && parked.first?.attempts == attempt)
        #expect(parked.first?.code == "still-open")
        #expect(parked.first?.message.contains("the database is not there") == true)
      }
      let retried = try await fixture.billing.close(Self.october, account: AccountID(unchecked: "bob"))
      #expect(retried.invoices.map(\.invoiceNumber.description) == ["INV-2026-000003"])
      let left = try await fixture.billing.parkedBills(Self.october)
      #expect(left == [])
      let rows = try await fixture.pool.query("select 1 from aisle.billing_parked where tenant = 1")
      #expect(rows.isEmpty)
    }
  }

  @Test("a bill that no 64 bits hold is parked, and the others are closed")
  func overflow() async throws {
    try await withBilling(at: Self.later) { fixture in
      try await fixture.confirm(order("o-1", "ann", .max))
      try await fixture.confirm(order("o-2", "ann", .max))
      try await fixture.confirm(order("o-3", "bob"))
      let closing = try await fixture.billing.close(Self.october)
      #expect(closing.invoices.map(\.accountID.rawValue) == ["bob"])
      #expect(closing.failures.map(\.code) == ["bill-refused"])
      let parked = try await fixture.billing.parkedBills(Self.october)
      #expect(parked.map(\.code) == ["bill-refused"])
    }
  }

  @Test("a month that is not over yet is no failure to look into, so nothing is parked")
  func notOverIsNotParked() async throws {
    try await withBilling(at: .at("2026-11-01T01:00:00Z")) { fixture in
      try await fixture.open("ny", in: "America/New_York")
      try await fixture.confirm(order("o-1", "ny"))
      let closing = try await fixture.billing.close(Self.october)
      #expect(closing.failures.map(\.code) == ["month-not-over"])
      let parked = try await fixture.billing.parkedBills(Self.october)
      #expect(parked == [])
    }
  }

  // MARK: Invoices

  @Test("an invoice is found by its number and among its account's, as the bill was")
  func invoices() async throws {
    try await withBilling(at: .at("2026-12-02T00:00:00Z")) { fixture in
      let ann = AccountID(unchecked: "ann")
      try await fixture.confirm(order("o-1"))
      try await fixture.confirm(order("o-2", "bob"))
      try await fixture.confirm(order("o-3", at: "2026-11-03T00:00:00Z"))
      _ = try await fixture.billing.close(Self.october)
      _ = try await fixture.billing.close(Self.october.next)
      let invoices = try await fixture.billing.invoices(of: ann)
      #expect(invoices.map(\.invoiceNumber.description) == ["INV-2026-000001", "INV-2026-000003"])
      let next = try await fixture.billing.invoices(of: ann, after: invoices[0].position, limit: 1)
      #expect(next == [invoices[1]])
      let bill = try #require(try await fixture.bill("ann", "2026-10", source: .batch).first)
      #expect(invoices[0].digest == bill.digest && invoices[0].due == bill.due)
      #expect(invoices[0].throughPosition == bill.asOfPosition)
      let one = try await fixture.billing.invoice(invoices[1].invoiceNumber, of: ann)
      #expect(one == invoices[1])
      for number in ["INV-2026-000002", "INV-2026-000004", "INV-2025-000001"] {
        let number = try #require(DocumentNumber(number))
        await #expect(throws: ServiceError.self) { try await fixture.billing.invoice(number, of: ann) }
      }
      await #expect(throws: ServiceError.self) {
        try await fixture.billing.invoices(of: AccountID(unchecked: "nobody"))
      }
    }
  }
}

extension BillingFixture {
  /// In the order of the series.
  func invoiceNumbers() async throws -> [String] {
    try await store.readAll(after: .start, categories: ["invoices"], limit: 10_000)
      .map { try $0.decode(as: NumberAssigned.self).number.description }
  }

  /// In the order of the log.
  func closings() async throws -> [String] {
    try await store.readAll(after: .start, categories: ["account"], types: ["month-closed"], limit: 10_000)
      .compactMap { event in
        guard case .monthClosed(let fact) = try event.decode(as: Billing.Event.self) else { return nil }
        return fact.invoiceNumber.description
      }
  }

  /// Of everybody who is in a transaction, or was.
  func cutConnections() async throws {
    try await asOwner(
      """
      select pg_terminate_backend(pid)
      from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
      """)
  }

  func expectNumbersWithoutGaps(_ count: Int) async throws {
    let expected = (0..<count).map {
      DocumentNumber(series: .invoice, year: 2026, ordinal: Int64($0 + 1)).description
    }
    let (numbers, closings) = (try await invoiceNumbers(), try await closings())
    #expect(numbers == expected)
    #expect(closings == expected)
  }
}

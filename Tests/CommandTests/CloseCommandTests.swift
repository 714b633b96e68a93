import Billing
import EventStore
import Foundation
import Ordering
import PostgreSQL
import Services
import Subprocess
import TestSupport
import Testing
import Vocabulary

@Suite("aisle billing close")
struct CloseCommandTests {
  private static let month = "2024-02"

  /// Orders of a month long gone, one for each account.
  private func withOrders(
    _ count: Int, _ body: @Sendable (AisleProgram, PostgresPool) async throws -> Void
  ) async throws {
    try await withMigratedDatabase { pool in
      let store = EventStore(pool: pool)
      let appends = try (1...count).map { number in
        let order = OrderID(unchecked: "o-\(number)")
        return [
          StreamAppend(
            .order(order), expecting: .noStream,
            [
              try NewEvent(
                Ordering.Event.orderConfirmed(
                  .init(
                    orderID: order, showID: ShowID(unchecked: "hamlet"),
                    accountID: AccountID(unchecked: "acc-\(number)"),
                    lines: [.init(seat: SeatID(unchecked: "A-1"), amount: 4500, taxRateBasisPoints: 700)],
                    total: Money(4500, .eur),
                    occurredAt: Timestamp(rfc3339: "2024-02-29T12:00:00Z") ?? .init(microseconds: 0))
                ))
            ])
        ]
      }
      for append in appends {
        guard case .committed = try await store.append(append) else {
          Issue.record("not appended")
          return
        }
      }
      try await body(AisleProgram(database: pool.configuration.connectionString), pool)
    }
  }

  @Test("says what it has done, ends with 0 when every bill is closed, and does nothing twice")
  func close() async throws {
    try await withOrders(3) { aisle, _ in
      let first = try await aisle.run("billing", "close", Self.month)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.output.contains("3 bills of 2024-02 closed, 0 were before, 0 are open"))
      let second = try await aisle.run("billing", "close", Self.month, "--account", "acc-2", "--json")
      #expect(second.status == 0, "\(second.errors)")
      let answer = try JSONSerialization.jsonObject(with: Data(second.output.utf8)) as? [String: Any]
      #expect(answer?["closed_count"] as? Int == 0 && answer?["closed_before_count"] as? Int == 1)
      let bills = try await aisle.run("billing", "month", Self.month, "--json")
      #expect(bills.output.contains(#""invoice_number" : "INV-"#), "\(bills.output)")
      let parked = try await aisle.run("billing", "parked", Self.month)
      #expect(parked.status == 0 && parked.output.contains("no bill"))
    }
  }

  @Test("a month that is not over is refused with status 1; wrong usage is 64; the help teaches")
  func refused() async throws {
    try await withOrders(1) { aisle, _ in
      let future = try await aisle.run("billing", "close", "9998-01")
      #expect(future.status == 1 && future.errors.contains("can be closed from 9998-01-31T10:00:00Z on"))
      let unknown = try await aisle.run("billing", "close", Self.month, "--account", "nobody")
      #expect(unknown.status == 1 && unknown.errors.contains("there is no account nobody"))
      let usage = try await aisle.run("billing", "close", "February")
      #expect(usage.status == 64)
      let help = try await aisle.run("billing", "close", "--help")
      #expect(help.status == 0 && help.output.contains("cannot be undone"))
    }
  }

  @Test(
    "killed again and again, several at a time, it gives every bill one number and leaves none out",
    .timeLimit(.minutes(4)))
  func killed() async throws {
    let count = 240
    try await withOrders(count) { aisle, pool in
      // Each of three closers is killed when some more bills are closed than before, wherever it is then.
      for goal in stride(from: 40, through: 160, by: 40) {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 1...3 {
            group.addTask {
              _ = try await Subprocess.run(
                .path(try AisleProgram.path()), arguments: ["billing", "close", Self.month],
                environment: aisle.variables, input: .none, output: .discarded, error: .discarded
              ) { execution in
                defer { kill(execution.processIdentifier.value, SIGKILL) }
                _ = try await eventually("\(goal) bills are closed", within: .seconds(60)) {
                  try await numbers(pool).count
                } until: {
                  $0 >= goal
                }
              }
            }
          }
          try await group.waitForAll()
        }
        try await expectGapless(pool)
      }
      let last = try await aisle.run("billing", "close", Self.month, "--json")
      #expect(last.status == 0, "\(last.errors)")
      try await expectGapless(pool)
      let given = try await numbers(pool)
      #expect(given.count == count)
    }
  }

  private func numbers(_ pool: PostgresPool) async throws -> [String] {
    try await pool.query(
      """
      select data ->> 'number'
      from aisle.events
      where tenant = 1 and category = 'invoices'
      order by position
      """
    ).map { try $0.decode(String.self) }
  }

  private func expectGapless(_ pool: PostgresPool) async throws {
    let rows = try await pool.query(
      """
      select data ->> 'invoice_number', data ->> 'account_id'
      from aisle.events
      where tenant = 1 and category = 'account' and type = 'month-closed'
      order by position
      """
    ).map { try $0.decode(String.self, String.self) }
    let year = rows.first?.0.split(separator: "-").dropFirst().first.map(String.init) ?? ""
    // Run over New Year there are two series; the test does not care for that night.
    let expected = rows.indices.map { index in
      "INV-\(year)-" + String(repeating: "0", count: 6 - "\(index + 1)".count) + "\(index + 1)"
    }
    #expect(rows.map(\.0) == expected)
    #expect(Set(rows.map(\.1)).count == rows.count)
    let given = try await numbers(pool)
    #expect(given == expected)
  }
}

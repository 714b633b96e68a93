import Booking
import Foundation
import Ordering
import Services
import Subprocess
import SystemPackage
import TestSupport
import Testing
import Vocabulary

@Suite("aisle ledger", .timeLimit(.minutes(5)))
struct LedgerCommandTests {
  /// A log with two orders, of which one is cancelled for a fee.
  private func withOrders(_ body: (AisleProgram) async throws -> Void) async throws {
    try await withMigratedDatabase { pool in
      let policy = try #require(CancellationPolicy("0=1000"))
      let aisle = Aisle(pool: pool, cancellations: policy)
      let show = ShowID(unchecked: "hamlet")
      try await aisle.booking.schedule(
        Booking.Schedule(
          showID: show, title: "Hamlet", startsAt: aisle.time.now + .seconds(86_400), currency: .eur,
          taxRateBasisPoints: 700, holdTTLSeconds: 600,
          sections: [
            .init(
              id: SectionID(unchecked: "stalls"), price: 4500,
              rows: [.init(id: RowID(unchecked: "A"), seats: 2)])
          ]))
      for number in 1...2 {
        let hold = HoldID(unchecked: "hamlet:h\(number)")
        _ = try await aisle.booking.hold(
          hold, show: show, buyer: BuyerID(unchecked: "ada"),
          seats: .named([SeatID(unchecked: "A-\(number)")]))
        _ = try await aisle.ordering.place(
          OrderID(unchecked: "o-\(number)"), hold: hold, account: AccountID(unchecked: "acc-7"),
          paymentMethod: "card")
      }
      let quote = QuoteID(unchecked: "q-1")
      _ = try await aisle.ordering.quoteCancellation(of: OrderID(unchecked: "o-2"), seats: nil, as: quote)
      _ = try await aisle.ordering.confirmCancellation(of: OrderID(unchecked: "o-2"), quote: quote)
      try await body(AisleProgram(database: pool.configuration.connectionString))
    }
  }

  /// Whether beancount accepts a journal, and what it says.
  private func examine(_ journal: URL) async throws -> (accepts: Bool, says: String) {
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "bin/second-opinion")
    let result = try await Subprocess.run(
      .path(FilePath(script.path)), arguments: ["ledger", journal.path], input: .none,
      output: .string(limit: 1 << 20),
      error: .string(limit: 1 << 20))
    return (result.terminationStatus.isSuccess, result.standardOutput + result.standardError)
  }

  @Test("an accounting program accepts the journal, and finds an amount that was altered")
  func beancount() async throws {
    try await withOrders { aisle in
      let file = FileManager.default.temporaryDirectory.appending(path: "journal-\(UUID()).beancount")
      defer { try? FileManager.default.removeItem(at: file) }
      let export = try await aisle.run("ledger", "export", "--to", file.path)
      #expect(export.status == 0, "\(export.errors)")
      let sound = try await examine(file)
      #expect(sound.accepts, "\(sound.says)")
      let text = try String(contentsOf: file, encoding: .utf8)
      // Charged 45.00 twice, given back 40.50; the fee of 4.50 has 0.29 of tax in it.
      #expect(text.contains(" balance Assets:Receivable  49.50 EUR\n"))
      #expect(text.contains(" balance Income:Fees  -4.21 EUR\n"))
      #expect(!text.contains("ada"))

      // One cent more on both sides: the entry balances, the ledger does not come out as the log says.
      let altered = text.replacing("  45.00 EUR", with: "  45.01 EUR").replacing(
        "  -42.06 EUR", with: "  -42.07 EUR")
      #expect(altered != text)
      try altered.write(to: file, atomically: true, encoding: .utf8)
      let damaged = try await examine(file)
      #expect(!damaged.accepts && damaged.says.contains("Balance failed"), "\(damaged.says)")
    }
  }

  @Test("the trial balance is a table for people and JSON for programs")
  func balance() async throws {
    try await withOrders { aisle in
      let table = try await aisle.run("ledger", "balance")
      #expect(table.status == 0, "\(table.errors)")
      #expect(table.output.contains("receivable"))
      #expect(table.output.contains("49.50 EUR"))
      let json = try await aisle.run("ledger", "balance", "--json")
      let document = try JSONDecoder().decode(TrialBalance.self, from: Data(json.output.utf8))
      #expect(document.isBalanced)
      let accounts = document.currencies.first?.entries.map(\.ledgerAccount)
      #expect(accounts == ["fees", "receivable", "revenue", "tax_payable"])
      let before = try await aisle.run("ledger", "balance", "--through", "2020-01")
      #expect(before.output.hasPrefix("nothing was posted yet"))
      #expect(try await aisle.run("ledger", "balance", "--through", "2020-13").status == 64)
    }
  }
}

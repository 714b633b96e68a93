import Billing
import EventStore
import PostgreSQL
import TestSupport
import Testing
import Vocabulary

@testable import Services

@Suite("A credit note")
struct BillingCreditTests {
  private static let ann = AccountID(unchecked: "ann")

  private func order(_ id: String, _ account: String = "ann", _ amounts: [Int64] = [1070, 999]) throws
    -> BilledOrder
  {
    BilledOrder(
      id: id, account: account, at: try .at("2026-10-20T12:00:00Z"),
      seats: amounts.map { (amount: $0, rate: 700) })
  }

  /// October of ann is invoice 1: o-1 with two seats, of which nothing was given back.
  private func withInvoice(
    _ body: (BillingFixture, DocumentNumber, Position) async throws -> Void
  ) async throws {
    try await withBilling(at: .at("2026-11-02T12:00:00Z")) { fixture in
      try await fixture.confirm(order("o-1"))
      let position = try await fixture.store.head()
      let closing = try await fixture.billing.close(.named("2026-10"))
      try await fixture.catchUp()
      try await body(fixture, try #require(closing.invoices.first?.invoiceNumber), position)
    }
  }

  private func expectRejection(
    _ rejection: Billing.Rejection, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
  ) async {
    await #expect(sourceLocation: sourceLocation) {
      try await body()
    } throws: { error in
      guard case ServiceError.billingRejected(rejection) = error else { return false }
      return true
    }
  }

  @Test("gives back a whole invoice, which stays what it is, under a number of its own series")
  func whole() async throws {
    try await withInvoice { fixture, invoice, position in
      let before = try await fixture.bill("ann", "2026-10")
      let tables = try await fixture.tables()
      let note = try await fixture.billing.credit(of: invoice, to: Self.ann, because: "It rained", key: "k")
      #expect(note.creditNoteNumber.description == "CN-2026-000001" && note.corrects == invoice)
      #expect(note.gross == Money(2069, .eur) && note.tax == Money(70 + 65, .eur))
      #expect(note.net == Money(2069 - 135, .eur))
      #expect(
        note.lines.map { "\($0.position)/\($0.lineNumber) \($0.seat) \($0.taxRateBasisPoints)" } == [
          "\(position)/1 A-1 700", "\(position)/2 A-2 700",
        ])
      try await fixture.catchUp()
      let after = try await fixture.bill("ann", "2026-10")
      #expect(after == before)
      #expect(try await fixture.tables() == tables)
      #expect(try await fixture.billing.reconcile(.named("2026-10")).isEqual)
      let found = try await fixture.billing.creditNote(note.creditNoteNumber, of: Self.ann)
      #expect(found == note)
      #expect(try await fixture.billing.creditNotes(of: Self.ann) == [note])
      // The ledger: what the account owes is what the invoice says less what the credit note says.
      let ledger = try await fixture.billing.trialBalance()
      #expect(ledger.isBalanced)
      #expect(ledger.currencies.first?.entries.map(\.balance.minorUnits) == [0, 0, 0])
      var journal: [Billing.JournalEntry] = []
      try await fixture.billing.journal(through: fixture.store.head()) { journal += $0 }
      #expect(journal.map(\.narration) == ["charge", "credit note CN-2026-000001"])
      await expectRejection(.nothingToCredit(invoice)) {
        _ = try await fixture.billing.credit(of: invoice, to: Self.ann, because: "Again", key: "other")
      }
    }
  }

  @Test("gives a line back bit by bit, and with it exactly its tax")
  func parts() async throws {
    try await withInvoice { fixture, invoice, position in
      func credit(_ amount: Int64, _ key: String) async throws -> IssuedCreditNote {
        try await fixture.billing.credit(
          [.init(position: position.rawValue, lineNumber: 2, amount: amount)], of: invoice, to: Self.ann,
          because: "Bad view", key: key)
      }
      var notes = [try await credit(1, "a"), try await credit(333, "b"), try await credit(7, "c")]
      let left = Money(999 - 341, .eur)
      await expectRejection(
        .creditExceedsLine(invoice, position: position.rawValue, lineNumber: 2, left: left)
      ) {
        _ = try await credit(left.minorUnits + 1, "d")
      }
      notes.append(try await credit(left.minorUnits, "e"))
      #expect(notes.map(\.creditNoteNumber.ordinal) == [1, 2, 3, 4])
      // 999 at 7 % contains 65.
      #expect(notes.reduce(0) { $0 + $1.tax.minorUnits } == 65)
      let rest = try await fixture.billing.credit(of: invoice, to: Self.ann, because: "All", key: "f")
      #expect(rest.lines.map(\.lineNumber) == [1] && rest.gross == Money(1070, .eur))
      await expectRejection(.noSuchLine(invoice, position: 1, lineNumber: 9)) {
        _ = try await fixture.billing.credit(
          [.init(position: 1, lineNumber: 9, amount: 1)], of: invoice, to: Self.ann, because: "x", key: "g")
      }
    }
  }

  @Test("gives nothing back that was refunded, on whichever bill")
  func refunded() async throws {
    try await withInvoice { fixture, invoice, _ in
      var order = try order("o-1")
      // 70 of the first seat are kept, so only those can be credited of it.
      try await fixture.append([order.givesOneBack(keeping: 70, at: .at("2026-11-01T00:00:00Z"))])
      let note = try await fixture.billing.credit(of: invoice, to: Self.ann, because: "It rained", key: "k")
      #expect(note.lines.map(\.amount.minorUnits) == [70, 999])
    }
  }

  @Test("is one however often it is asked for with the same key; another request with that key is refused")
  func repeated() async throws {
    try await withInvoice { fixture, invoice, position in
      let amounts = [Billing.CreditedAmount(position: position.rawValue, lineNumber: 1, amount: 100)]
      let note = try await fixture.billing.credit(amounts, of: invoice, to: Self.ann, because: "x", key: "k")
      let again = try await fixture.billing.credit(amounts, of: invoice, to: Self.ann, because: "x", key: "k")
      #expect(again == note)
      await expectRejection(.creditKeyReused(note.creditNoteNumber)) {
        _ = try await fixture.billing.credit(amounts, of: invoice, to: Self.ann, because: "y", key: "k")
      }
      await #expect(throws: ServiceError.self) {
        _ = try await fixture.billing.credit(
          amounts, of: invoice, to: AccountID(unchecked: "bob"), because: "x", key: "k")
      }
      #expect(try await fixture.billing.creditNotes(of: Self.ann) == [note])
    }
  }

  @Test("many at once, on both sides of New Year: nothing is given back twice, and no number is left out")
  func concurrent() async throws {
    try await withInvoice { fixture, invoice, position in
      let issued = try await withThrowingTaskGroup(of: Int64.self) { group in
        for pool in 1...3 {
          group.addTask {
            try await withPool(servicesConfiguration(fixture.conninfo), size: 3) { connections in
              // Their numbers are of two series, which do not stand in each other's way.
              let time = try Timestamp.at(pool == 2 ? "2027-01-01T00:00:00Z" : "2026-12-31T23:59:59Z")
              let billing = BillingService(
                store: EventStore(pool: connections), time: TimeSource { time })
              return try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 1...6 {
                  group.addTask {
                    do {
                      return try await billing.credit(
                        [.init(position: position.rawValue, lineNumber: 1, amount: 200)], of: invoice,
                        to: Self.ann,
                        because: "x", key: "\(pool) \(number)"
                      ).gross.minorUnits
                    } catch ServiceError.billingRejected(.creditExceedsLine) {
                      return 0
                    }
                  }
                }
                return try await group.reduce(0, +)
              }
            }
          }
        }
        return try await group.reduce(0, +)
      }
      // 1070 are five times 200.
      #expect(issued == 1000)
      let notes = try await fixture.billing.creditNotes(of: Self.ann)
      #expect(notes.count == 5)
      for year in [2026, 2027] {
        let ordinals = notes.map(\.creditNoteNumber).filter { $0.year == year }.map(\.ordinal)
        #expect(ordinals == Array(Int64(1)...5).prefix(ordinals.count).map(\.self))
      }
      let numbers = try await fixture.invoiceNumbers().dropFirst()
      #expect(Set(numbers) == Set(notes.map(\.creditNoteNumber.description)) && numbers.count == 5)
    }
  }
}

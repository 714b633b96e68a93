import Billing
import Testing
import Vocabulary

@Suite("The bill of a month")
struct MonthlyTotalsTests {
  @Test("is zero when nothing happened")
  func empty() {
    let totals = Billing.State().totals(of: Month(literal: "2026-10"), in: .jpy)
    #expect(totals == .zero(.jpy))
    #expect(totals.due == Money(0, .jpy) && totals.lines == 0)
  }

  @Test("adds up the charges and refunds of that month, and of no other")
  func months() {
    let state = Billing.fold([Duke.opened, Duke.charged, Duke.refunded])
    let october = state.totals(of: Month(literal: "2026-10"), in: .eur)
    #expect(october.gross == Money(7000, .eur))
    #expect(october.tax == Money(636, .eur))
    #expect(october.refunds == Money(0, .eur))
    #expect(october.due == Money(7000, .eur))
    #expect(october.net == Money(6364, .eur))
    #expect(october.lines == 2)

    let december = state.totals(of: Month(literal: "2026-12"), in: .eur)
    #expect(december.gross == Money(0, .eur))
    #expect(december.tax == Money(-636, .eur))
    #expect(december.refunds == Money(7000, .eur))
    #expect(december.due == Money(-7000, .eur))
    #expect(december.net == Money(-6364, .eur))
    #expect(december.lines == 2)

    #expect(state.totals(of: Month(literal: "2026-11"), in: .eur) == .zero(.eur))
    #expect(state.totals(of: Month(literal: "2026-10"), in: .usd) == .zero(.usd))
  }

  @Test("agrees with the ledger, whatever was charged and refunded, and each order is billed once")
  func ledger() throws {
    var random = SeededRandom(for: "bills agree with the postings")
    for _ in 0..<40 {
      var state = Billing.State()
      var ledger: [Billing.State.BillKey: [Billing.Posting.Account: Int64]] = [:]
      var lines: [Billing.State.BillKey: Int] = [:]
      for _ in 0..<120 {
        let command = randomCommand(&random)
        guard let events = try? Billing.decide(command, state, at: Duke.lateInOctober) else { continue }
        for event in events {
          Billing.evolve(&state, event)
          guard case .charged(let entry) = event else {
            if case .refunded(let entry) = event { post(entry) }
            continue
          }
          post(entry)
        }
        #expect(try Billing.decide(command, state, at: Duke.lateInOctober) == [], "\(command) repeated")
      }
      #expect(Set(state.totals.keys) == Set(ledger.keys))
      for (key, totals) in state.totals {
        #expect(totals.due.minorUnits == ledger[key]?[.receivable])
        #expect(totals.net.minorUnits == ledger[key]?[.revenue].map { -$0 })
        #expect(totals.tax.minorUnits == ledger[key]?[.taxPayable].map { -$0 })
        #expect(totals.lines == lines[key])
        #expect(try totals.gross.subtracting(totals.refunds) == totals.due)
      }

      func post(_ entry: Billing.Entry) {
        let key = Billing.State.BillKey(month: entry.month, currency: entry.currency)
        for posting in entry.postings {
          ledger[key, default: [:]][posting.account, default: 0] += posting.amount
        }
        lines[key, default: 0] += entry.lines.count
      }
    }
  }

  /// An order has one confirmation and one cancellation, each with a position and an instant of its own.
  private func randomCommand(_ random: inout SeededRandom) -> Billing.Command {
    let number = Int64.random(in: 1...25, using: &random)
    let refund = Bool.random(using: &random)
    var order = Duke.order(
      OrderID(unchecked: "o\(number)"), position: refund ? number + 100 : number,
      currency: number.isMultiple(of: 3) ? .usd : .eur,
      at: "2026-09-30T22:00:00Z" + .seconds(number * 86_400 * (refund ? 3 : 1)))
    order.lines[0].amount = number * 997
    return refund ? .refund(order) : .charge(order)
  }
}

import EventStore
import PostgreSQL
import Vocabulary

/// The postings of all charges, refunds and credit notes in one currency, added up. Debits are positive, credits negative.
public struct LedgerBalance: Sendable, Hashable, Codable {
  public struct Entry: Sendable, Hashable, Codable {
    /// receivable, revenue or tax_payable
    public let ledgerAccount: String
    public let balance: Money

    private enum CodingKeys: String, CodingKey {
      case ledgerAccount = "ledger_account"
      case balance
    }
  }

  public let currency: Currency
  public let entries: [Entry]
  /// What the entries add up to; anything but zero is an error.
  public let sum: Money

  public var isBalanced: Bool { sum.minorUnits == 0 }
}

extension BillingService {
  /// The trial balance over every account event of the log, by currency.
  public func ledgerBalances() async throws(ServiceError) -> [LedgerBalance] {
    do {
      let rows = try await store.pool.query(
        """
        select e.data ->> 'currency', p.ledger_account, sum(p.amount)::bigint
        from aisle.events e
        cross join lateral jsonb_to_recordset(e.data -> 'postings') as p (ledger_account text, amount bigint)
        where e.tenant = \(store.tenant.rawValue) and e.category = 'account' and e.type in ('charged', 'refunded', 'credit-note-issued')
        group by 1, 2
        order by 1, 2
        """)
      var balances: [LedgerBalance] = []
      for row in rows {
        let currency = try Currency(stored: row.column(0))
        let entry = LedgerBalance.Entry(
          ledgerAccount: try row.column(1), balance: Money(try row.column(2), currency))
        if let last = balances.last, last.currency == currency {
          balances[balances.count - 1] = LedgerBalance(
            currency: currency, entries: last.entries + [entry], sum: try last.sum.adding(entry.balance))
        } else {
          balances.append(LedgerBalance(currency: currency, entries: [entry], sum: entry.balance))
        }
      }
      return balances
    } catch {
      throw ServiceError(reading: error)
    }
  }
}

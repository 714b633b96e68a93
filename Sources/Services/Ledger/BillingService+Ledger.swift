import Billing
import EventStore
import PostgreSQL
import Vocabulary

extension BillingService {
  /// The trial balance, computed from the log by one statement.
  ///
  /// - Parameters:
  ///   - position: nil for the end of the log.
  ///   - month: leave out what occurred after the end of this month in UTC.
  public func trialBalance(
    asOf position: Position? = nil, through month: Month? = nil
  ) async throws(ServiceError) -> TrialBalance {
    do {
      var asOf = try await store.head()
      if let position { asOf = min(asOf, position) }
      let start = month.map { "\($0)-01T00:00:00Z" }
      let rows = try await store.pool.query(
        """
        select p.currency, p.ledger_account, coalesce(sum(p.amount) filter (where p.amount > 0), 0)::bigint,
               coalesce(-sum(p.amount) filter (where p.amount < 0), 0)::bigint
        from aisle.ledger_postings(\(store.tenant.rawValue), \(asOf.rawValue)) p
        where p.occurred_at < coalesce(
          (\(start as String?)::timestamptz at time zone 'UTC' + interval '1 month') at time zone 'UTC', 'infinity')
        group by p.currency, p.ledger_account
        order by p.currency, p.ledger_account
        """)
      var currencies: [LedgerBalance] = []
      for row in rows {
        let currency = try Currency(stored: row.column(0))
        let debits = Money(try row.column(2), currency)
        let credits = Money(try row.column(3), currency)
        let entry = LedgerBalance.Entry(
          ledgerAccount: try row.column(1), debits: debits, credits: credits,
          balance: try debits.subtracting(credits))
        let last = currencies.last?.currency == currency ? currencies.popLast() : nil
        currencies.append(
          LedgerBalance(
            currency: currency, entries: (last?.entries ?? []) + [entry],
            sum: try (last?.sum ?? .zero(currency)).adding(entry.balance)))
      }
      return TrialBalance(asOfPosition: asOf, currencies: currencies)
    } catch {
      throw ServiceError(reading: error)
    }
  }

  /// Gives the general journal to `write`, in the order of the log, some entries at a time.
  ///
  /// - Parameter position: the last to be looked at.
  public func journal(
    through position: Position, _ write: ([Billing.JournalEntry]) throws -> Void
  ) async throws {
    var last = Position(0)
    while true {
      let events = try await store.readAll(
        after: last, categories: Billing.JournalEntry.categories, types: Billing.JournalEntry.types)
      let wanted = events.prefix { $0.position <= position }
      try write(try wanted.compactMap(Billing.JournalEntry.init))
      guard wanted.count == events.count, let end = wanted.last?.position else { return }
      last = end
    }
  }
}

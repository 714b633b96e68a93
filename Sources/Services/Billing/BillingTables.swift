import EventStore
import PostgreSQL
import Vocabulary

/// Bills as the subscription keeps them. Each answer comes with the progress of the tables at the very same moment,
/// because both are read by one statement.
struct BillingTables: Sendable {
  struct Answer<Element: Sendable>: Sendable {
    let progress: BillingProgress
    /// They are known not to be what the log says, or not what an invoice says.
    let isUnsound: Bool
    let rows: [Element]
  }

  let store: EventStore

  /// The bills of some months of one account, in the order of month and currency.
  func bills(of account: AccountID, from first: Month, to last: Month) async throws -> Answer<Bill> {
    let tenant = store.tenant.rawValue
    return try answer(
      try await store.pool.query(
        """
        select p.position, p.last_order, p.last_error is not null, p.rebuild_through,
               (coalesce(bool_or(c.digest <> encode(m.digest, 'hex')) over (), false)
                or exists (
                  select from aisle.billing_checks k
                  where k.tenant = \(tenant) and k.month between \(first.description) and \(last.description) and k.differences > 0)),
               m.month is not null, m.account_id, m.month, m.currency, m.gross, m.tax, m.refunds, m.lines, m.digest,
               coalesce(z.time_zone, 'UTC'), c.invoice_number, c.through_position
        from aisle.billing_progress p
        left join aisle.billing_months m
          on m.tenant = \(tenant) and m.account_id = \(account.rawValue)
         and m.month between \(first.description) and \(last.description)
        left join lateral (
          select c.invoice_number, c.through_position, c.digest
          from aisle.bill_closing(\(tenant), m.account_id, m.month, m.currency, p.position) c
        ) c on true
        left join lateral (
          select a.time_zone
          from aisle.account_openings(\(tenant), array[m.account_id]) a
          where a.position <= coalesce(c.through_position, p.position)
          order by a.position desc
          limit 1
        ) z on true
        where p.tenant = \(tenant)
        order by m.month, m.currency
        """)
    ) { try Bill(row: $0, from: 6, source: .preAggregated, asOf: $1) }
  }

  /// The bills of a month in the order of account and currency.
  func bills(of month: Month, after cursor: MonthOverview.Cursor, limit: Int) async throws -> Answer<Bill> {
    let tenant = store.tenant.rawValue
    return try answer(
      try await store.pool.query(
        """
        select p.position, p.last_order, p.last_error is not null, p.rebuild_through,
               (coalesce(bool_or(c.digest <> encode(m.digest, 'hex')) over (), false)
                or exists (
                  select from aisle.billing_checks k
                  where k.tenant = \(tenant) and k.month = \(month.description) and k.differences > 0)),
               m.month is not null, m.account_id, m.month, m.currency, m.gross, m.tax, m.refunds, m.lines, m.digest,
               coalesce(z.time_zone, 'UTC'), c.invoice_number, c.through_position
        from aisle.billing_progress p
        left join lateral (
          select *
          from aisle.billing_months m
          where m.tenant = \(tenant) and m.month = \(month.description)
            and (m.account_id, m.currency) > (\(cursor.account), \(cursor.currency))
          order by m.account_id, m.currency
          limit \(limit)
        ) m on true
        left join lateral (
          select c.invoice_number, c.through_position, c.digest
          from aisle.bill_closing(\(tenant), m.account_id, m.month, m.currency, p.position) c
        ) c on true
        left join lateral (
          select a.time_zone
          from aisle.account_openings(\(tenant), array[m.account_id]) a
          where a.position <= coalesce(c.through_position, p.position)
          order by a.position desc
          limit 1
        ) z on true
        where p.tenant = \(tenant)
        order by m.account_id, m.currency
        """)
    ) { try Bill(row: $0, from: 6, source: .preAggregated, asOf: $1) }
  }

  /// The lines of an account's month in the order of the log.
  func lines(
    of account: AccountID, _ month: Month, after cursor: BillLine.Cursor, limit: Int
  ) async throws -> Answer<BillLine> {
    let tenant = store.tenant.rawValue
    return try answer(
      try await store.pool.query(
        """
        select p.position, p.last_order, p.last_error is not null, p.rebuild_through,
               (exists (
                  select from aisle.billing_checks k
                  where k.tenant = \(tenant) and k.month = \(month.description) and k.differences > 0)
                or exists (
                  select from aisle.billing_months m
                  cross join lateral (
                    select c.digest
                    from aisle.bill_closing(\(tenant), m.account_id, m.month, m.currency, p.position) c
                  ) c
                  where m.tenant = \(tenant) and m.account_id = \(account.rawValue)
                    and m.month = \(month.description) and c.digest <> encode(m.digest, 'hex'))),
               l.month is not null, l.position, l.line_no, l.kind, l.order_id, l.show_id, l.seat, l.amount, l.tax, l.currency,
               l.occurred_at, l.service_month, l.corrects, r.tax_rate_bp
        from aisle.billing_progress p
        left join lateral (
          select *
          from aisle.billing_lines l
          where l.tenant = \(tenant) and l.account_id = \(account.rawValue) and l.month = \(month.description)
            and (l.position, l.line_no) > (\(cursor.position), \(cursor.lineNumber))
          order by l.position, l.line_no
          limit \(limit)
        ) l on true
        left join lateral (
          -- The tables do not have it, and need not: the log does.
          select (e.data -> 'lines' -> (l.line_no - 1) ->> 'tax_rate_bp')::integer as tax_rate_bp
          from aisle.events e
          where e.tenant = \(tenant) and e.position = l.position
        ) r on true
        where p.tenant = \(tenant)
        order by l.position, l.line_no
        """)
    ) { row, _ in try BillLine(row: row, from: 6) }
  }

  /// The progress is on every row; when nothing is found there is one row with it alone.
  private func answer<Element: Sendable>(
    _ rows: Rows, _ decode: (Row, Position) throws -> Element
  ) throws -> Answer<Element> {
    guard let first = rows.first else {
      throw PostgresError(.server, "tenant \(store.tenant.rawValue) has no log", hint: "Run aisle migrate")
    }
    let progress = try BillingProgress(row: first)
    let hasElements = try first.column(5, as: Bool.self)
    return Answer(
      progress: progress, isUnsound: try first.column(4),
      rows: hasElements ? try rows.map { try decode($0, progress.position) } : [])
  }
}

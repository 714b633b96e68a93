import EventStore
import PostgreSQL
import Vocabulary

/// Bills computed straight from the log in one set-based statement, without anything that the subscription wrote.
///
/// The rules (zone in effect, month, closed months, tax of a line) are in the SQL function `aisle.bill_lines`. As the log
/// only ever grows at its end, the answer for a position never changes.
struct BillingBatch: Sendable {
  struct Answer<Element: Sendable>: Sendable {
    let position: Position
    let rows: [Element]
  }

  let store: EventStore

  /// The bills of some months, of one account or of all, in the order of account, month and currency.
  ///
  /// - Parameter position: as of when; nil for the present end of the log.
  func bills(
    of account: AccountID? = nil, from first: Month, to last: Month, asOf position: Position? = nil,
    after cursor: MonthOverview.Cursor = .start, limit: Int = .max
  ) async throws -> Answer<Bill> {
    try await store.pool.withConnection {
      try await bills(
        of: account, from: first, to: last, asOf: position, after: cursor, limit: limit, on: $0)
    }
  }

  func bills(
    of account: AccountID? = nil, from first: Month, to last: Month, asOf position: Position? = nil,
    after cursor: MonthOverview.Cursor = .start, limit: Int = .max, on connection: PostgresConnection
  ) async throws -> Answer<Bill> {
    let answer = try await find(
      of: account, from: first, to: last, asOf: position, after: cursor, limit: limit, on: connection)
    return Answer(position: answer.position, rows: try answer.rows.map { try $0.bill.get() })
  }

  /// A bill that the log gives, or why it gives none.
  struct Found: Sendable {
    let key: BillKey
    let bill: Result<Bill, any Error>
  }

  /// The same, with each bill by itself: one that cannot be added up does not keep others from being found.
  func find(
    of account: AccountID? = nil, from first: Month, to last: Month, asOf position: Position? = nil,
    after cursor: MonthOverview.Cursor = .start, limit: Int = .max, on connection: PostgresConnection
  ) async throws -> Answer<Found> {
    let tenant = store.tenant.rawValue
    let end = try await self.end(position, on: connection)
    let rows = try await connection.query(
      """
      select b.account_id, b.month, b.currency, b.gross, b.tax, b.refunds, b.lines, b.digest,
             coalesce(z.time_zone, 'UTC'), c.invoice_number, c.through_position
      from (
        select l.account_id, l.month, l.currency,
               aisle.minor_units(coalesce(sum(l.amount) filter (where l.kind = 'charge'), 0)) as gross,
               aisle.minor_units(sum(case l.kind when 'charge' then l.tax else -l.tax end)) as tax,
               aisle.minor_units(coalesce(sum(l.amount) filter (where l.kind = 'refund'), 0)) as refunds,
               count(*) as lines,
               aisle.line_chain(
                 l.position, l.line_no, l.kind, l.order_id, l.show_id, l.seat, l.amount, l.tax, l.currency,
                 l.occurred_at, l.service_month, l.corrects
                 order by l.position, l.line_no) as digest
        from aisle.bill_lines(
          \(tenant), \(account?.rawValue as String?), \(first.description), \(last.description), \(end.rawValue)) l
        where (l.account_id, l.currency) > (\(cursor.account), \(cursor.currency))
        group by l.account_id, l.month, l.currency
        order by l.account_id, l.month, l.currency
        limit \(limit)
      ) b
      left join lateral (
        select c.invoice_number, c.through_position
        from aisle.bill_closing(\(tenant), b.account_id, b.month, b.currency, \(end.rawValue)) c
      ) c on true
      left join lateral (
        select a.time_zone
        from aisle.account_openings(\(tenant), array[b.account_id]) a
        where a.position <= coalesce(c.through_position, \(end.rawValue))
        order by a.position desc
        limit 1
      ) z on true
      order by b.account_id, b.month, b.currency
      """)
    return Answer(
      position: end,
      rows: try rows.map { row in
        Found(
          key: BillKey(
            account: AccountID(unchecked: try row.column(0)), month: try Month(stored: row.column(1)),
            currency: try Currency(stored: row.column(2))),
          bill: Result { try Bill(row: row, source: .batch, asOf: end) })
      })
  }

  /// The lines of an account's month in the order of the log.
  func lines(
    of account: AccountID, _ month: Month, asOf position: Position? = nil,
    after cursor: BillLine.Cursor = .start,
    limit: Int = .max
  ) async throws -> Answer<BillLine> {
    try await store.pool.withConnection { connection in
      let end = try await self.end(position, on: connection)
      let rows = try await connection.query(
        """
        select position, line_no, kind, order_id, show_id, seat, amount, tax, currency, occurred_at, service_month,
               corrects, tax_rate_bp
        from aisle.bill_lines(
          \(store.tenant.rawValue), \(account.rawValue), \(month.description), \(month.description),
          \(end.rawValue))
        where (position, line_no) > (\(cursor.position), \(cursor.lineNumber))
        order by position, line_no
        limit \(limit)
        """)
      return Answer(position: end, rows: try rows.map { try BillLine(row: $0) })
    }
  }

  /// Never beyond the end of the log: an answer for a position that is still to come would change.
  private func end(_ position: Position?, on connection: PostgresConnection) async throws -> Position {
    let head = try await store.head(on: connection)
    return min(position ?? head, head)
  }
}

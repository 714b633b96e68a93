import EventStore
import PostgreSQL
import Vocabulary

extension BillingService {
  /// Most differences that are listed, of totals and of lines; all are counted.
  public static let maximumDifferences = 1000

  /// Compares the tables with the log, total by total and line by line, as of the tables' position. It corrects nothing;
  /// what to do about a difference is for a person to decide. What it has found is kept: while there are differences,
  /// ``BillSource/automatic`` takes the month from the log.
  public func reconcile(_ month: Month) async throws(ServiceError) -> Reconciliation {
    do {
      let result = try await store.pool.withConnection { connection in
        try await connection.transaction {
          // One snapshot for all statements, and time enough for a long log.
          try await connection.executeScript("set transaction isolation level repeatable read, read only")
          try await connection.liftStatementTimeout()
          return try await self.reconcile(month, on: connection)
        }
      }
      try await BillingChecks(store: store).record(result)
      return result
    } catch {
      throw ServiceError(reading: error)
    }
  }

  /// Of the last comparisons of all months: how many months, how many differences, and how old the oldest one is.
  public func checks() async throws(ServiceError) -> (months: Int, differences: Int, oldestSeconds: Int) {
    do {
      return try await BillingChecks(store: store).summary()
    } catch {
      throw ServiceError(reading: error)
    }
  }

  private func reconcile(_ month: Month, on connection: PostgresConnection) async throws -> Reconciliation {
    let tenant = store.tenant.rawValue
    let progress = try await connection.query(
      """
      select position, last_order, last_error is not null, rebuild_through
      from aisle.billing_progress
      where tenant = \(tenant)
      """
    ).map { try BillingProgress(row: $0) }.first
    let position = progress?.position.rawValue ?? 0
    let totals = try await totalDifferences(month, asOf: position, on: connection)
    let lines = try await lineDifferences(month, asOf: position, on: connection)
    let counts = try await connection.query(
      """
      select count(distinct (account_id, currency)), count(*)
      from aisle.bill_lines(\(tenant), null, \(month.description), \(month.description), \(position))
      """)
    let (billCount, lineCount) = try counts.first?.decode(Int.self, Int.self) ?? (0, 0)
    return Reconciliation(
      month: month, asOfPosition: Position(position), lastOrderPosition: progress?.lastOrder ?? .start,
      obstacle: progress.flatMap(Reconciliation.Obstacle.init), bills: billCount, lines: lineCount,
      differenceCount: try totals.count + lines.count, differences: try totals.listed + lines.listed)
  }

  private func totalDifferences(
    _ month: Month, asOf position: Int64, on connection: PostgresConnection
  ) async throws -> Differences {
    let tenant = store.tenant.rawValue
    return Differences(
      try await connection.query(
        """
        with live as (
          select *
          from aisle.billing_months
          where tenant = \(tenant) and month = \(month.description)
        ),
        batch as (
          select account_id, currency,
                 coalesce(sum(amount) filter (where kind = 'charge'), 0) as gross,
                 sum(case kind when 'charge' then tax else -tax end) as tax,
                 coalesce(sum(amount) filter (where kind = 'refund'), 0) as refunds,
                 count(*) as lines,
                 min(position) as first_position,
                 max(position) as last_position,
                 aisle.line_chain(
                   position, line_no, kind, order_id, show_id, seat, amount, tax, currency, occurred_at,
                   service_month, corrects
                   order by position, line_no) as digest
          from aisle.bill_lines(\(tenant), null, \(month.description), \(month.description), \(position))
          group by account_id, currency
        )
        select account_id, currency, null::bigint, null::bigint, f.name, f.live, f.batch, count(*) over ()
        from live l
        full join batch b using (account_id, currency)
        cross join lateral (
          values (1, 'bill', case when l.digest is not null then 'present' end,
                             case when b.digest is not null then 'present' end),
                 (2, 'gross', l.gross::text, b.gross::text),
                 (3, 'tax', l.tax::text, b.tax::text),
                 (4, 'refunds', l.refunds::text, b.refunds::text),
                 (5, 'lines', l.lines::text, b.lines::text),
                 (6, 'first_position', l.first_position::text, b.first_position::text),
                 (7, 'last_position', l.last_position::text, b.last_position::text),
                 (8, 'digest', encode(l.digest, 'hex'), encode(b.digest, 'hex'))
        ) f (i, name, live, batch)
        where f.live is distinct from f.batch
          and (f.name = 'bill') = (l.digest is null or b.digest is null)
        order by account_id, currency, f.i
        limit \(Self.maximumDifferences)
        """))
  }

  private func lineDifferences(
    _ month: Month, asOf position: Int64, on connection: PostgresConnection
  ) async throws -> Differences {
    let tenant = store.tenant.rawValue
    return Differences(
      try await connection.query(
        """
        with live as (
          select *
          from aisle.billing_lines
          where tenant = \(tenant) and month = \(month.description)
        ),
        batch as (
          select *
          from aisle.bill_lines(\(tenant), null, \(month.description), \(month.description), \(position))
        )
        select account_id, coalesce(b.currency, l.currency), position, line_no::bigint, f.name, f.live, f.batch,
               count(*) over ()
        from live l
        full join batch b using (account_id, position, line_no)
        cross join lateral (
          values (1, 'line', case when l.kind is not null then 'present' end,
                             case when b.kind is not null then 'present' end),
                 (2, 'kind', l.kind, b.kind),
                 (3, 'order_id', l.order_id, b.order_id),
                 (4, 'show_id', l.show_id, b.show_id),
                 (5, 'seat', l.seat, b.seat),
                 (6, 'amount', l.amount::text, b.amount::text),
                 (7, 'tax', l.tax::text, b.tax::text),
                 (8, 'currency', l.currency, b.currency),
                 (9, 'occurred_at', l.occurred_at::text, b.occurred_at::text),
                 (10, 'service_month', l.service_month, b.service_month),
                 (11, 'corrects', l.corrects, b.corrects)
        ) f (i, name, live, batch)
        where f.live is distinct from f.batch
          and (f.name = 'line') = (l.kind is null or b.kind is null)
        order by account_id, position, line_no, f.i
        limit \(Self.maximumDifferences)
        """))
  }
}

/// The rows of a comparing statement: account, currency, position, line, field, live, batch, how many in all.
private struct Differences {
  private let rows: Rows

  init(_ rows: Rows) { self.rows = rows }

  var count: Int {
    get throws { try rows.first?.column(7) ?? 0 }
  }

  var listed: [Reconciliation.Difference] {
    get throws {
      try rows.map { row in
        Reconciliation.Difference(
          accountID: AccountID(unchecked: try row.column(0)), currency: try Currency(stored: row.column(1)),
          position: try row.column(2, as: Int64?.self).map(Position.init), lineNumber: try row.column(3),
          field: try row.column(4), live: try row.column(5), batch: try row.column(6))
      }
    }
  }
}

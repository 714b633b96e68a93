import Billing
import EventStore
import PostgreSQL
import Vocabulary

/// What identifies a bill.
struct BillKey: Hashable {
  let account: AccountID
  let month: Month
  let currency: Currency

  init(account: AccountID, month: Month, currency: Currency) {
    self.account = account
    self.month = month
    self.currency = currency
  }

  init(_ entry: Billing.Entry) {
    self.init(account: entry.accountID, month: entry.month, currency: entry.currency)
  }
}

/// The bills that a batch of events touches, as they were and as they become.
///
/// Nobody else writes these rows: the checkpoint's lock lets one batch at a time through.
struct BillingChanges {
  private struct Running {
    var totals: MonthlyTotals
    var first: Int64
    var last: Int64
    var chain: LineChain
  }

  private var bills: [BillKey: Running] = [:]
  private var changed: Set<BillKey> = []
  private var lines: [(key: BillKey, line: BillLine)] = []

  static func load(
    _ keys: Set<BillKey>, tenant: TenantID, on connection: PostgresConnection
  ) async throws -> BillingChanges {
    let keys = Array(keys)
    let rows = try await connection.query(
      """
      select m.account_id, m.month, m.currency, m.gross, m.tax, m.refunds, m.lines, m.first_position,
             m.last_position, m.digest
      from unnest(
        \(keys.map(\.account.rawValue)), \(keys.map(\.month.description)), \(keys.map(\.currency.code)))
        k (account_id, month, currency)
      join billing_months m
        on m.tenant = \(tenant.rawValue) and m.account_id = k.account_id and m.month = k.month
       and m.currency = k.currency
      """)
    var changes = BillingChanges()
    for row in rows {
      let currency = try Currency(stored: row.column(2))
      let key = BillKey(
        account: AccountID(unchecked: try row.column(0)), month: try Month(stored: row.column(1)),
        currency: currency)
      changes.bills[key] = Running(
        totals: try MonthlyTotals(
          gross: Money(row.column(3), currency), tax: Money(row.column(4), currency),
          refunds: Money(row.column(5), currency), lines: row.column(6)),
        first: try row.column(7), last: try row.column(8), chain: LineChain(digest: try row.column(9)))
    }
    return changes
  }

  /// Adds an order's charge or refund to its bill, unless it is on it already.
  mutating func add(_ entry: Billing.Entry, kind: BillLine.Kind) throws(MoneyError) {
    let key = BillKey(entry)
    var bill =
      bills[key]
      ?? Running(totals: .zero(entry.currency), first: entry.sourcePosition, last: 0, chain: LineChain())
    guard entry.sourcePosition > bill.last else { return }
    bill.totals = kind == .charge ? try bill.totals.charging(entry) : try bill.totals.refunding(entry)
    bill.last = entry.sourcePosition
    for (index, line) in entry.lines.enumerated() {
      let line = BillLine(
        position: Position(entry.sourcePosition), lineNumber: index + 1, kind: kind, orderID: entry.orderID,
        showID: entry.showID, seat: line.seat, amount: Money(line.amount, entry.currency),
        tax: Money(line.tax, entry.currency), taxRateBasisPoints: nil, occurredAt: entry.occurredAt,
        adjustment: entry.adjusts)
      bill.chain.add(line)
      lines.append((key, line))
    }
    bills[key] = bill
    changed.insert(key)
  }

  func write(tenant: TenantID, on connection: PostgresConnection) async throws {
    guard !changed.isEmpty else { return }
    try await writeMonths(tenant: tenant.rawValue, on: connection)
    try await writeLines(tenant: tenant.rawValue, on: connection)
  }

  private func writeMonths(tenant: Int32, on connection: PostgresConnection) async throws {
    let months = changed.compactMap { key in bills[key].map { (key: key, bill: $0) } }
    try await connection.execute(
      """
      insert into billing_months (
        tenant, account_id, month, currency, gross, tax, refunds, lines, first_position, last_position, digest)
      select \(tenant), *
      from unnest(
        \(months.map(\.key.account.rawValue)), \(months.map(\.key.month.description)),
        \(months.map(\.key.currency.code)), \(months.map(\.bill.totals.gross.minorUnits)),
        \(months.map(\.bill.totals.tax.minorUnits)), \(months.map(\.bill.totals.refunds.minorUnits)),
        \(months.map(\.bill.totals.lines)), \(months.map(\.bill.first)), \(months.map(\.bill.last)),
        \(months.map(\.bill.chain.digest)))
      on conflict (tenant, account_id, month, currency) do update
      set gross = excluded.gross, tax = excluded.tax, refunds = excluded.refunds, lines = excluded.lines,
          last_position = excluded.last_position, digest = excluded.digest
      """)
  }

  private func writeLines(tenant: Int32, on connection: PostgresConnection) async throws {
    try await connection.execute(
      """
      insert into billing_lines (
        tenant, account_id, month, currency, position, line_no, kind, order_id, show_id, seat, amount, tax,
        occurred_at, service_month, corrects)
      select \(tenant), *
      from unnest(
        \(lines.map(\.key.account.rawValue)), \(lines.map(\.key.month.description)),
        \(lines.map(\.key.currency.code)), \(lines.map(\.line.position.rawValue)),
        \(lines.map { Int32(clamping: $0.line.lineNumber) }), \(lines.map(\.line.kind.rawValue)),
        \(lines.map(\.line.orderID.rawValue)), \(lines.map(\.line.showID.rawValue)),
        \(lines.map(\.line.seat.rawValue)), \(lines.map(\.line.amount.minorUnits)),
        \(lines.map(\.line.tax.minorUnits)), \(lines.map(\.line.occurredAt)),
        \(lines.map(\.line.adjustment?.serviceMonth.description)),
        \(lines.map(\.line.adjustment?.corrects.description)))
      """)
  }
}

import Services
import Vocabulary

extension Court {
  func everyBookedSeatHasOneConfirmedOrder(_ invariant: Invariant) async throws -> InvariantResult {
    let rows = try await table(
      """
      select coalesce(b.show_id, o.show_id), coalesce(b.seat, o.seat), coalesce(b.count, 0)::text, b.hold_id,
             coalesce(o.count, 0)::text, o.order_id
      from (
        select show_id, seat, min(hold_id) as hold_id, count(distinct hold_id) as count
        from log_booking
        where to_position is null
        group by show_id, seat
      ) b
      full join (
        select l.show_id, l.seat, min(o.order_id) as order_id, min(o.hold_id) as hold_id, count(*) as count
        from log_line l
        join log_order o on o.order_id = l.order_id
        where o.confirmed_position is not null and o.cancelled_position is null
        group by l.show_id, l.seat
      ) o on o.show_id = b.show_id and o.seat = b.seat
      where b.count is distinct from 1 or o.count is distinct from 1 or o.hold_id <> b.hold_id
      order by 1, 2
      """, columns: 6)
    let seats = try await number("select count(*) from log_booking where to_position is null")
    let inModel = try await table(
      """
      select coalesce(t.show_id, o.show_id), coalesce(t.seat, o.seat), t.hold_id, o.count::text
      from (select * from aisle.taken_seats where state = 'booked') t
      full join (
        select o.show_id, l.seat, count(*) as count, min(o.hold_id) as hold_id
        from aisle.orders o
        cross join lateral jsonb_to_recordset(o.lines) l (seat text)
        where o.status = 'confirmed'
        group by o.show_id, l.seat
      ) o on o.show_id = t.show_id and o.seat = t.seat
      where t.seat is null or o.count is distinct from 1 or o.hold_id <> t.hold_id
      """, columns: 4)
    let log = finding(
      rows, holds: "\(counted(seats, "booked seat")), each a line of one confirmed order."
    ) {
      "\(counted($0, "seat")) with no order, with several, or with an order but no booking."
    }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log,
      fromReadModel: finding(inModel, holds: "Seats and orders are listed one to one.") {
        "\(counted($0, "seat")) not listed one to one with an order."
      },
      details: rows.isEmpty
        ? nil
        : .init(
          columns: ["show", "seat", "bookings", "first hold", "confirmed orders", "first order"], rows: rows))
  }

  func everyConfirmedOrderIsBilledOnce(_ invariant: Invariant) async throws -> InvariantResult {
    let rows = try await table(
      """
      select coalesce(o.order_id, c.order_id), o.total::text, coalesce(c.count, 0)::text, c.gross::text
      from (select * from log_order where confirmed_position is not null) o
      full join (
        select order_id, count(*) as count, sum(gross) as gross
        from log_entry
        where type = 'charged'
        group by order_id
      ) c on c.order_id = o.order_id
      where o.order_id is null or c.count is distinct from 1 or c.gross is distinct from o.total
      order by 1
      """, columns: 4)
    let orders = try await number("select count(*) from log_order where confirmed_position is not null")
    let inModel = try await table(
      """
      select coalesce(o.order_id, l.order_id), o.amount::text, l.amount::text
      from (
        select * from aisle.orders
        where status = 'confirmed'
           or (status = 'cancelled' and (refund > 0 or (version >= 3 and strpos(payment_method, ':') = 0)))
      ) o
      full join (
        select order_id, count(*) as count, sum(amount) as amount
        from aisle.billing_lines
        where kind = 'charge'
        group by order_id
      ) l on l.order_id = o.order_id
      where o.order_id is null or l.amount is distinct from o.amount
         or l.count is distinct from jsonb_array_length(o.lines)
      """, columns: 3)
    let log = finding(
      rows, holds: "\(counted(orders, "confirmed order")), each charged once, with its total."
    ) {
      "\(counted($0, "order")) not charged exactly once with its total."
    }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log,
      fromReadModel: finding(inModel, holds: "Each order has its lines on one bill.") {
        "\(counted($0, "order")) whose lines on the bills are not its own."
      },
      details: rows.isEmpty ? nil : .init(columns: ["order", "total", "charges", "charged"], rows: rows))
  }

  func billsEqualBatch(_ invariant: Invariant) async throws -> InvariantResult {
    let billing = performance.aisle.billing
    let head = try await number("select position from aisle.log_head where tenant = 1")
    let months = try await connection.query(
      """
      select month from aisle.billing_months
      union
      select month from aisle.billing_lines
      union
      select month from aisle.bill_lines(1, null, '0001-02', '9999-12', \(Int64(head)))
      order by month
      """
    ).map { try $0.decode(String.self) }
    var bills = 0
    var differences: [[String]] = []
    var count = 0
    for text in months {
      guard let month = Month(text) else {
        throw ScenarioRunError("the database holds the month \"\(text)\"")
      }
      let result = try await billing.reconcile(month)
      bills += result.bills
      count += result.differenceCount
      differences += result.differences.map { difference in
        [
          text, difference.accountID.rawValue, difference.position.map { "\($0)" } ?? "total",
          difference.field,
          difference.live ?? "missing", difference.batch ?? "missing",
        ]
      }
    }
    // A third way to the same sums: what the accounts' own streams say.
    let streams = try await table(
      """
      select coalesce(b.account_id, e.account_id), coalesce(b.month, e.month), coalesce(b.currency, e.currency),
             coalesce(b.due, 0)::text, coalesce(e.due, 0)::text
      from (
        select account_id, month, currency, sum(case kind when 'charge' then amount else -amount end) as due,
               sum(case kind when 'charge' then tax else -tax end) as tax
        from aisle.bill_lines(1, null, '0001-02', '9999-12', \(Int64(head)))
        group by 1, 2, 3
      ) b
      full join (
        select account_id, month, currency, sum(case type when 'charged' then gross else -gross end) as due,
               sum(case type when 'charged' then tax else -tax end) as tax
        from log_entry
        group by 1, 2, 3
      ) e on e.account_id = b.account_id and e.month = b.month and e.currency = b.currency
      where b.due is distinct from e.due or b.tax is distinct from e.tax
      """, columns: 5)
    return InvariantResult(
      invariant,
      evidence: count == 0
        ? "\(counted(bills, "bill")) of \(counted(months.count, "month")), equal line by line and to the digest."
        : "\(counted(count, "difference")) in \(counted(months.count, "month")).",
      fromLog: finding(streams, holds: "The charges in the accounts' streams come to the same as the batch.")
      {
        "\(counted($0, "bill")) where the accounts' streams and the batch differ."
      },
      fromReadModel: .init(
        holds: count == 0,
        evidence: count == 0
          ? "The tables equal the batch."
          : "\(counted(count, "difference")) between the tables and the batch."),
      details: differences.isEmpty
        ? (streams.isEmpty
          ? nil : .init(columns: ["account", "month", "currency", "batch", "streams"], rows: streams))
        : .init(columns: ["month", "account", "position", "field", "tables", "batch"], rows: differences))
  }

  func postingsBalance(_ invariant: Invariant) async throws -> InvariantResult {
    let rows = try await table(
      """
      select account_id, type, order_id, position::text, postings::text
      from log_entry
      where postings <> 0
      order by position
      """, columns: 5)
    let entries = try await number("select count(*) from log_entry")
    let ledger = try await performance.aisle.billing.trialBalance()
    let log = finding(
      rows, holds: "\(counted(entries, "charge or refund", "charges and refunds")), each sums to zero."
    ) {
      "\(counted($0, "entry", "entries")) with postings that do not sum to zero."
    }
    let sums = ledger.currencies.map { balance in
      balance.entries.map { "\($0.ledgerAccount) \($0.balance.formatted)" }.joined(separator: ", ")
    }
    return InvariantResult(
      invariant, evidence: log.evidence + (sums.isEmpty ? "" : " Ledger: \(sums.joined(separator: "; "))."),
      fromLog: log, holds: ledger.isBalanced,
      details: rows.isEmpty
        ? nil : .init(columns: ["account", "type", "order", "position", "sum"], rows: rows))
  }

  func billedInMonth(_ invariant: Invariant) async throws -> InvariantResult {
    guard case .money(let billed) = invariant.parameter else {
      return InvariantResult(invariant, evidence: "The scenario does not say what to expect.", holds: false)
    }
    let isCharge = invariant.name == .chargeInMonth
    let (account, month) = (billed.account.rawValue, billed.month.description)
    let currency = billed.amount.currency
    let inLog = try await number(
      """
      select coalesce(sum(gross), 0)::bigint
      from log_entry
      where account_id = \(account) and month = \(month) and currency = \(currency.code)
        and type = \(isCharge ? "charged" : "refunded")
      """)
    let inModel = try await number(
      """
      select coalesce(sum(case when \(isCharge) then gross else refunds end), 0)::bigint
      from aisle.billing_months
      where account_id = \(account) and month = \(month) and currency = \(currency.code)
      """)
    let lines = try await table(
      """
      select kind, month, order_id, seat, amount::text, occurred_at::text
      from aisle.billing_lines
      where account_id = \(account)
      order by position, line_no
      """, columns: 6)
    func finding(_ amount: Int, _ place: String) -> InvariantResult.Finding {
      let money = Money(Int64(amount), currency)
      return .init(holds: money == billed.amount, evidence: "\(money.formatted) \(place).")
    }
    let log = finding(inLog, "in the account's stream")
    let model = finding(inModel, "on the bill")
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log, fromReadModel: model,
      details: log.holds && model.holds
        ? nil : .init(columns: ["kind", "month", "order", "seat", "amount", "occurred at"], rows: lines))
  }
}

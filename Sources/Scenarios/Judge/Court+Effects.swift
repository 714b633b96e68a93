import Vocabulary

extension Court {
  func repeatsAnsweredAlike(_ invariant: Invariant) async throws -> InvariantResult {
    let repeated = performance.exchanges.filter { $0.answers.count > 1 }
    let unlike = repeated.filter { Set($0.answers.map(\.visible)).count > 1 }
    let inLog = try await table(
      """
      select what, id, count::text
      from (
        select type as what, data ->> 'hold_id' as id, count(*)
        from log_event
        where type in ('seats-held', 'hold-confirmed', 'booking-cancelled')
        group by 1, 2
        union all
        select type, data ->> 'order_id', count(*)
        from log_event
        where type in ('order-placed', 'order-confirmed', 'order-failed', 'order-cancelled', 'charged', 'refunded')
        group by 1, 2
        union all
        select 'orders of one hold', hold_id, count(*)
        from log_order
        group by hold_id
      ) e
      where count > 1
      order by what, id
      """, columns: 3)
    let inModel = try await table(
      """
      select 'orders of one hold', hold_id, count(*)::text
      from aisle.orders
      group by hold_id
      having count(*) > 1
      union all
      select kind || 's of one seat', order_id || ' ' || seat, count(*)::text
      from aisle.billing_lines
      group by kind, order_id, seat
      having count(*) > 1
      """, columns: 3)
    let rows =
      unlike.map { exchange in
        [
          "answers", plan.buyers[exchange.buyer].id.rawValue,
          exchange.answers.map { $0.reason ?? $0.verdict.rawValue }.joined(separator: ", "),
        ]
      } + inLog + inModel
    let copies = repeated.reduce(0) { $0 + $1.answers.count }
    return InvariantResult(
      invariant,
      evidence: unlike.isEmpty
        ? "\(counted(repeated.count, "request")) sent as \(Numerals.grouped(copies)) copies, all answered alike."
        : "\(counted(unlike.count, "request")) of \(Numerals.grouped(repeated.count)) not answered alike.",
      fromLog: finding(inLog, holds: "Nothing is in the log twice.") {
        "\(counted($0, "thing")) in the log twice."
      },
      fromReadModel: finding(inModel, holds: "No hold has two orders, no seat is billed twice.") {
        "\(counted($0, "thing")) listed twice."
      },
      // A run without a repeat puts nothing to the test.
      holds: unlike.isEmpty && !repeated.isEmpty,
      details: rows.isEmpty ? nil : .init(columns: ["what", "of", "how often"], rows: rows))
  }

  func acknowledgedIsInTheLog(_ invariant: Invariant) async throws -> InvariantResult {
    var holds: [(id: String, seats: String)] = []
    var orders: [String] = []
    var cancellations: [String] = []
    for exchange in performance.exchanges {
      for answer in exchange.answers where answer.verdict == .done {
        switch exchange.request {
        case .hold(let id, _, _, _):
          holds.append((id.rawValue, answer.seats.map(\.rawValue).sorted().joined(separator: " ")))
        case .order(let id, _, _, _): orders.append(id.rawValue)
        case .pay(let id, _, _, _, _), .ask(let id, _):
          if !answer.isPending { orders.append(id.rawValue) }
        case .cancel(let id, _): cancellations.append(id.rawValue)
        case .join, .seeOffer, .giveBack, .transfer: break
        }
      }
    }
    let inLog = try await table(
      """
      select 'hold', a.id, a.seats
      from unnest(\(holds.map(\.id)), \(holds.map(\.seats))) a (id, seats)
      left join (
        select hold_id, string_agg(distinct seat collate "C", ' ' order by seat collate "C") as seats
        from log_change
        where type = 'seats-held'
        group by hold_id
      ) h on h.hold_id = a.id
      where h.seats is distinct from a.seats
      union all
      select 'order', a.id, null
      from unnest(\(orders)) a (id)
      left join log_order o on o.order_id = a.id
      left join log_hold h on h.hold_id = o.hold_id
      where o.confirmed_position is null or h.confirmed_position is null
      union all
      select 'cancellation', a.id, null
      from unnest(\(cancellations)) a (id)
      left join log_order o on o.order_id = a.id
      where o.cancelled_position is null
      """, columns: 3)
    let inModel = try await table(
      """
      select 'hold', a.id, a.seats
      from unnest(\(holds.map(\.id)), \(holds.map(\.seats))) a (id, seats)
      left join lateral (
        select string_agg(s.seat, ' ' order by s.seat collate "C") as seats
        from aisle.holds h
        cross join unnest(h.seats) s (seat)
        where h.tenant = 1 and h.hold_id = a.id
      ) h on true
      where h.seats is distinct from a.seats
      union all
      select 'order', a.id, o.status
      from unnest(\(orders)) a (id)
      left join aisle.orders o on o.tenant = 1 and o.order_id = a.id
      where o.status is null or o.status not in ('confirmed', 'cancelled')
      union all
      select 'cancellation', a.id, o.status
      from unnest(\(cancellations)) a (id)
      left join aisle.orders o on o.tenant = 1 and o.order_id = a.id
      where o.status is distinct from 'cancelled'
      """, columns: 3)
    let answers = holds.count + orders.count + cancellations.count
    let rows = inLog + inModel
    return InvariantResult(
      invariant,
      evidence: "\(counted(holds.count, "hold")), \(counted(orders.count, "order")) and "
        + "\(counted(cancellations.count, "cancellation")) were acknowledged; "
        + (inLog.isEmpty ? "none is missing." : "\(Numerals.grouped(inLog.count)) missing."),
      fromLog: finding(inLog, holds: "All \(Numerals.grouped(answers)) are in the log.") {
        "\(Numerals.grouped($0)) of \(Numerals.grouped(answers)) are not in the log."
      },
      fromReadModel: finding(inModel, holds: "All \(Numerals.grouped(answers)) are listed.") {
        "\(Numerals.grouped($0)) of \(Numerals.grouped(answers)) are not listed."
      },
      // A run that acknowledged nothing proves nothing.
      holds: answers > 0,
      details: rows.isEmpty ? nil : .init(columns: ["what", "id", "as answered"], rows: rows))
  }
}

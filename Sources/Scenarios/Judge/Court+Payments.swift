import Vocabulary

extension Court {
  /// What each order that a bank was asked to pay has come to: by the log, and by the bank's own books.
  private func paidOrders() async throws -> [PaidOrder] {
    let rows = try await connection.query(
      """
      select o.order_id, o.confirmed_position is not null, coalesce(c.refunded, 0)::bigint, o.total,
             coalesce(r.received, 0)::bigint, coalesce(g.given, 0)::bigint, coalesce(g.owed, 0)::bigint,
             (select count(*) from log_booking b where b.hold_id = o.hold_id and b.order_id = o.order_id
                and b.to_position is null),
             coalesce(k.kept, 0)::bigint
      from log_order o
      join (select distinct stream from log_event where type = 'payment-requested') p on p.stream = 'order-' || o.order_id
      left join (
        select data ->> 'order_id' as order_id, sum((data -> 'refund' ->> 'amount')::bigint) as refunded
        from log_event
        where type in ('order-cancelled', 'order-seats-cancelled')
        group by 1
      ) c on c.order_id = o.order_id
      left join (
        select data ->> 'order_id' as order_id, sum((data -> 'amount' ->> 'amount')::bigint) as received
        from log_event
        where type = 'payment-received'
        group by 1
      ) r on r.order_id = o.order_id
      left join (
        select data ->> 'order_id' as order_id,
               sum((data -> 'amount' ->> 'amount')::bigint) filter (where type = 'refund-settled') as given,
               sum((data -> 'amount' ->> 'amount')::bigint) filter (where type = 'refund-requested') as owed
        from log_event
        where type in ('refund-settled', 'refund-requested')
        group by 1
      ) g on g.order_id = o.order_id
      left join (
        select c.order_id, sum(c.amount - coalesce(r.refunded, 0)) as kept
        from aisle.sandbox_charges c
        left join (
          select tenant, charge_id, sum(amount) as refunded from aisle.sandbox_refunds group by 1, 2
        ) r on r.tenant = c.tenant and r.charge_id = c.charge_id
        where c.card not in ('decline', 'insufficient-funds', 'decline-later')
          and c.settles_at <= \(performance.simulatedEnd)
        group by c.order_id
      ) k on k.order_id = o.order_id
      order by o.position
      """)
    return try rows.map { row in
      let id = try row.column(0, as: String.self)
      let isConfirmed = try row.column(1, as: Bool.self)
      let total = try row.column(3, as: Int64.self)
      let inMemory = performance.bank.map { $0[OrderID(unchecked: id)] ?? 0 }
      return PaidOrder(
        id: id, isConfirmed: isConfirmed,
        worth: isConfirmed ? total - (try row.column(2, as: Int64.self)) : 0,
        received: try row.column(4, as: Int64.self), given: try row.column(5, as: Int64.self),
        owed: try row.column(6, as: Int64.self), seats: try row.column(7, as: Int64.self),
        kept: try inMemory ?? row.column(8, as: Int64.self))
    }
  }

  private struct PaidOrder {
    let id: String
    let isConfirmed: Bool
    /// What its seats cost, less what was given back: 0 for who has none.
    let worth: Int64
    let received: Int64
    let given: Int64
    let owed: Int64
    /// Booked for it at the end.
    let seats: Int64
    /// By the bank's books.
    let kept: Int64

    /// nil if money and seats fit together by the log.
    var faultInLog: String? {
      if received - given != worth { return "\(received) received, \(given) given back, worth \(worth)" }
      if owed != given { return "\(owed) to be given back, \(given) was" }
      if !isConfirmed, seats > 0 { return "\(seats) seats without an order" }
      return nil
    }

    var faultAtBank: String? { kept == worth ? nil : "the bank has kept \(kept), worth \(worth)" }
  }

  func noMoneyWithoutASeat(_ invariant: Invariant) async throws -> InvariantResult {
    let orders = try await paidOrders()
    let inLog = orders.filter { $0.faultInLog != nil }
    let atBank = orders.filter { $0.faultAtBank != nil }
    let kept = orders.reduce(0) { $0 + $1.kept }
    let returned = orders.count { $0.received > 0 && $0.worth == 0 }
    let rows = orders.compactMap { order in
      (order.faultInLog ?? order.faultAtBank).map {
        [order.id, order.isConfirmed ? "confirmed" : "not confirmed", $0]
      }
    }
    return InvariantResult(
      invariant,
      evidence: rows.isEmpty
        ? "\(counted(orders.count, "order")) through a bank; \(counted(orders.count { $0.worth > 0 }, "buyer has", "buyers have")) "
          + "seats, \(counted(returned, "buyer has", "buyers have")) got everything back."
        : "\(counted(rows.count, "order")) of \(Numerals.grouped(orders.count)) with money and seats that do not fit.",
      fromLog: .init(
        holds: inLog.isEmpty,
        evidence: inLog.isEmpty
          ? "What was received is what the seats are worth and what was given back."
          : "\(counted(inLog.count, "order")) where it is not, the first \(inLog[0].id)."),
      fromReadModel: .init(
        holds: atBank.isEmpty,
        evidence: atBank.isEmpty
          ? "The bank's books say the same: \(Numerals.grouped(Int(kept))) kept, in minor units."
          : "\(counted(atBank.count, "order")) where the bank's books say something else, the first \(atBank[0].id)."
      ),
      // A run in which no bank was asked proves nothing.
      holds: !orders.isEmpty,
      details: rows.isEmpty ? nil : .init(columns: ["order", "state", "what does not fit"], rows: rows))
  }

  /// Each interleaving by itself, so that a reader sees how many there were and how they ended.
  func everyInterleavingEndsRight(_ invariant: Invariant) async throws -> InvariantResult {
    let orders = Dictionary(try await paidOrders().map { ($0.id, $0) }) { first, _ in first }
    let players = plan.buyers.filter { plan.interleavedShows.contains($0.show) }
    var withSeat = 0
    var endings: [String: (count: Int, example: String)] = [:]
    func ended(_ how: String, _ text: String) {
      endings[how] = ((endings[how]?.count ?? 0) + 1, endings[how]?.example ?? text)
    }
    var rows: [[String]] = []
    for player in players {
      let text = player.interleaving.map(\.rawValue).joined(separator: ", ")
      guard let order = orders[player.order.rawValue] else {
        rows.append([player.id.rawValue, text, "has no order"])
        continue
      }
      if let fault = order.faultInLog ?? order.faultAtBank {
        rows.append([player.id.rawValue, text, fault])
      } else if order.worth > 0, order.seats == 0 {
        rows.append([player.id.rawValue, text, "paid, without the seat"])
      } else if order.worth > 0 {
        withSeat += 1
        ended("the seat and its price", text)
      } else {
        ended(order.received > 0 ? "neither: all the money went back" : "neither: no money ever came", text)
      }
    }
    let failed = performance.recording.attempts.filter { $0.action == .interleave && $0.outcome == .error }
    let without = players.count - withSeat - rows.count
    let log = finding(
      rows,
      holds:
        "\(counted(players.count, "interleaving")): \(Numerals.grouped(withSeat)) ended with the seat and its price, "
        + "\(Numerals.grouped(without)) with neither."
    ) {
      "\(counted($0, "interleaving")) of \(Numerals.grouped(players.count)) ended with one and not the other."
    }
    return InvariantResult(
      invariant,
      evidence: rows.isEmpty ? log.evidence : log.evidence + " First: \(rows[0][1]): \(rows[0][2]).",
      fromLog: log,
      // Both ends occur, or this shows nothing.
      holds: failed.isEmpty && withSeat > 0 && without > 0,
      details: rows.isEmpty
        ? .init(
          columns: ["ended with", "how many", "for example"],
          rows: endings.sorted { $0.key < $1.key }.map {
            [$0.key, Numerals.grouped($0.value.count), $0.value.example]
          })
        : .init(columns: ["who", "in this order", "what is wrong"], rows: rows))
  }

  /// Quotes that were taken up, and shows that were called off.
  func refundsAreComplete(_ invariant: Invariant) async throws -> InvariantResult {
    var promised: [String: Int64] = [:]
    for exchange in performance.exchanges {
      guard case .giveBack(let order, _, _, let quote) = exchange.request, exchange.answer.verdict == .done
      else {
        continue
      }
      promised["\(order) \(quote)"] = exchange.answer.refund ?? -1
    }
    let quotes = try await connection.query(
      """
      select x.data ->> 'order_id', x.data ->> 'quote_id', (x.data -> 'refund' ->> 'amount')::bigint,
             (q.data -> 'refund' ->> 'amount')::bigint,
             (x.data ->> 'occurred_at')::timestamptz < (q.data ->> 'expires_at')::timestamptz
      from log_event x
      left join log_event q
        on q.type = 'cancellation-quoted' and q.stream_id = x.stream_id and q.data ->> 'quote_id' = x.data ->> 'quote_id'
      where x.type in ('order-cancelled', 'order-seats-cancelled') and x.data ? 'quote_id'
      """)
    var rows: [[String]] = []
    var taken: [String: Int64] = [:]
    for row in quotes {
      let (order, quote) = (try row.column(0, as: String.self), try row.column(1, as: String.self))
      let refund = try row.column(2, as: Int64.self)
      taken["\(order) \(quote)"] = refund
      if try row.column(3, as: Int64?.self) != refund { rows.append([order, "not what was quoted"]) }
      if try row.column(4, as: Bool?.self) == false { rows.append([order, "taken up after its time"]) }
    }
    for (key, refund) in promised.sorted(by: { $0.key < $1.key }) where taken[key] != refund {
      rows.append([
        key,
        "promised \(refund)" + (taken[key].map { ", given back \($0)" } ?? ", not given back by that quote"),
      ])
    }
    rows += try await table(
      """
      select o.order_id, 'of a show that was called off: ' || o.total || ' paid, ' || coalesce(x.refund, 0) || ' given back'
      from log_order o
      join log_event s on s.type = 'show-cancelled' and substr(s.stream, 6) = o.show_id
      left join (
        select data ->> 'order_id' as order_id,
               sum((data -> 'refund' ->> 'amount')::bigint + coalesce((data -> 'fee' ->> 'amount')::bigint, 0)) as refund
        from log_event
        where type in ('order-cancelled', 'order-seats-cancelled')
        group by 1
      ) x on x.order_id = o.order_id
      where o.confirmed_position is not null and x.refund is distinct from o.total
      """, columns: 2)
    rows += try await table(
      """
      select b.seat, 'still booked in a show that was called off'
      from log_booking b
      join log_event s on s.type = 'show-cancelled' and substr(s.stream, 6) = b.show_id
      where b.to_position is null
      """, columns: 2)
    let calledOff = try await number("select count(*) from log_event where type = 'show-cancelled'")
    let refunded = try await number(
      """
      select count(*)
      from log_order o
      join log_event s on s.type = 'show-cancelled' and substr(s.stream, 6) = o.show_id
      where o.cancelled_position > s.position
      """)
    // The bill says the same as the order, line by line.
    let bills = try await table(
      """
      select o.order_id, o.refund::text, coalesce(l.refund, 0)::text
      from aisle.orders o
      left join (
        select order_id, sum(amount) as refund from aisle.billing_lines where kind = 'refund' group by 1
      ) l on l.order_id = o.order_id
      where o.refund <> coalesce(l.refund, 0)
      """, columns: 3)
    let log = finding(
      rows,
      holds:
        "\(counted(taken.count, "quote")) taken up at their terms; \(counted(calledOff, "show")) called off, "
        + "\(counted(refunded, "order")) of theirs given back in full."
    ) { "\(counted($0, "thing")) not as promised, the first \(rows[0][0]): \(rows[0][1])." }
    return InvariantResult(
      invariant, evidence: log.evidence, fromLog: log,
      fromReadModel: finding(bills, holds: "The bills show the same refunds as the orders.") {
        "\(counted($0, "order")) with another refund on the bill."
      },
      // Without either, nothing was put to the test.
      holds: taken.count + refunded > 0,
      details: rows.isEmpty ? nil : .init(columns: ["order", "what is wrong"], rows: rows))
  }
}

import Vocabulary

extension Court {
  func winners(_ invariant: Invariant) async throws -> InvariantResult {
    let wanted = expectedCount(invariant)
    let told = Set(performance.recording.attempts.filter { $0.outcome == .won }.map(\.buyer)).count
    let orders = try await table(
      """
      select buyer, order_id, show_id, confirmed_position::text
      from log_order
      where confirmed_position is not null and position > \(start)
      order by confirmed_position
      """, columns: 4)
    let inLog = Set(orders.map { $0[0] }).count
    // Version 3 of a cancelled order on account: it was placed, confirmed and cancelled. Of one that a bank was to pay
    // the version tells nothing, but what was given back does.
    let inModel = try await number(
      """
      select count(distinct buyer)
      from aisle.orders
      where position > \(start) and (
        status = 'confirmed'
        or (status = 'cancelled' and (refund > 0 or (version >= 3 and strpos(payment_method, ':') = 0))))
      """)
    let holds = told == wanted && inLog == wanted && inModel == wanted
    return InvariantResult(
      invariant,
      evidence:
        "\(counted(told, "buyer was", "buyers were")) told that they won, \(Numerals.grouped(wanted)) expected.",
      fromLog: .init(
        holds: inLog == wanted, evidence: "\(counted(inLog, "buyer has", "buyers have")) a confirmed order."),
      fromReadModel: .init(
        holds: inModel == wanted, evidence: "\(counted(inModel, "buyer is", "buyers are")) listed with one."),
      holds: told == wanted,
      details: holds
        ? nil : .init(columns: ["buyer", "order", "show", "confirmed at position"], rows: orders),
      brokenAtMicroseconds: wonAfter(wanted))
  }

  /// When the first winner too many was told so.
  private func wonAfter(_ count: Int) -> Int64? {
    let ends = performance.recording.attempts.filter { $0.outcome == .won }.map(\.endMicroseconds).sorted()
    return ends.count > count ? ends[count] : nil
  }

  func everyOtherBuyerRefusedCleanly(_ invariant: Invariant) async throws -> InvariantResult {
    var last: [String: Attempt] = [:]
    var successful: Set<String> = []
    for attempt in performance.recording.attempts {
      last[attempt.buyer] = attempt
      if attempt.outcome == .won { successful.insert(attempt.buyer) }
    }
    // Whoever holds seats and does not want to pay was refused nothing.
    let others = plan.buyers.map(\.id.rawValue).filter {
      !successful.contains($0) && last[$0]?.outcome != .held
    }
    let unclean = others.compactMap { buyer -> [String]? in
      guard let attempt = last[buyer] else { return [buyer, "was never answered", "–"] }
      return attempt.outcome == .refused && attempt.reason != nil
        ? nil : [buyer, attempt.outcome.rawValue, attempt.reason ?? "no reason"]
    }
    let inLog = try await table(
      """
      select u.buyer, case when e.position is not null then 'was charged' else 'has seats' end,
             coalesce(o.order_id, h.hold_id)
      from unnest(\(others)) u (buyer)
      left join log_hold h
        on h.buyer = u.buyer and h.confirmed_position is not null and h.ended_by is distinct from 'booking-cancelled'
      left join log_order o on o.buyer = u.buyer
      left join log_entry e on e.order_id = o.order_id and e.type = 'charged'
      where h.hold_id is not null or e.position is not null
      """, columns: 3)
    let inModel = try await table(
      """
      select u.buyer, o.order_id
      from unnest(\(others)) u (buyer)
      join aisle.orders o on o.buyer = u.buyer
      where o.status = 'confirmed'
         or exists (select from aisle.billing_lines l where l.tenant = o.tenant and l.order_id = o.order_id)
      """, columns: 2)
    let number = Numerals.grouped(others.count)
    let rows = unclean + inLog
    return InvariantResult(
      invariant,
      evidence: unclean.isEmpty
        ? "\(counted(others.count, "buyer")) without a seat, each told why."
        : "\(counted(unclean.count, "buyer")) of \(number) without a seat not told why.",
      fromLog: finding(inLog, holds: "None of the \(number) has a booked seat or a charge.") {
        "\(Numerals.grouped($0)) of the \(number) with a booked seat or a charge."
      },
      fromReadModel: finding(inModel, holds: "None of the \(number) has a confirmed order or a billed line.")
      {
        "\(Numerals.grouped($0)) of the \(number) with a confirmed order or a billed line."
      }, holds: unclean.isEmpty,
      details: rows.isEmpty ? nil : .init(columns: ["buyer", "what", "which"], rows: rows))
  }

  func latePayersRefused(_ invariant: Invariant) async throws -> InvariantResult {
    let expiry = try await Dictionary(
      connection.query("select hold_id, expires_at from log_hold").map {
        try $0.decode(String.self, Timestamp.self)
      },
      uniquingKeysWith: { first, _ in first })
    var late: [Journal.Exchange] = []
    for exchange in performance.exchanges {
      guard case .order(_, let hold, _, _) = exchange.request, let end = expiry[hold.rawValue],
        exchange.simulatedAt >= end
      else { continue }
      late.append(exchange)
    }
    let wrong = late.filter { !($0.answer.verdict == .refused && $0.answer.reason == "hold-expired") }
    let inLog = try await table(
      """
      select o.order_id, o.hold_id, coalesce(o.reason, 'did not fail')
      from log_order o
      join log_hold h on h.hold_id = o.hold_id
      where o.placed_at >= h.expires_at
        and (o.reason is distinct from 'hold-expired' or o.confirmed_position is not null
             or h.confirmed_position is not null)
      """, columns: 3)
    let inModel = try await table(
      """
      select o.order_id, o.hold_id, o.status
      from aisle.orders o
      join aisle.holds h on h.tenant = o.tenant and h.hold_id = o.hold_id
      where o.placed_at >= h.expires_at and (o.status <> 'failed' or o.reason is distinct from 'hold-expired')
      """, columns: 3)
    let rows =
      wrong.map { [$0.request.orderText, "was answered", $0.answer.reason ?? $0.answer.verdict.rawValue] }
      + inLog
    return InvariantResult(
      invariant,
      evidence: late.isEmpty
        ? "Nobody paid late, so nothing was put to the test."
        : "\(counted(late.count, "payment")) came too late, \(Numerals.grouped(late.count - wrong.count)) refused with "
          + "hold-expired.",
      fromLog: finding(inLog, holds: "Each order placed too late failed with hold-expired.") {
        "\(counted($0, "order")) placed too late that did not fail with hold-expired."
      },
      fromReadModel: finding(inModel, holds: "Each is listed as failed.") {
        "\(counted($0, "order")) placed too late and not listed as failed."
      }, holds: wrong.isEmpty && !late.isEmpty,
      details: rows.isEmpty ? nil : .init(columns: ["order", "hold", "what"], rows: rows))
  }

  func noUnexpectedErrors(_ invariant: Invariant) -> InvariantResult {
    let errors = performance.recording.attempts.filter { $0.outcome == .error }
    let messages = Dictionary(
      performance.exchanges.flatMap { exchange in
        exchange.answers.filter { $0.verdict == .error }.map {
          (plan.buyers[exchange.buyer].id.rawValue, $0.message ?? "")
        }
      }, uniquingKeysWith: { first, _ in first })
    // Also of a copy whose twin succeeded.
    let strays = performance.exchanges.reduce(0) { $0 + $1.answers.count { $0.verdict == .error } }
    let holds = errors.isEmpty && strays == 0
    let requests = performance.exchanges.reduce(0) { $0 + $1.answers.count }
    return InvariantResult(
      invariant,
      evidence: holds
        ? "\(counted(requests, "request")), each answered with a success or a refusal."
        : "\(counted(max(errors.count, strays), "request")) of \(Numerals.grouped(requests)) ended in an error.",
      holds: holds,
      details: holds
        ? nil
        : .init(
          columns: ["buyer", "error", "message"],
          rows: errors.map { [$0.buyer, $0.reason ?? "unknown", messages[$0.buyer] ?? ""] }),
      brokenAtMicroseconds: errors.map(\.endMicroseconds).min())
  }

  func everyFaultHappened(_ invariant: Invariant) -> InvariantResult {
    let strikes = performance.strikes
    let wanted = plan.scenario.faults.count
    let told = strikes.map { strike in
      "worker-\(strike.fault.worker) was killed after \(counted(strike.acknowledged, "answer")), with "
        + "\(counted(strike.underway, "request")) under way, and was back after "
        + "\(Numerals.duration(microseconds: strike.backAtMicroseconds - strike.lostAtMicroseconds))."
    }
    return InvariantResult(
      invariant,
      evidence: strikes.count == wanted && wanted > 0
        ? told.joined(separator: " ")
        : "\(Numerals.grouped(strikes.count)) of \(counted(wanted, "fault")) struck."
          + told.map { " " + $0 }.joined(),
      holds: strikes.count == wanted && wanted > 0)
  }
}

extension BuyerRequest {
  fileprivate var orderText: String {
    switch self {
    case .order(let order, _, _, _), .cancel(let order, _): order.rawValue
    case .hold(let hold, _, _, _): hold.rawValue
    case .pay(let order, _, _, _, _), .ask(let order, _), .giveBack(let order, _, _, _),
      .transfer(let order, _, _, _):
      order.rawValue
    case .join(let id, _, _, _), .seeOffer(let id, _): id.rawValue
    }
  }
}

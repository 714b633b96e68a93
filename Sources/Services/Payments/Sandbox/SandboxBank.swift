import EventStore
import Foundation
import PostgreSQL
import Vocabulary

/// A payment provider for trying out: it keeps what it was asked in tables of its own, answers at once or later by
/// signed webhooks, and does whatever the test card says. It moves no money.
///
/// It is reached over HTTP like any other; as a ``PaymentProvider`` it can also be called directly.
public struct SandboxBank: PaymentProvider {
  public let name = "sandbox"

  let pool: PostgresPool
  let tenant: TenantID
  let time: TimeSource

  public init(pool: PostgresPool, tenant: TenantID = .main, time: TimeSource = .system) {
    self.pool = pool
    self.tenant = tenant
    self.time = time
  }

  private struct Charge {
    let amount: Money
    let card: SandboxCard
    let order: String
    let settlesAt: Timestamp

    func status(at now: Timestamp) -> ChargeStatus {
      guard settlesAt <= now else { return .pending }
      return card.end == .succeeded ? .succeeded : .declined(reason: card.reason ?? "card-declined")
    }
  }

  public func charge(_ request: ChargeRequest) async throws(PaymentProviderError) -> ChargeStatus {
    guard let card = SandboxCard(rawValue: request.card) else {
      return .declined(reason: "unknown-card")
    }
    let now = time.now
    let isNew = try await asking { () async throws in
      try await pool.transaction { connection in
        let inserted = try await connection.query(
          """
          insert into aisle.sandbox_charges (
            tenant, charge_id, order_id, amount, currency, card, settles_at, created_at)
          values (
            \(tenant.rawValue), \(request.id.rawValue), \(request.order.rawValue), \(request.amount.minorUnits),
            \(request.amount.currency.code), \(card.rawValue), \(now + card.delay), \(now))
          on conflict (tenant, charge_id) do nothing
          returning 1
          """)
        guard !inserted.isEmpty else { return false }
        try await plan(card, request, at: now, on: connection)
        return true
      }
    }
    guard let charge = try await find(request.id) else { throw .unreachable("the charge is not stored") }
    guard charge.amount == request.amount, charge.card == card, charge.order == request.order.rawValue else {
      throw .refused("charge \(request.id) exists with other content")
    }
    if isNew {
      if card == .timeout { throw .unreachable("no answer in time") }
      guard card.answersAtOnce else { return .pending }
    }
    return charge.status(at: now)
  }

  public func inquire(_ id: PaymentID) async throws(PaymentProviderError) -> ChargeStatus? {
    try await find(id).map { $0.status(at: time.now) }
  }

  /// Never more than was charged.
  public func refund(_ request: RefundRequest) async throws(PaymentProviderError) -> RefundStatus {
    guard let charge = try await find(request.payment) else {
      throw .refused("there is no charge \(request.payment)")
    }
    let now = time.now
    guard charge.card.end == .succeeded, charge.settlesAt <= now,
      charge.amount.currency == request.amount.currency
    else { throw .refused("charge \(request.payment) has no money to give back") }
    let isNew: Bool? = try await asking { () async throws in
      try await pool.transaction { connection in
        // One refund of a charge at a time.
        try await connection.query(
          """
          select 1 from aisle.sandbox_charges
          where tenant = \(tenant.rawValue) and charge_id = \(request.payment.rawValue)
          for update
          """)
        let rows = try await connection.query(
          """
          select coalesce(sum(amount), 0)::bigint, coalesce(bool_or(refund_id = \(request.id.rawValue)), false)
          from aisle.sandbox_refunds
          where tenant = \(tenant.rawValue) and charge_id = \(request.payment.rawValue)
          """)
        let (refunded, isKnown) = try rows.first?.decode(Int64.self, Bool.self) ?? (Int64(0), false)
        if isKnown { return false }
        guard refunded + request.amount.minorUnits <= charge.amount.minorUnits else { return nil }
        try await connection.execute(
          """
          insert into aisle.sandbox_refunds (tenant, refund_id, charge_id, amount, created_at)
          values (
            \(tenant.rawValue), \(request.id.rawValue), \(request.payment.rawValue), \(request.amount.minorUnits),
            \(now))
          """)
        let details = PaymentNotice.Details(
          orderID: request.order, paymentID: request.payment, refundID: request.id, amount: request.amount)
        try await plan(
          .refundSettled, details, key: request.id.rawValue, copies: charge.card.copies, at: now,
          on: connection)
        return true
      }
    }
    guard let isNew else { throw .refused("more than was charged would be given back") }
    return isNew && charge.card == .refundLater ? .pending : .settled
  }

  private func find(_ id: PaymentID) async throws(PaymentProviderError) -> Charge? {
    try await asking { () async throws in
      try await pool.query(
        """
        select amount, currency, card, order_id, settles_at
        from aisle.sandbox_charges
        where tenant = \(tenant.rawValue) and charge_id = \(id.rawValue)
        """
      ).first.map { row in
        let (amount, currency, card, order, settles) = try row.decode(
          Int64.self, String.self, String.self, String.self, Timestamp.self)
        return Charge(
          amount: Money(amount, try Currency(stored: currency)),
          card: SandboxCard(rawValue: card) ?? .decline,
          order: order, settlesAt: settles)
      }
    }
  }

  // MARK: Webhooks

  private func plan(
    _ card: SandboxCard, _ request: ChargeRequest, at now: Timestamp, on connection: PostgresConnection
  ) async throws {
    let details = PaymentNotice.Details(
      orderID: request.order, paymentID: request.id, amount: request.amount, reason: card.reason)
    for (place, kind) in card.notices.enumerated() {
      // "Pending" is told of the moment of the request.
      let due = kind == .chargePending ? now : now + card.delay
      try await plan(
        kind, details, key: request.id.rawValue, copies: card.copies, ordinal: place, at: due, on: connection)
    }
  }

  private func plan(
    _ kind: PaymentNotice.Kind, _ details: PaymentNotice.Details, key: String, copies: Int, ordinal: Int = 0,
    at due: Timestamp,
    on connection: PostgresConnection
  ) async throws {
    let id = UUID.derived(from: "sandbox", key, kind.rawValue)
    let notice = PaymentNotice(
      id: id.uuidString.lowercased(), type: kind, created: time.now, data: details)
    let body = String(decoding: try notice.encoded(), as: UTF8.self)
    try await connection.execute(
      """
      insert into aisle.sandbox_webhooks (tenant, notice_id, copy, ordinal, body, due_at)
      select \(tenant.rawValue), \(id), c, \(Int32(ordinal)), \(body), \(due)
      from generate_series(1, \(Int32(copies))) c
      on conflict (tenant, notice_id, copy) do nothing
      """)
  }

  private func asking<T: Sendable>(
    _ body: () async throws -> T
  ) async throws(PaymentProviderError) -> T {
    do {
      return try await body()
    } catch {
      throw .unreachable("the sandbox's tables cannot be used: \(error)")
    }
  }
}

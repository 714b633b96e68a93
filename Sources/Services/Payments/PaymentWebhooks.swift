import EventStore
import Foundation
import PostgreSQL
import Vocabulary

/// Takes what providers tell by webhook: checks who says it and when, and lets the order decide what follows.
///
/// A notice's id is remembered after it took effect, so one that came twice is acknowledged and changes nothing. A
/// process that dies in between leaves it to the next delivery, and the order recognises what it knows already.
public struct PaymentWebhooks: Sendable {
  /// Most bytes of a body.
  public static let maximumBodySize = 64 << 10

  /// How long ids are remembered: longer than a provider goes on delivering.
  private static let memory = Duration.seconds(30 * 86_400)

  public enum Outcome: Sendable, Hashable {
    case applied
    /// It was here before.
    case duplicate
    /// It says nothing that the order would want to know.
    case ignored
  }

  public enum Refusal: Error, Sendable {
    case unknownProvider(String)
    case signature(WebhookSignature.Problem)
    case unreadable(String)
    case service(ServiceError)
  }

  let store: EventStore
  let ordering: OrderingService
  let payments: Payments
  let time: TimeSource

  /// - Parameter signature: the header ``WebhookSignature/header``.
  public func receive(
    _ body: [UInt8], signature: String?, from provider: String, _ context: RequestContext
  ) async throws(Refusal) -> Outcome {
    guard let connection = payments[provider] else { throw .unknownProvider(provider) }
    do throws(WebhookSignature.Problem) {
      guard let signature else { throw .malformed }
      try WebhookSignature.verify(signature, of: body, at: time.now, with: connection.secret)
    } catch {
      throw .signature(error)
    }
    let notice: PaymentNotice
    do {
      notice = try JSONDecoder().decode(PaymentNotice.self, from: Data(body))
    } catch {
      throw .unreadable("\(error)")
    }
    guard (1...200).contains(notice.id.utf8.count) else {
      throw .unreadable("its id has more than 200 bytes")
    }
    do throws(ServiceError) {
      if try await isKnown(notice, from: provider) { return .duplicate }
      let outcome = try await apply(notice, context)
      try await remember(notice, from: provider)
      return outcome
    } catch {
      throw .service(error)
    }
  }

  private func apply(
    _ notice: PaymentNotice, _ context: RequestContext
  ) async throws(ServiceError) -> Outcome {
    let data = notice.data
    switch notice.type {
    case .chargePending: return .ignored
    case .chargeSucceeded:
      _ = try await ordering.paymentReceived(data.paymentID, data.amount, for: data.orderID, context)
    case .chargeDeclined:
      _ = try await ordering.paymentDeclined(
        data.paymentID, reason: data.reason ?? "payment-declined", for: data.orderID, context)
    case .refundSettled:
      guard let refund = data.refundID else { return .ignored }
      _ = try await ordering.refundSettled(refund, for: data.orderID, context)
    }
    return .applied
  }

  private func isKnown(
    _ notice: PaymentNotice, from provider: String
  ) async throws(ServiceError) -> Bool {
    do {
      return try await !store.pool.query(
        """
        select 1
        from aisle.payment_notices
        where tenant = \(store.tenant.rawValue) and provider = \(provider) and notice_id = \(notice.id)
        """
      ).isEmpty
    } catch {
      throw ServiceError(reading: error)
    }
  }

  /// And forgets at most a hundred that are too old to come again, so that the table does not grow for ever.
  private func remember(
    _ notice: PaymentNotice, from provider: String
  ) async throws(ServiceError) {
    let tenant = store.tenant.rawValue
    do {
      try await store.pool.execute(
        """
        insert into aisle.payment_notices (tenant, provider, notice_id, type, received_at)
        values (\(tenant), \(provider), \(notice.id), \(notice.type.rawValue), \(time.now))
        on conflict (tenant, provider, notice_id) do nothing
        """)
      try await store.pool.execute(
        """
        delete from aisle.payment_notices n
        using (
          select provider, notice_id
          from aisle.payment_notices
          where tenant = \(tenant) and received_at < \(time.now - Self.memory)
          order by received_at
          limit 100
        ) old
        where n.tenant = \(tenant) and n.provider = old.provider and n.notice_id = old.notice_id
        """)
    } catch {
      throw ServiceError(reading: error)
    }
  }
}

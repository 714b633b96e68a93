import EventStore
import Foundation
import Ordering
import Vocabulary

extension OrderingService {
  /// How long a provider has for its answer. An order that is still unpaid then has failed; money that comes later is
  /// given back.
  public static let paymentPatience = Duration.seconds(20 * 60)

  /// The provider has the money: the order goes on, or the money goes back.
  public func paymentReceived(
    _ payment: PaymentID, _ amount: Money, for id: OrderID, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt {
    let outcome = try await execute(.receivePayment(payment, amount), on: id, context)
    return try await seeThrough(id, outcome, context)
  }

  public func paymentDeclined(
    _ payment: PaymentID, reason: String, for id: OrderID, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt {
    let outcome = try await execute(
      .declinePayment(payment, reason: String(reason.prefix(200))), on: id, context)
    return try await seeThrough(id, outcome, context)
  }

  public func refundSettled(
    _ refund: RefundID, for id: OrderID, _ context: RequestContext
  ) async throws(ServiceError) -> Receipt {
    try receipt(id, try await execute(.settleRefund(refund), on: id, context))
  }

  /// Asks the provider once more how an unpaid order's charge stands; one that has waited for too long fails.
  func pursuePayment(
    of id: OrderID, at now: Timestamp, _ context: RequestContext
  ) async throws(ServiceError) {
    try await resume(id, context)
    let outcome = try await orders.fold(id)
    guard outcome.state.isUnpaid, let payment = outcome.state.payment,
      payment.requestedAt + Self.paymentPatience <= now
    else { return }
    _ = try await fail(id, because: "payment-timed-out", context)
  }

  // MARK: Steps

  /// What the provider is to be asked for; nil if the order is put on the account.
  func payment(
    of id: OrderID, by method: String
  ) throws(ServiceError) -> Ordering.Place.Payment? {
    guard let (provider, _) = Payments.split(method) else { return nil }
    guard payments[provider] != nil else {
      throw .invalid(
        "payment method \"\(method.prefix(64))\" names the provider \"\(provider.prefix(64))\", which is not set up here"
      )
    }
    let payment = UUID.derived(from: "payment", id.rawValue).uuidString.lowercased()
    return Ordering.Place.Payment(id: PaymentID(unchecked: payment), provider: provider)
  }

  /// Has the provider charge, or say how the charge of the same id stands.
  func collect(
    _ order: Ordering.OrderPlaced, _ outcome: OrderStream.Outcome, _ context: RequestContext
  ) async throws(ServiceError) -> OrderStream.Outcome {
    guard let payment = outcome.state.payment else { return outcome }
    let provider = try provider(payment.provider)
    let card = Payments.split(order.paymentMethod)?.card ?? ""
    let request = ChargeRequest(id: payment.id, order: order.orderID, amount: payment.amount, card: card)
    let command: Ordering.Command
    do throws(PaymentProviderError) {
      switch try await provider.charge(request) {
      case .succeeded: command = .receivePayment(payment.id, payment.amount)
      case .declined(let reason):
        command = .declinePayment(payment.id, reason: String(reason.prefix(200)))
      case .pending: return outcome
      }
    } catch {
      switch error {
      case .unreachable: throw .unavailable("\(error)")
      case .refused: command = .declinePayment(payment.id, reason: "payment-refused")
      }
    }
    return try await orders.execute(command, on: order.orderID, context)
  }

  /// Of an order that has ended: has the provider say whether it got money all the same. It is not asked to charge.
  func inquire(
    _ order: Ordering.OrderPlaced, _ outcome: OrderStream.Outcome, _ context: RequestContext
  ) async throws(ServiceError) -> OrderStream.Outcome {
    guard outcome.state.isPaymentOpen, let payment = outcome.state.payment else { return outcome }
    let provider = try provider(payment.provider)
    let status: ChargeStatus?
    do throws(PaymentProviderError) {
      status = try await provider.inquire(payment.id)
    } catch {
      throw .unavailable("the payment of order \(order.orderID): \(error)")
    }
    let command: Ordering.Command
    switch status {
    case .pending: return outcome
    case .succeeded: command = .receivePayment(payment.id, payment.amount)
    case .declined(let reason): command = .declinePayment(payment.id, reason: String(reason.prefix(200)))
    case nil: command = .declinePayment(payment.id, reason: "never-charged")
    }
    return try await orders.execute(command, on: order.orderID, context)
  }

  /// Has the provider give back what it has to.
  func settleRefunds(
    _ outcome: OrderStream.Outcome, _ context: RequestContext
  ) async throws(ServiceError) -> OrderStream.Outcome {
    guard let order = outcome.state.order, let payment = outcome.state.payment else { return outcome }
    var outcome = outcome
    for refund in outcome.state.unsettledRefunds {
      let request = RefundRequest(
        id: refund.id, payment: payment.id, order: order.orderID, amount: refund.amount)
      let provider = try provider(payment.provider)
      let status: RefundStatus
      do throws(PaymentProviderError) {
        status = try await provider.refund(request)
      } catch {
        let reason = "refund \(refund.id) of order \(order.orderID): \(error)"
        switch error {
        case .unreachable: throw .unavailable(reason)
        // Not to be tried for ever, with all others waiting behind it: it is parked until somebody has looked at it.
        case .refused: throw .invalid(reason)
        }
      }
      if status == .settled {
        outcome = try await orders.execute(.settleRefund(refund.id), on: order.orderID, context)
      }
    }
    return outcome
  }

  private func provider(_ name: String) throws(ServiceError) -> any PaymentProvider {
    guard let connection = payments[name] else {
      throw .unavailable("the payment provider \(name) is not set up in this process")
    }
    return connection.provider
  }
}

import Booking
import EventStore
import Foundation
import Ordering
import PostgreSQL
import Services
import Synchronization
import TestSupport
import Vocabulary

/// A provider whose every move the test makes. It is not part of any process, so it outlives them all.
final class TestBank: PaymentProvider, Sendable {
  struct Ledger: Sendable {
    var charges: [PaymentID: Money] = [:]
    var paid: Set<PaymentID> = []
    var refusesRefundsOf: Set<PaymentID> = []
    var refunds: [RefundID: (payment: PaymentID, amount: Money)] = [:]
  }

  let name = "bank"
  let secret = WebhookSecret.random()
  private let ledger = Mutex(Ledger())

  var connection: Payments { Payments([.init(self, secret: secret)]) }

  func charge(_ request: ChargeRequest) async throws(PaymentProviderError) -> ChargeStatus {
    ledger.withLock { ledger in
      ledger.charges[request.id] = request.amount
      return ledger.paid.contains(request.id) ? .succeeded : .pending
    }
  }

  func inquire(_ id: PaymentID) async throws(PaymentProviderError) -> ChargeStatus? {
    ledger.withLock { ledger in
      ledger.charges[id].map { _ in ledger.paid.contains(id) ? .succeeded : .pending }
    }
  }

  func refund(_ request: RefundRequest) async throws(PaymentProviderError) -> RefundStatus {
    let isPossible = ledger.withLock { ledger in
      guard ledger.paid.contains(request.payment), !ledger.refusesRefundsOf.contains(request.payment) else {
        return false
      }
      ledger.refunds[request.id] = (request.payment, request.amount)
      return true
    }
    guard isPossible else { throw .refused("nothing was paid") }
    return .settled
  }

  /// The buyer pays.
  func pay(_ id: PaymentID) { ledger.withLock { _ = $0.paid.insert(id) } }

  func refuseRefunds(of id: PaymentID, _ refuses: Bool) {
    ledger.withLock { ledger in
      if refuses { ledger.refusesRefundsOf.insert(id) } else { ledger.refusesRefundsOf.remove(id) }
    }
  }

  /// What the bank has kept of a payment.
  func kept(of id: PaymentID) -> Int64 {
    ledger.withLock { ledger in
      guard ledger.paid.contains(id) else { return 0 }
      let charged = ledger.charges[id]?.minorUnits ?? 0
      return ledger.refunds.values.reduce(charged) { $1.payment == id ? $0 - $1.amount.minorUnits : $0 }
    }
  }
}

extension OrderID {
  var payment: PaymentID {
    PaymentID(unchecked: UUID.derived(from: "payment", rawValue).uuidString.lowercased())
  }
}

/// What one order has come to: in its stream, on the seat, at the bank.
struct OrderOutcome: Sendable, CustomStringConvertible {
  let isConfirmed: Bool
  let hasSeat: Bool
  let money: Int64
  let state: Ordering.Standing
  let unsettled: Int

  /// Seat and charge, or no seat and every cent back.
  func isRight(price: Int64) -> Bool {
    unsettled == 0 && (isConfirmed ? hasSeat && money == price : !hasSeat && money == 0)
  }

  var description: String { "\(state), seat \(hasSeat), money \(money), unsettled \(unsettled)" }
}

extension Aisle {
  func outcome(of order: OrderID, seat: SeatID, in show: ShowID, at bank: TestBank) async throws
    -> OrderOutcome
  {
    var booking = Booking.State()
    for event in try await store.read(.show(show)) { Booking.evolve(&booking, try event.decode()) }
    var hasSeat = false
    if case .booked(_, order) = booking.occupancy(of: seat, at: time.now) { hasSeat = true }
    let receipt = try await ordering.order(order)
    var isConfirmed = false
    if case .confirmed = receipt.state { isConfirmed = true }
    return OrderOutcome(
      isConfirmed: isConfirmed, hasSeat: hasSeat, money: bank.kept(of: order.payment), state: receipt.state,
      unsettled: receipt.payment?.refunds.filter { !$0.isSettled }.count ?? 0)
  }

  /// A webhook of the bank, as it comes in.
  func succeeded(_ order: OrderID, _ amount: Money, notice: String, from bank: TestBank) async throws {
    let notice = PaymentNotice(
      id: notice, type: .chargeSucceeded, created: time.now,
      data: .init(orderID: order, paymentID: order.payment, amount: amount))
    let body = Array(try JSONEncoder().encode(notice))
    _ = try await webhooks.receive(
      body, signature: WebhookSignature.sign(body, at: time.now, with: bank.secret), from: bank.name,
      RequestContext())
  }
}
